#include "assets/weight_files.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/json_document.h"
#include "formats/torch_archive.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

NamedTensors parse_safetensors_file(std::span<const std::byte> bytes, const std::string& where) {
  return parse_safetensors(bytes, where).tensors;
}

NamedTensors parse_torch_file(std::span<const std::byte> bytes, const std::string& where) {
  return parse_torch_archive(bytes, where).tensors;
}

/// The usual name of a tensor: wrappers' prefixes taken off (the last two are those of a language model
/// beside a vision model, as transformers 4 and 5 write them), and `model.` put on where the model below was
/// saved.
std::string usual_name(std::string_view name) {
  constexpr std::string_view kModel = "model.";
  for (const std::string_view wrapper : {"module.", "_orig_mod.", "module."}) {
    if (name.starts_with(wrapper)) name.remove_prefix(wrapper.size());
  }
  for (const std::string_view wrapper : {"language_model.model.", "model.language_model."}) {
    if (name.starts_with(wrapper)) name.remove_prefix(wrapper.size());
  }
  for (const std::string_view part : {"embed_tokens.", "layers.", "norm."}) {
    if (name.starts_with(part)) return std::string(kModel) + std::string(name);
  }
  return std::string(name);
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

/// The `weight_map` of an index.
std::map<std::string, std::string, std::less<>> read_index(const fs::path& path) {
  const std::string where = path.string();
  const nlohmann::json index = parse_json(read_file(path), where);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object()) {
    throw InputError({.what = "not an index of a sharded checkpoint",
                      .where = where,
                      .expected = "an object `weight_map`"});
  }
  std::map<std::string, std::string, std::less<>> files;
  for (const auto& [tensor, file] : map->items())
    files.emplace(usual_name(tensor), file_of(file, tensor, where));
  return files;
}

}  // namespace

struct WeightFiles::Form {
  const char* single;
  const char* index;
  NamedTensors (*parse)(std::span<const std::byte> bytes, const std::string& where);
};

const WeightFiles::Form& WeightFiles::form_of(const RepositoryFiles& files) {
  static constexpr std::array<Form, 2> kForms = {
      {{"model.safetensors", "model.safetensors.index.json", parse_safetensors_file},
       {"pytorch_model.bin", "pytorch_model.bin.index.json", parse_torch_file}}};
  for (const Form& form : kForms) {
    if (files.has(form.single) || files.has(form.index)) return form;
  }
  files.require_answer(kForms[0].single);
  throw InputError(
      {.what = "there are no weights that can be read",
       .where = files.where(),
       .expected = fmt::format("{0}, or {1} with its shards, or {2}, or {3} with its shards",
                               kForms[0].single, kForms[0].index, kForms[1].single, kForms[1].index),
       .found = files.listing().empty() ? "none of these in the repository" : files.listing(),
       .hint = "the model may be published in another form only, such as GGUF"});
}

WeightFiles::WeightFiles(const RepositoryFiles& files)
    : form_(form_of(files)), sharded_(!files.has(form_.single)) {
  if (sharded_) shard_of_ = read_index(files.require(form_.index));
}

std::vector<std::string> WeightFiles::holding(const std::vector<std::string>& tensors) const {
  if (!sharded_) return {form_.single};
  std::set<std::string> files;
  for (const std::string& name : tensors) {
    const auto found = shard_of_.find(name);
    if (found != shard_of_.end()) files.insert(found->second);  // what lacks is reported by bind_weights
  }
  return {files.begin(), files.end()};
}

NamedTensors WeightFiles::parse(const MappedFile& file) const {
  NamedTensors renamed;
  NamedTensors parsed = form_.parse(file.bytes(), file.path().string());
  for (auto& [name, view] : parsed) {
    renamed.emplace(usual_name(name), std::move(view));
  }
  return renamed;
}

}  // namespace saescope
