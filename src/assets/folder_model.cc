#include "assets/folder_model.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "assets/repository_files.h"
#include "assets/template_variables.h"
#include "assets/weight_files.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/json_document.h"
#include "hub/cache_layout.h"
#include "hub/names.h"
#include "text/tokenizer_config.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kAdapterConfig = "adapter_config.json";
constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
constexpr const char* kSpecialTokens = "special_tokens_map.json";
constexpr const char* kAddedTokens = "added_tokens.json";
constexpr const char* kChatTemplate = "chat_template.jinja";
constexpr const char* kDefaultTemplate = "additional_chat_templates/default.jinja";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kMerges = "merges.txt";

/// A folder of LoRA weights names the model that it changes, and is none itself.
void refuse_adapter(const RepositoryFiles& files) {
  const auto text = files.text(kAdapterConfig);
  if (!text) return;
  const nlohmann::json config = parse_json(text->text, text->where);
  const auto base = config.is_object() ? config.find("base_model_name_or_path") : config.end();
  throw InputError({.what = fmt::format(
                        "this is an adapter{}, not a model",
                        base != config.end() && base->is_string() ? " of " + base->get<std::string>() : ""),
                    .where = files.where(),
                    .expected = "a checkpoint with config.json and all weights",
                    .found = kAdapterConfig,
                    .hint = "merge it into its model: merge_and_unload() of peft, then save_pretrained()"});
}

/// Packages of before transformers' `quantization_config` say in a file of their own how the weights are
/// quantised.
void refuse_quantised(const RepositoryFiles& files) {
  constexpr std::array<std::pair<const char*, const char*>, 2> kFiles = {
      {{"quantize_config.json", "GPTQ"}, {"quant_config.json", "AWQ"}}};
  for (const auto& [file, method] : kFiles) {
    if (files.has(file))
      throw quantised_weights(fmt::format("with the method {}", method), files.where(), file);
  }
}

class FolderModel final : public ModelFiles {
 public:
  FolderModel(const ModelEntry& model, const fs::path& folder, RepositoryFiles files, Progress& progress)
      : ModelFiles(model, folder), files_(std::move(files)), progress_(progress) {}

  ChatFormatter formatter() override {
    const auto json = files_.text(kTokenizer);
    const TokenizerConfig config = read_tokenizer_files(json && names_byte_level(json->text));
    warn_of_class(config);
    Tokenizer tokenizer = json ? Tokenizer::from_tokenizer_json(json->text, json->where, config.setup())
                               : open_vocabulary_files(config);
    return make_formatter(std::move(tokenizer), find_template(config), config.special_tokens, entry(),
                          progress_);
  }

  std::vector<FileNeed> needed(std::size_t layer_count) override {
    const WeightFiles weights(files_);
    std::vector<FileNeed> needs;
    for (const std::string& name : weights.holding(tensor_names(layer_count))) {
      needs.push_back(files_.need(name));
    }
    return needs;
  }

  Checkpoint checkpoint(std::size_t layer_count, const LocalCopies& copies) override {
    check_layer_count(config(), layer_count, path().string());
    const WeightFiles weights(files_);
    Checkpoint checkpoint;
    NamedTensors tensors;
    for (const std::string& name : weights.holding(tensor_names(layer_count))) {
      add_tensors(tensors, weights.parse(checkpoint.map(files_.require(name), copies)), path().string());
    }
    checkpoint.model = {
        config(), bind_weights(tensors, config(), layer_count, TensorNaming::kHuggingFace, path().string())};
    return checkpoint;
  }

  std::string revision() const override { return files_.commit(); }
  const RepositoryFiles& files() const { return files_; }

  std::string published_name() const override {
    if (!files_.repo().empty()) return files_.repo();
    return config_text("_name_or_path");
  }

 private:
  std::vector<std::string> tensor_names(std::size_t layer_count) {
    return needed_tensor_names(config(), layer_count, TensorNaming::kHuggingFace);
  }

  /// A key of config.json that is no part of the model's configuration; empty where it is not said.
  std::string config_text(const char* key) const {
    const nlohmann::json config = parse_json(read_file(path() / kConfig), (path() / kConfig).string());
    const auto value = config.is_object() ? config.find(key) : config.end();
    return value != config.end() && value->is_string() ? value->get<std::string>() : std::string();
  }

