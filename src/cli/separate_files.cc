#include "cli/separate_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <system_error>

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

void require_apart_from_models(const Options& options, const std::vector<ModelPlan>& models) {
  std::vector<NamedFile> inputs;
  const auto add_folder = [&](const char* what, const fs::path& folder) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      inputs.push_back({what, entry.path()});
    }
  };
  for (const ModelPlan& model : models) {
    if (model.entry.model_is_path) {
      inputs.push_back({"the model", model.entry.model});
      add_folder("the model", model.entry.model);
    }
    for (const LayerPlan& layer : model.layers) {
      for (const SourcePlan& source : layer.sources) {
        add_folder("the SAE", fs::path(model.entry.sae_dir) / source.sae_folder);
      }
    }
  }
  require_apart(options.outputs(), inputs);
}

}  // namespace saescope
