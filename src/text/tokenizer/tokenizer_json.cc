// tokenizer.json of the Python library `tokenizers`. The post-processor is not read: it only puts
// special tokens around a text, which `encode` never does. Nor is the decoder of a byte-level vocabulary,
// which says itself what bytes a token stands for.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "text/tokenizer/added_token_sources.h"
#include "text/tokenizer/class_pipeline.h"
#include "text/tokenizer/json_reader.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {
namespace {

using Json = nlohmann::json;

// Parts of the file, as text. Empty: not there.
struct Sections {
  std::string_view added_tokens;
  std::string_view normalizer;
  std::string_view pre_tokenizer;
  std::string_view decoder;
  std::string_view vocab;
  std::string_view merges;
  std::map<std::string, std::string_view> model;  // its small members
};

void read_model(JsonReader& reader, Sections& sections) {
  reader.read_object([&](const std::string& key) {
    const std::string_view value = reader.skip_value();
    if (key == "vocab") {
      sections.vocab = value;
    } else if (key == "merges") {
      sections.merges = value;
    } else {
      sections.model[key] = value;
    }
  });
}

Sections read_sections(std::string_view json, const std::string& where) {
  Sections sections;
  JsonReader reader(json, where);
  reader.read_object([&](const std::string& key) {
    if (key == "model") {
      read_model(reader, sections);
      return;
    }
    const std::string_view value = reader.skip_value();
    if (key == "added_tokens") sections.added_tokens = value;
    if (key == "normalizer") sections.normalizer = value;
    if (key == "pre_tokenizer") sections.pre_tokenizer = value;
    if (key == "decoder") sections.decoder = value;
  });
  reader.expect_end();
  return sections;
}

void check_size(std::string_view text, std::size_t most, const std::string& where) {
  if (text.size() <= most) return;
  throw InputError({.what = "this part of the tokenizer is too large",
                    .where = where,
                    .expected = "at most " + std::to_string(most) + " bytes",
                    .found = std::to_string(text.size()) + " bytes"});
}

// Null where the section is not there.
Json parse_section(std::string_view text, const std::string& where) {
  constexpr std::size_t kMostBytes = std::size_t{8}
                                     << 20;  // in memory, a document takes up to 25 times its text
  if (text.empty()) return nullptr;
  check_size(text, kMostBytes, where);
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw InputError({.what = "malformed JSON", .where = where, .found = error.what()});
  }
}

// The small members of the model.
class ModelOptions {
 public:
  ModelOptions(const Sections& sections, const std::string& where) : where_(where) {
    for (const auto& [key, text] : sections.model) {
      members_[key] = parse_section(text, where + ", model." + key);
    }
  }

  const Json& member(const std::string& key) const {
    static const Json kNull;
    const auto found = members_.find(key);
    return found == members_.end() ? kNull : found->second;
  }

  bool flag(const std::string& key) const {
    const Json& value = member(key);
    if (value.is_null()) return false;
    if (!value.is_boolean()) refuse(key, "true or false");
    return value.get<bool>();
  }

  std::string text(const std::string& key) const {
    const Json& value = member(key);
    if (value.is_null()) return {};
    if (!value.is_string()) refuse(key, "a string or null");
    return value.get<std::string>();
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const {
    throw InputError({.what = "a model option of the tokenizer is not implemented or malformed",
                      .where = where_ + ", model." + key,
                      .expected = expected,
                      .found = member(key).dump(-1, ' ', true, Json::error_handler_t::replace)});
  }

 private:
  const std::string& where_;
  std::map<std::string, Json> members_;
};

bool has_all_bytes(const TokenTable& tokens) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (tokens.find({&c, 1}) == TokenTable::kNone) return false;
  }
  return true;
}

BpeOptions check_options(const ModelOptions& options) {
  const Json& dropout = options.member("dropout");
  if (!dropout.is_null() && dropout != 0.0) options.refuse("dropout", "null: ids must not be random");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!options.text(key).empty()) options.refuse(key, "null or an empty string");
  }
  BpeOptions bpe;
  bpe.ignore_merges = options.flag("ignore_merges");
  bpe.fuse_unknown = options.flag("fuse_unk");
  bpe.byte_fallback = options.flag("byte_fallback");
  return bpe;
}

void add_vocabulary(std::string_view object, const std::string& where, VocabularyBuilder& builder) {
  constexpr std::size_t kBytesPerToken = 24;  // in an indented file, about: to reserve memory
  builder.reserve(object.size() / kBytesPerToken);
  JsonReader vocab(object, where);
  vocab.read_object(
      [&](const std::string& token) { builder.add_token(token, vocab.read_unsigned(~uint64_t{0})); });
}

