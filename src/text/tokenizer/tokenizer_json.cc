// tokenizer.json of the Python library `tokenizers`. The post-processor is not read: it only puts
// special tokens around a text, which `encode` never does. Nor is the decoder: a byte-level vocabulary
// says itself what bytes a token stands for.

#include <map>
#include <utility>

#include "base/error.h"
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

BpeOptions check_options(const ModelOptions& options, const TokenTable& tokens) {
  const Json& dropout = options.member("dropout");
  if (!dropout.is_null() && dropout != 0.0) options.refuse("dropout", "null: ids must not be random");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!options.text(key).empty()) options.refuse(key, "null or an empty string");
  }
  BpeOptions bpe;
  bpe.ignore_merges = options.flag("ignore_merges");
  bpe.fuse_unknown = options.flag("fuse_unk");
  const bool complete = has_all_bytes(tokens);
  if (options.flag("byte_fallback") && !complete) {
    options.refuse("byte_fallback", "false, or a vocabulary with all 256 bytes");
  }
  if (!options.member("unk_token").is_null() && !complete) {
    const TokenId unknown = tokens.find_spelling(options.text("unk_token"));
    if (unknown == TokenTable::kNone) options.refuse("unk_token", "a token of the vocabulary");
    bpe.unknown = unknown;
  }
  return bpe;
}

void read_vocabulary(const Sections& sections, const std::string& where, VocabularyBuilder& builder) {
  constexpr std::size_t kBytesPerToken = 16;  // in the file, about: to reserve memory
  // 262,144 tokens take 7 MB, half a million merges 25 MB.
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  check_size(sections.vocab, kMostBytes, where + ", model.vocab");
  check_size(sections.merges, kMostBytes, where + ", model.merges");
  builder.reserve(sections.vocab.size() / kBytesPerToken);
  JsonReader vocab(sections.vocab, where + ", model.vocab");
  vocab.read_object(
      [&](const std::string& token) { builder.add_token(token, vocab.read_unsigned(~uint64_t{0})); });
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

// The library numbers added tokens itself: as in the vocabulary where they are part of it, else on
// from its end. The ids in the file only state what comes out.
std::map<TokenId, AddedToken> read_added_tokens(const Json& json, const TokenTable& vocabulary,
                                                const std::string& where) {
  std::map<TokenId, AddedToken> by_id;
  std::map<std::string, TokenId> ids;
  if (!json.is_null() && !json.is_array()) {
    throw InputError({.what = "malformed added tokens", .where = where, .expected = "a list"});
  }
  auto next_id = static_cast<TokenId>(vocabulary.count());
  for (const Json& element : json) {
    AddedToken token = parse_added_token(element, where);
    if (token.content.empty()) continue;
    TokenId id = vocabulary.find_spelling(token.content);
    if (const auto known = ids.find(token.content); known != ids.end()) id = known->second;
    if (id == TokenTable::kNone) id = next_id++;
    ids[token.content] = id;
    by_id[id] = std::move(token);
  }
  return by_id;
}

}  // namespace

TokenizerParts parse_tokenizer_json(std::string_view json, const std::string& where) {
  const Sections sections = read_sections(json, where);
  if (sections.vocab.empty() || sections.merges.empty()) {
    throw InputError({.what = "the tokenizer has no vocabulary and merges",
                      .where = where,
                      .expected = "a byte-level BPE tokenizer with model.vocab and model.merges"});
  }
  Normalizer normalizer =
      parse_normalizer(parse_section(sections.normalizer, where + ", normalizer"), where + ", normalizer");
  PreTokenizer pre_tokenizer = parse_pre_tokenizer(
      parse_section(sections.pre_tokenizer, where + ", pre_tokenizer"), where + ", pre_tokenizer");
  const ModelOptions model_options(sections, where);
  if (model_options.text("type") != "BPE") model_options.refuse("type", "\"BPE\"");
  VocabularyBuilder builder(where);
  read_vocabulary(sections, where, builder);
  const BpeOptions options = check_options(model_options, builder.tokens());
  auto added_tokens = read_added_tokens(parse_section(sections.added_tokens, where + ", added_tokens"),
                                        builder.tokens(), where + ", added_tokens");
  check_added_tokens(added_tokens, where + ", added_tokens");
  AddedTokens added(std::move(added_tokens), normalizer);
  return {std::move(added), std::move(normalizer), std::move(pre_tokenizer),
          BpeModel(std::move(builder.tokens()), builder.merges(), options)};
}

}  // namespace saescope
