#include "assets/gguf_model.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <utility>

#include "assets/template_variables.h"
#include "base/error.h"
#include "base/utf8.h"
#include "formats/gguf.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using UnsupportedTensors = std::map<std::string, std::string, std::less<>>;

/// The text of the token whose id a metadata key holds.
std::optional<std::string> special_token(const GgufFile& file, const std::vector<std::string>& tokens,
                                         const char* key) {
  const int64_t* id = file.find<int64_t>(key);
  if (id == nullptr) return std::nullopt;
  if (*id < 0 || static_cast<uint64_t>(*id) >= tokens.size()) {
    throw InputError({.what = fmt::format("`{}` is not an id of the vocabulary", key),
                      .where = file.where,
                      .expected = fmt::format("0 to {}", tokens.size() - 1),
                      .found = std::to_string(*id)});
  }
  const std::string& token = tokens[static_cast<std::size_t>(*id)];
  if (find_invalid_utf8(token) != std::string::npos) {
    throw InputError({.what = fmt::format("the token of `{}` is not UTF-8", key),
                      .where = file.where,
                      .expected = "a text that the chat template can print",
                      .found = token});
  }
  return token;
}

nlohmann::ordered_json special_tokens(const GgufFile& file, const std::vector<std::string>& tokens) {
  constexpr std::array<std::pair<const char*, const char*>, 4> kTokenKeys = {{
      {"bos_token", "tokenizer.ggml.bos_token_id"},
      {"eos_token", "tokenizer.ggml.eos_token_id"},
      {"unk_token", "tokenizer.ggml.unknown_token_id"},
      {"pad_token", "tokenizer.ggml.padding_token_id"},
  }};
  auto found = nlohmann::ordered_json::object();
  for (const auto& [name, key] : kTokenKeys) {
    if (const auto token = special_token(file, tokens, key)) found[name] = *token;
  }
  return found;
}

/// What a SentencePiece vocabulary has besides its tokens: scores, or merges where a converter knew them.
void read_sentencepiece(const GgufFile& file, GgufVocabulary& vocabulary) {
  if (const auto* merges = file.find<std::vector<std::string>>("tokenizer.ggml.merges"))
    vocabulary.merges = *merges;
  if (const auto* scores = file.find<std::vector<double>>("tokenizer.ggml.scores")) {
    vocabulary.scores.assign(scores->begin(), scores->end());
  }
  if (const auto* prefix = file.find<bool>("tokenizer.ggml.add_space_prefix"))
    vocabulary.add_space_prefix = *prefix;
}

GgufVocabulary read_vocabulary(const GgufFile& file) {
  GgufVocabulary vocabulary;
  vocabulary.model = file.require<std::string>("tokenizer.ggml.model");
  vocabulary.architecture = file.require<std::string>("general.architecture");
  if (const auto* pre = file.find<std::string>("tokenizer.ggml.pre")) vocabulary.pre = *pre;
  vocabulary.tokens = file.require<std::vector<std::string>>("tokenizer.ggml.tokens");
  if (vocabulary.model == "llama") {
    read_sentencepiece(file, vocabulary);
  } else {
    vocabulary.merges = file.require<std::vector<std::string>>("tokenizer.ggml.merges");
  }
  if (const auto* types = file.find<std::vector<int64_t>>("tokenizer.ggml.token_type")) {
    vocabulary.types.assign(types->begin(), types->end());
  }
  return vocabulary;
}