void read_vocabulary(const Sections& sections, const std::string& where, VocabularyBuilder& builder) {
  // 262,144 tokens take 7 MB, half a million merges 25 MB.
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  check_size(sections.vocab, kMostBytes, where + ", model.vocab");
  check_size(sections.merges, kMostBytes, where + ", model.merges");
  add_vocabulary(sections.vocab, where + ", model.vocab", builder);
  JsonReader merges(sections.merges, where + ", model.merges");
  std::string left;
  std::string right;
  merges.read_array([&] {
    if (!merges.at_array()) {
      builder.add_merge(merges.read_string());
      return;
    }
    int index = 0;
    merges.read_array([&] {
      if (index == 2) merges.fail("two tokens in a merge");
      if (index == 0) {
        left = merges.read_string();
      } else {
        right = merges.read_string();
      }
      ++index;
    });
    if (index != 2) merges.fail("two tokens in a merge");
    builder.add_merge(left, right);
  });
}

AddedToken parse_added_token(const Json& json, const std::string& where) {
  try {
    AddedToken token;
    token.content = json.at("content").get<std::string>();
    token.single_word = json.at("single_word").get<bool>();
    token.lstrip = json.at("lstrip").get<bool>();
    token.rstrip = json.at("rstrip").get<bool>();
    token.normalized = json.at("normalized").get<bool>();
    token.special = json.at("special").get<bool>();
    return token;
  } catch (const Json::exception& error) {
    throw InputError({.what = "malformed added token", .where = where, .found = error.what()});
  }
}

// The `added_tokens` of the file, in its order.
std::vector<std::pair<int64_t, AddedToken>> read_added_tokens(const Json& json, const std::string& where) {
  if (!json.is_null() && !json.is_array()) {
    throw InputError({.what = "malformed added tokens", .where = where, .expected = "a list"});
  }
  std::vector<std::pair<int64_t, AddedToken>> tokens;
  for (const Json& element : json) {
    AddedToken token = parse_added_token(element, where);
    const auto id = element.find("id");
    const bool has_id = id != element.end() && id->is_number_integer();
    if (!token.content.empty()) tokens.emplace_back(has_id ? id->get<int64_t>() : -1, std::move(token));
  }
  return tokens;
}

// The library numbers added tokens itself: as in the vocabulary where they are part of it, else on
// from its end. The ids in files only state what comes out.
class AddedTokenNumbers {
 public:
  explicit AddedTokenNumbers(const TokenTable& vocabulary)
      : vocabulary_(vocabulary), next_(static_cast<TokenId>(vocabulary.count())) {}

  void add(const AddedToken& token) {
    if (token.content.empty()) return;
    TokenId id = vocabulary_.find_spelling(token.content);
    if (const auto known = ids_.find(token.content); known != ids_.end()) id = known->second;
    if (id == TokenTable::kNone) id = next_++;
    ids_[token.content] = id;
    by_id_[id] = token;
  }

  std::vector<AddedToken> tokens() const {
    std::vector<AddedToken> result;
    for (const auto& [id, token] : by_id_) result.push_back(token);
    return result;
  }

  std::map<TokenId, AddedToken> take() { return std::move(by_id_); }

 private:
  const TokenTable& vocabulary_;
  TokenId next_;
  std::map<std::string, TokenId> ids_;
  std::map<TokenId, AddedToken> by_id_;
};

// All added tokens: those of the file and those of the files beside it.
std::map<TokenId, AddedToken> number_added_tokens(const std::vector<std::pair<int64_t, AddedToken>>& of_file,
                                                  const TokenTable& vocabulary, const TokenizerSetup& setup) {
  AddedTokenNumbers numbers(vocabulary);
  std::map<int64_t, AddedToken> stated;
  for (const auto& [id, token] : of_file) {
    if (setup.python_class == TokenizerClass::kAsFile) numbers.add(token);
    stated[id] = token;
  }
  const AddedTokenSources none;
  const AddedTokenSources& sources = setup.added == nullptr ? none : *setup.added;
  for (const AddedToken& token : tokens_to_add(sources, numbers.tokens(), stated)) numbers.add(token);
  // Qwen2Tokenizer.__init__ adds every special token again, by its text alone.
  if (setup.python_class == TokenizerClass::kQwen2) {
    for (const auto* tokens : {&sources.named, &sources.extra}) {
      for (const AddedToken& token : *tokens) numbers.add({.content = token.content, .special = true});
    }
  }
  return numbers.take();
}

