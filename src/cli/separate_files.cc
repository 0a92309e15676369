#include "cli/separate_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "assets/sae_files.h"
#include "base/error.h"
#include "base/output_target.h"
#include "input/prompts_reader.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// Several outputs may go to /dev/null.
bool is_character_device(const fs::path& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

InputError same_file(const NamedFile& one, const NamedFile& other) {
  return InputError({.what = fmt::format("{} and {} name the same file", one.flag, other.flag),
                     .where = "command line",
                     .expected = "different files",
                     .found = one.path == other.path
                                  ? one.path.string()
                                  : fmt::format("{} and {}", one.path.string(), other.path.string())});
}

/// What the command line makes the run read. Of a folder: the files in it.
std::vector<NamedFile> inputs_of(const Options& options) {
  std::vector<NamedFile> files = {{"--config", options.config}};
  for (const NamedFile& named : {NamedFile{"--descriptions", options.descriptions},
                                 NamedFile{"--pt-descriptions", options.pt_descriptions}}) {
    if (named.path != kFetchedDescriptions) files.push_back(named);
  }
  if (options.specific()) files.push_back({"--features-csv", options.features_csv});
  files.push_back({"--prompts-path", options.prompts_path});
  const std::size_t named = files.size();
  for (std::size_t i = 0; i < named; ++i) {
    const NamedFile file = files[i];
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(file.path, error)) {
      if (file.path != options.prompts_path || is_prompts_file(entry.path())) {
        files.push_back({file.flag, entry.path()});
      }
    }
  }
  return files;
}

void require_apart(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs) {
  for (const NamedFile& output : outputs) {
    if (is_character_device(output.path)) continue;
    for (const NamedFile& input : inputs) {
      if (lead_to_one_file(output.path, input.path)) throw same_file(output, input);
    }
  }
}

void require_files(const Options& options) {
  if (!options.specific() || !options.record_prompts || options.specific_output.empty()) return;
  if (!find_output_target(options.specific_output).stream) return;
  throw InputError({.what = "--record-prompts writes a file beside --specific-output, which is none",
                    .where = "command line",
                    .expected = "a file",
                    .found = options.specific_output.string(),
                    .hint = "leave --record-prompts out, or name a file"});
}

/// Whether a file of a model's or an SAE's folder may be one of its own, by its name. Results of earlier runs
/// may lie beside them.
bool is_asset(const fs::path& path) {
  constexpr std::array<std::string_view, 9> kExtensions = {".json", ".jinja", ".txt", ".safetensors", ".bin",
                                                           ".gguf", ".pt",    ".npz", ".pth"};
  return std::find(kExtensions.begin(), kExtensions.end(), path.extension().string()) != kExtensions.end();
}

void add_assets_below(const char* what, const fs::path& folder, std::vector<NamedFile>& files) {
  std::error_code error;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, options, error), end; !error && at != end;
       at.increment(error)) {
    if (is_asset(at->path())) files.push_back({what, at->path()});
  }
}

/// A model's folder or snapshot; of a GGUF file also its further parts, which lie beside it.
void add_model_files(const ModelEntry& entry, const Hub& hub, std::vector<NamedFile>& files) {
  constexpr const char* kWhat = "the model";
  if (entry.chat_template_is_path) files.push_back({"the chat template", entry.chat_template});
  if (!entry.model_is_path) {
    const auto config = hub.find_cached(entry.model, "config.json");
    if (config) add_assets_below(kWhat, config->parent_path(), files);
    return;
  }
  const fs::path path = entry.model;
  if (!is_gguf(path)) return add_assets_below(kWhat, path, files);
  std::error_code error;
  for (const fs::directory_entry& part : fs::directory_iterator(path.parent_path(), error)) {
    if (is_gguf(part.path())) files.push_back({kWhat, part.path()});
  }
}

}  // namespace

void require_separate_files(const Options& options) {
  require_files(options);
  const std::vector<NamedFile> outputs = options.outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (is_character_device(outputs[i].path)) continue;
    for (std::size_t j = i + 1; j < outputs.size(); ++j) {
      if (lead_to_one_file(outputs[i].path, outputs[j].path)) throw same_file(outputs[i], outputs[j]);
    }
  }
  require_apart(outputs, inputs_of(options));
}

void require_apart_from_models(const Options& options, const std::vector<ModelPlan>& models, Hub& hub) {
  std::vector<NamedFile> inputs;
  for (const ModelPlan& model : models) {
    add_model_files(model.entry, hub, inputs);
    for (const LayerPlan& layer : model.layers) {
      for (const SourcePlan& source : layer.sources) {
        for (const FileNeed& need : SaeFiles(model.entry, source.source, hub).needed()) {
          if (!need.path) continue;
          inputs.push_back({"the SAE", *need.path});
          add_assets_below("the SAE", need.path->parent_path(), inputs);
        }
      }
    }
  }
  require_apart(options.outputs(), inputs);
}

}  // namespace saescope
