#include "assets/folder_model.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "assets/template_variables.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/json_document.h"
#include "formats/safetensors.h"
#include "text/tokenizer_config.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "config.json";
constexpr const char* kTokenizer = "tokenizer.json";
constexpr const char* kTokenizerConfig = "tokenizer_config.json";
constexpr const char* kChatTemplate = "chat_template.jinja";
constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kSingleFile = "model.safetensors";

/// A file that a model on the hub cannot do without.
fs::path require_file(Hub& hub, const std::string& repo, const std::string& file) {
  if (auto path = hub.cached_file(repo, file)) return *std::move(path);
  throw InputError({.what = fmt::format("the repository has no file {}", file),
                    .where = fmt::format("{}/{}", hub.settings().endpoint, repo),
                    .expected = "a checkpoint in Hugging Face layout with safetensors weights"});
}

/// Of an index's entry. @throws InputError where it does not name a file beside the index
std::string file_of(const nlohmann::json& entry, const std::string& tensor, const std::string& where) {
  std::string file = entry.is_string() ? entry.get<std::string>() : "";
  constexpr std::string_view kNotInAName("/\0", 2);
  if (!file.empty() && file.find_first_of(kNotInAName) == std::string::npos && !file.starts_with("..")) {
    return file;
  }
  throw InputError({.what = "unusable file name of tensor " + tensor,
                    .where = where,
                    .expected = "a file beside the index",
                    .found = entry.dump()});
}

/// The files that hold these tensors, by the text of model.safetensors.index.json.
std::set<std::string> files_of_index(const std::string& text, const std::vector<std::string>& tensors,
                                     const std::string& where) {
  const nlohmann::json index = parse_json(text, where);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object()) {
    throw InputError({.what = "not an index of a sharded checkpoint",
                      .where = where,
                      .expected = "an object `weight_map`"});
  }
  std::set<std::string> files;
  for (const std::string& name : tensors) {
    const auto entry = map->find(name);
    if (entry == map->end()) continue;  // reported by bind_weights together with everything else that lacks
    files.insert(file_of(*entry, name, where));
  }
  return files;
}

class FolderModel final : public ModelFiles {
 public:
  /// @param hub where files that are missing come from; null: from nowhere
  FolderModel(const ModelEntry& model, const fs::path& folder, Hub* hub)
      : ModelFiles(model, folder), hub_(hub) {}

  ChatFormatter formatter() override {
    const fs::path tokenizer = path() / kTokenizer;
    const fs::path config_path = path() / kTokenizerConfig;
    const fs::path jinja = path() / kChatTemplate;
    TokenizerConfig config = parse_tokenizer_config(read_file(config_path), config_path.string());
    const bool own_file = fs::exists(jinja);
    const auto source = own_file ? std::optional(read_file(jinja)) : std::move(config.chat_template);
    if (!source) throw no_chat_template(path().string());
    return {Tokenizer::from_tokenizer_json(read_file(tokenizer), tokenizer.string()),
            ChatTemplate(*source, own_file ? jinja.string() : config_path.string() + ": chat_template"),
            template_variables(config.special_tokens, entry()), entry().name};
  }

  std::vector<FileNeed> needed(std::size_t layer_count) override {
    const std::optional<fs::path> index = find_index();
    std::set<std::string> names = {kSingleFile};
    if (index) {
      names = files_of_index(read_file(*index),
                             needed_tensor_names(config(), layer_count, TensorNaming::kHuggingFace),
                             hub_ == nullptr ? index->string() : repo());
    }
    std::vector<FileNeed> needs;
    for (const std::string& name : names) {
      needs.push_back(hub_ == nullptr ? FileNeed{"", name, path() / name}
                                      : FileNeed{repo(), name, hub_->find_cached(repo(), name)});
    }
    return needs;
  }

  Checkpoint checkpoint(std::size_t layer_count) override {
    check_layer_count(config(), layer_count, path().string());
    std::vector<fs::path> paths;
    for (FileNeed& need : needed(layer_count)) {
      paths.push_back(need.path ? *std::move(need.path) : require_file(*hub_, repo(), need.file));
    }
    Checkpoint checkpoint;
    NamedTensors tensors;
    for (const fs::path& file_path : paths) {
      const MappedFile& file = *checkpoint.files.emplace_back(std::make_shared<const MappedFile>(file_path));
      add_tensors(tensors, parse_safetensors(file.bytes(), file.path().string()).tensors, path().string());
    }
    checkpoint.model = {
        config(), bind_weights(tensors, config(), layer_count, TensorNaming::kHuggingFace, path().string())};
    return checkpoint;
  }

 private:
  const std::string& repo() const { return entry().model; }

  /// The list of a sharded checkpoint's files.
  std::optional<fs::path> find_index() {
    if (hub_ != nullptr) return hub_->cached_file(repo(), kIndexFile);
    const fs::path index = path() / kIndexFile;
    return fs::exists(index) ? std::optional(index) : std::nullopt;
  }

  ModelConfig read_config() override {
    const std::string where = (path() / kConfig).string();
    return model_config_from_json(parse_json(read_file(where), where), where);
  }

  Hub* hub_;
};

}  // namespace

std::unique_ptr<ModelFiles> open_folder_model(const ModelEntry& entry) {
  return std::make_unique<FolderModel>(entry, entry.model, nullptr);
}

std::unique_ptr<ModelFiles> open_hub_model(const ModelEntry& entry, Hub& hub) {
  const fs::path folder = require_file(hub, entry.model, kConfig).parent_path();
  require_file(hub, entry.model, kTokenizer);
  require_file(hub, entry.model, kTokenizerConfig);
  hub.cached_file(entry.model, kChatTemplate);  // optional: older repositories keep it in the config
  return std::make_unique<FolderModel>(entry, folder, &hub);
}

}  // namespace saescope