// The pipeline that a file describes.
ClassPipeline pipeline_of_file(const Sections& sections, const ModelOptions& options, const Json& normalizer,
                               const Json& pre_tokenizer, const std::string& where) {
  ClassPipeline pipeline;
  const bool byte_level = is_byte_level(pre_tokenizer, where + ", pre_tokenizer");
  pipeline.spelling = byte_level ? TokenSpelling::kBytes : TokenSpelling::kCharacters;
  pipeline.normalizer = parse_normalizer(normalizer, where + ", normalizer");
  pipeline.pre_tokenizer = parse_pre_tokenizer(pre_tokenizer, where + ", pre_tokenizer");
  if (!byte_level) {
    const std::string decoder = where + ", decoder";
    pipeline.decoder = parse_decoder(parse_section(sections.decoder, decoder), decoder);
  }
  pipeline.options = check_options(options);
  if (!options.member("unk_token").is_null()) pipeline.unknown = options.text("unk_token");
  return pipeline;
}

// Settles what depends on which tokens there are. With all bytes nothing is unknown.
void settle_options(ClassPipeline& pipeline, const TokenTable& tokens, const std::string& where) {
  const bool complete = tokens.spelling() == TokenSpelling::kBytes && has_all_bytes(tokens);
  if (complete) pipeline.options.byte_fallback = false;
  if (complete || !pipeline.unknown) return;
  if (pipeline.options.byte_fallback && tokens.spelling() == TokenSpelling::kBytes) {
    throw InputError(
        {.what = "byte_fallback with a byte-level vocabulary that lacks bytes is not implemented",
         .where = where + ", model.byte_fallback",
         .expected = "false, or a vocabulary with all 256 bytes"});
  }
  const TokenId unknown = tokens.find_spelling(*pipeline.unknown);
  if (unknown == TokenTable::kNone) {
    throw InputError({.what = "the unknown token is not in the vocabulary",
                      .where = where + ", model.unk_token",
                      .expected = "a token of the vocabulary",
                      .found = *pipeline.unknown});
  }
  pipeline.options.unknown = unknown;
}

TokenizerParts join_parts(ClassPipeline pipeline, VocabularyBuilder builder,
                          std::map<TokenId, AddedToken> added, std::string remark) {
  MergeTable merges = builder.merges();
  AddedTokens added_tokens(std::move(added), pipeline.normalizer);
  return {std::move(added_tokens),
          std::move(pipeline.normalizer),
          std::move(pipeline.pre_tokenizer),
          BpeModel(std::move(builder.tokens()), std::move(merges), pipeline.options),
          std::move(pipeline.decoder),
          std::move(remark)};
}

}  // namespace

TokenizerParts parse_tokenizer_json(std::string_view json, const std::string& where,
                                    const TokenizerSetup& setup) {
  const Sections sections = read_sections(json, where);
  if (sections.vocab.empty() || sections.merges.empty()) {
    throw InputError({.what = "the tokenizer has no vocabulary and merges",
                      .where = where,
                      .expected = "a BPE tokenizer with model.vocab and model.merges"});
  }
  const Json normalizer = parse_section(sections.normalizer, where + ", normalizer");
  const Json pre_tokenizer = parse_section(sections.pre_tokenizer, where + ", pre_tokenizer");
  std::optional<ClassPipeline> pipeline = pipeline_of(setup, where);
  const ModelOptions options(sections, where);
  if (options.text("type") != "BPE") options.refuse("type", "\"BPE\"");
  if (!pipeline) pipeline = pipeline_of_file(sections, options, normalizer, pre_tokenizer, where);
  VocabularyBuilder builder(pipeline->spelling, where);
  read_vocabulary(sections, where, builder);
  settle_options(*pipeline, builder.tokens(), where);
  auto added =
      number_added_tokens(read_added_tokens(parse_section(sections.added_tokens, where + ", added_tokens"),
                                            where + ", added_tokens"),
                          builder.tokens(), setup);
  check_added_tokens(added, where + ", added_tokens");
  return join_parts(*std::move(pipeline), std::move(builder), std::move(added),
                    remark_on_class(setup, normalizer, pre_tokenizer));
}

TokenizerParts parse_vocabulary_files(std::string_view vocab, std::string_view merges,
                                      const std::string& where, const TokenizerSetup& setup) {
  if (setup.python_class != TokenizerClass::kQwen2 && setup.python_class != TokenizerClass::kGpt2) {
    throw InputError(
        {.what = "there is no tokenizer.json, and vocab.json says nothing about how text is cut",
         .where = where,
         .expected = "tokenizer.json, or a tokenizer of the class Qwen2Tokenizer or GPT2Tokenizer",
         .hint = "AutoTokenizer.from_pretrained(…).save_pretrained(…) of transformers writes one"});
  }
  VocabularyBuilder builder(TokenSpelling::kBytes, where);
  add_vocabulary(vocab, where + ", vocab.json", builder);
  while (!merges.empty()) {
    const std::size_t end = std::min(merges.find('\n'), merges.size());
    std::string_view line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) builder.add_merge(line);
  }
  auto added = number_added_tokens({}, builder.tokens(), setup);
  check_added_tokens(added, where);
  return join_parts(*pipeline_of(setup, where), std::move(builder), std::move(added), {});
}

}  // namespace saescope