  TokenizerConfig read_tokenizer_files(bool byte_level) const {
    TokenizerSideFiles side;
    side.tokenizer_config = files_.text(kTokenizerConfig);
    if (!side.tokenizer_config || !lists_added_tokens(*side.tokenizer_config)) {
      side.special_tokens_map = files_.text(kSpecialTokens);
      side.added_tokens = files_.text(kAddedTokens);
    }
    return read_tokenizer_config(side, {.model_type = config_text("model_type"),
                                        .tokenizer_class = config_text("tokenizer_class"),
                                        .byte_level = byte_level});
  }

  Tokenizer open_vocabulary_files(const TokenizerConfig& config) const {
    const auto vocabulary = files_.text(kVocabulary);
    const auto merges = vocabulary ? files_.text(kMerges) : std::nullopt;
    if (merges) {
      return Tokenizer::from_vocabulary_files(vocabulary->text, merges->text, files_.where(), config.setup());
    }
    files_.require_answer(kTokenizer);
    throw InputError(
        {.what = fmt::format("there is no {}", kTokenizer),
         .where = files_.where(),
         .expected = fmt::format("{}, or {} with {}", kTokenizer, kVocabulary, kMerges),
         .found = files_.listing(),
         .hint = "AutoTokenizer.from_pretrained(…).save_pretrained(…) of transformers writes it"});
  }

  /// Of the files, the one named like a further template counts before the usual one, and either before
  /// tokenizer_config.json (PreTrainedTokenizerBase._from_pretrained).
  TemplateSource find_template(const TokenizerConfig& config) const {
    if (auto own = entry_template(entry())) return *std::move(own);
    for (const char* name : {kDefaultTemplate, kChatTemplate}) {
      if (auto file = files_.text(name)) return {std::move(file->text), file->where};
    }
    const std::string where = (path() / kTokenizerConfig).string() + ": chat_template";
    if (auto text = default_chat_template(config, where)) return {*std::move(text), where};
    throw no_chat_template(files_.where());
  }

  /// A class of transformers 5 that cuts text in a way of its own, and not as tokenizer.json says.
  void warn_of_class(const TokenizerConfig& config) const {
    if (!has_unknown_pipeline(config.class_name)) return;
    progress_.warn(
        fmt::format("model {}: text is cut as tokenizer.json says; transformers 5 uses its class {} "
                    "instead, which is not implemented: token ids may differ",
                    entry().name, config.class_name));
  }

  ModelConfig read_config() override {
    const std::string where = (path() / kConfig).string();
    return model_config_from_json(parse_json(read_file(where), where), where);
  }

  RepositoryFiles files_;
  Progress& progress_;
};

/// Of the hub cache's folder of a repository, `models--org--name`, the snapshot that `main` names.
fs::path folder_of(const ModelEntry& entry) {
  fs::path folder = entry.model;
  if (fs::exists(folder / kConfig) || !fs::is_directory(folder / "snapshots")) return folder;
  const RepoCache cache(folder);
  const std::vector<std::string> snapshots = cache.snapshots();
  if (const auto commit = cache.commit(HubRepo().revision)) return cache.snapshot(*commit);
  if (snapshots.size() == 1) return cache.snapshot(snapshots.front());
  throw InputError({.what = "the folder of the hub cache does not say which of its snapshots to read",
                    .where = folder.string(),
                    .expected = "refs/main, or a single snapshot",
                    .found = fmt::format("{} snapshots", snapshots.size()),
                    .hint = "name the snapshot's own folder, …/snapshots/COMMIT"});
}

}  // namespace

std::unique_ptr<ModelFiles> open_folder_model(const ModelEntry& entry, Progress& progress) {
  const fs::path folder = folder_of(entry);
  RepositoryFiles files(folder);
  refuse_adapter(files);
  refuse_quantised(files);
  return std::make_unique<FolderModel>(entry, folder, std::move(files), progress);
}

std::unique_ptr<ModelFiles> open_hub_model(const ModelEntry& entry, Hub& hub, Progress& progress) {
  RepositoryFiles files(hub, entry.model);
  const auto config = hub.cached_file(entry.model, kConfig);
  refuse_adapter(files);
  const fs::path folder = (config ? *config : files.require(kConfig)).parent_path();
  auto model = std::make_unique<FolderModel>(entry, folder, std::move(files), progress);
  model->config();  // what cannot be run is said before more of it is downloaded
  refuse_quantised(model->files());
  return model;
}

}  // namespace saescope
