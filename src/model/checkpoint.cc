#include "model/checkpoint.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/json_document.h"

namespace saescope {
namespace {

constexpr const char* kIndexFile = "model.safetensors.index.json";
constexpr const char* kSingleFile = "model.safetensors";

/// "model-00001-of-00003.gguf" → the paths of all three.
std::vector<std::filesystem::path> split_siblings(const std::filesystem::path& first, int64_t count) {
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
  std::vector<std::filesystem::path> paths;
  for (int64_t part = 2; part <= count; ++part) {
    paths.push_back(first.parent_path() / fmt::format("{}-{:05}-of-{:05}.gguf", stem, part, count));
  }
  return paths;
}

void add_tensors(NamedTensors& all, NamedTensors&& more, const std::string& where) {
  for (auto& [name, view] : more) {
    if (!all.emplace(name, std::move(view)).second) {
      throw InputError({.what = "tensor " + name + " stands in two files of the checkpoint", .where = where});
    }
  }
}

using UnsupportedTensors = std::map<std::string, std::string, std::less<>>;

/// Tensors of other types may be there as long as no layer needs them.
void check_types(const UnsupportedTensors& unsupported, const ModelConfig& config, std::size_t layer_count,
                 const std::string& where) {
  if (unsupported.empty()) return;
  for (const std::string& name : needed_tensor_names(config, layer_count, TensorNaming::kGguf)) {
    const auto tensor = unsupported.find(name);
    if (tensor == unsupported.end()) continue;
    throw InputError({.what = fmt::format("the type of tensor {} is not implemented", name),
                      .where = where,
                      .expected = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or Q6_K",
                      .found = tensor->second,
                      .hint = "get the model in one of these types"});
  }
}

}  // namespace

void check_layer_count(const ModelConfig& config, std::size_t layer_count, const std::string& where) {
  if (layer_count <= config.layers) return;
  throw InputError({.what = "the model has no such layer",
                    .where = where,
                    .expected = fmt::format("layers 0 to {}", config.layers - 1),
                    .found = fmt::format("layer {}", layer_count - 1),
                    .hint = "correct `layers` in the configuration, or --layers"});
}

ModelConfig read_model_config(const std::filesystem::path& folder) {
  const std::string where = (folder / "config.json").string();
  return model_config_from_json(parse_json(read_file(where), where), where);
}

std::vector<std::string> needed_weight_files(const std::optional<std::string>& index_json,
                                             const ModelConfig& config, std::size_t layer_count,
                                             const std::string& where) {
  if (!index_json) return {kSingleFile};
  const nlohmann::json index = parse_json(*index_json, where);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object()) {
    throw InputError({.what = "not an index of a sharded checkpoint",
                      .where = where,
                      .expected = "an object `weight_map`"});
  }
  std::set<std::string> files;
  for (const std::string& name : needed_tensor_names(config, layer_count, TensorNaming::kHuggingFace)) {
    const auto entry = map->find(name);
    if (entry == map->end()) continue;  // reported by bind_weights together with everything else that lacks
    const std::string file = entry->is_string() ? entry->get<std::string>() : "";
    constexpr std::string_view kNotInAName("/\0", 2);
    if (file.empty() || file.find_first_of(kNotInAName) != std::string::npos || file.starts_with("..")) {
      throw InputError({.what = "unusable file name of tensor " + name,
                        .where = where,
                        .expected = "a file beside the index",
                        .found = entry->dump()});
    }
    files.insert(file);
  }
  return {files.begin(), files.end()};
}

Checkpoint Checkpoint::open_folder(const std::filesystem::path& folder, std::size_t layer_count) {
  Checkpoint checkpoint;
  checkpoint.model_.config = read_model_config(folder);
  check_layer_count(checkpoint.model_.config, layer_count, folder.string());
  const std::filesystem::path index = folder / kIndexFile;
  std::optional<std::string> index_json;
  if (std::filesystem::exists(index)) index_json = read_file(index);
  NamedTensors tensors;
  for (const std::string& name :
       needed_weight_files(index_json, checkpoint.model_.config, layer_count, index.string())) {
    const MappedFile& file = checkpoint.files_.emplace_back(folder / name);
    add_tensors(tensors, parse_safetensors(file.bytes(), file.path().string()).tensors, folder.string());
  }
  checkpoint.model_.weights = bind_weights(tensors, checkpoint.model_.config, layer_count,
                                           TensorNaming::kHuggingFace, folder.string());
  return checkpoint;
}

Checkpoint Checkpoint::open_gguf(const std::filesystem::path& path, std::size_t layer_count) {
  Checkpoint checkpoint;
  const MappedFile& file = checkpoint.files_.emplace_back(path);
  checkpoint.gguf_ = std::make_unique<GgufFile>(parse_gguf(file.bytes(), path.string()));
  NamedTensors tensors = checkpoint.gguf_->tensors;
  UnsupportedTensors unsupported = checkpoint.gguf_->unsupported;
  const int64_t* parts = checkpoint.gguf_->find<int64_t>("split.count");
  if (parts != nullptr && *parts > 1) {
    for (const std::filesystem::path& sibling : split_siblings(path, *parts)) {
      const MappedFile& part = checkpoint.files_.emplace_back(sibling);
      GgufFile parsed = parse_gguf(part.bytes(), sibling.string());
      add_tensors(tensors, std::move(parsed.tensors), path.string());
      unsupported.merge(parsed.unsupported);
    }
  }
  checkpoint.model_.config = model_config_from_gguf(*checkpoint.gguf_);
  check_layer_count(checkpoint.model_.config, layer_count, path.string());
  check_types(unsupported, checkpoint.model_.config, layer_count, path.string());
  checkpoint.model_.weights =
      bind_weights(tensors, checkpoint.model_.config, layer_count, TensorNaming::kGguf, path.string());
  return checkpoint;
}

}  // namespace saescope