/// Of "model-00001-of-00003.gguf" the paths of the other parts.
std::vector<fs::path> split_siblings(const fs::path& first, int64_t count) {
  const std::string name = first.filename().string();
  const std::string suffix = fmt::format("-00001-of-{:05}.gguf", count);
  constexpr int64_t kMostParts = 99'999;  // what five digits hold
  if (!name.ends_with(suffix) || count > kMostParts) {
    throw InputError({.what = "one part of a split GGUF file",
                      .where = first.string(),
                      .expected = fmt::format("the first part, named …{}", suffix),
                      .found = name,
                      .hint = "point the configuration to the first part"});
  }
  const std::string stem = name.substr(0, name.size() - suffix.size());
  std::vector<fs::path> paths;
  for (int64_t part = 2; part <= count; ++part) {
    paths.push_back(first.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", stem, part, count));
  }
  return paths;
}

/// Tensors of other types may be there as long as no layer needs them.
void check_types(const UnsupportedTensors& unsupported, const ModelConfig& config, std::size_t layer_count,
                 const std::string& where) {
  if (unsupported.empty()) return;
  for (const std::string& name : needed_tensor_names(config, layer_count, TensorNaming::kGguf)) {
    const auto tensor = unsupported.find(name);
    if (tensor == unsupported.end()) continue;
    throw InputError(
        {.what = fmt::format("the type of tensor {} is not implemented", name),
         .where = where,
         .expected = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, IQ4_NL, IQ4_XS or MXFP4",
         .found = tensor->second,
         .hint = "get the model in one of these types"});
  }
}

class GgufModel final : public ModelFiles {
 public:
  GgufModel(const ModelEntry& model, Progress& progress)
      : ModelFiles(model, model.model),
        progress_(progress),
        mapped_(std::make_shared<const MappedFile>(path())),
        file_(parse_gguf(mapped_->bytes(), path().string())) {}

  ChatFormatter formatter() override {
    const GgufVocabulary vocabulary = read_vocabulary(file_);
    return make_formatter(Tokenizer::from_gguf(vocabulary, path().string()), find_template(),
                          special_tokens(file_, vocabulary.tokens), entry(), progress_);
  }

  std::vector<FileNeed> needed(std::size_t) override {
    std::vector<FileNeed> needs = {{"", path().filename().string(), path()}};
    for (const fs::path& sibling : siblings()) needs.push_back({"", sibling.filename().string(), sibling});
    return needs;
  }

  Checkpoint checkpoint(std::size_t layer_count, const LocalCopies& copies) override {
    Checkpoint checkpoint;
    GgufFile first = open_first(checkpoint, copies);
    NamedTensors tensors = std::move(first.tensors);
    UnsupportedTensors unsupported = std::move(first.unsupported);
    for (const fs::path& sibling : siblings()) {
      GgufFile parsed = parse_gguf(checkpoint.map(sibling, copies).bytes(), sibling.string());
      add_tensors(tensors, std::move(parsed.tensors), path().string());
      unsupported.merge(parsed.unsupported);
    }
    check_layer_count(config(), layer_count, path().string());
    check_types(unsupported, config(), layer_count, path().string());
    checkpoint.model = {config(),
                        bind_weights(tensors, config(), layer_count, TensorNaming::kGguf, path().string())};
    return checkpoint;
  }

 private:
  /// The file that is mapped already, unless its weights are read from a copy.
  GgufFile open_first(Checkpoint& checkpoint, const LocalCopies& copies) const {
    const MappedFile& file = checkpoint.map(path(), copies);
    if (file.path() != path()) return parse_gguf(file.bytes(), path().string());
    checkpoint.files.back() = mapped_;
    return file_;
  }

  TemplateSource find_template() const {
    if (auto own = entry_template(entry())) return *std::move(own);
    const auto* source = file_.find<std::string>("tokenizer.chat_template");
    if (source == nullptr) throw no_chat_template(path().string());
    return {*source, path().string() + ": tokenizer.chat_template"};
  }

  std::vector<fs::path> siblings() const {
    const int64_t* parts = file_.find<int64_t>("split.count");
    return parts != nullptr && *parts > 1 ? split_siblings(path(), *parts) : std::vector<fs::path>();
  }

  ModelConfig read_config() override { return model_config_from_gguf(file_); }

  Progress& progress_;
  std::shared_ptr<const MappedFile> mapped_;
  GgufFile file_;
};

}  // namespace

std::unique_ptr<ModelFiles> open_gguf_model(const ModelEntry& entry, Progress& progress) {
  return std::make_unique<GgufModel>(entry, progress);
}

}  // namespace saescope
