#include "cli/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "analysis/sources.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/configuration_keys.h"
#include "cli/configuration_text.h"
#include "cli/model_entry_reader.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBuiltin = R"(
[models.llama]
model     = "meta-llama/Llama-3.1-8B-Instruct"
sae       = "andyrdt/saes-llama-3.1-8b-instruct"
sae_dir   = "/workspace/sae/llama-3.1-8b-instruct/saes"
sae_path  = "resid_post_layer_{layer}/trainer_{trainer}"
trainer   = 1
layers    = [11, 15]
tokens    = { asst = "assistant", endheader = "<|end_header_id|>", newline = "\n\n" }
link      = "https://www.neuronpedia.org/llama3.1-8b-it/{layer}-resid-post-aa/{feature_id}"

[models.qwen]
model     = "Qwen/Qwen2.5-7B-Instruct"
sae       = "andyrdt/saes-qwen2.5-7b-instruct"
sae_dir   = "/workspace/sae/qwen-2.5-7b-instruct/saes"
sae_path  = "resid_post_layer_{layer}/trainer_{trainer}"
trainer   = 1
layers    = [11, 15]
tokens    = { asst = "assistant", newline = "\n" }
link      = "https://www.neuronpedia.org/qwen2.5-7b-it/{layer}-resid-post-aa/{feature_id}"
)";

/// Adds a file's entries to `configuration`; the names of the entries in the file's order.
std::vector<std::string> merge(std::string_view toml_text, const fs::path& file,
                               const Environment& environment, Configuration& configuration) {
  check_configuration_text(toml_text, file.string());
  toml::table root;
  try {
    root = toml::parse(toml_text, file.string());
  } catch (const toml::parse_error& error) {
    throw InputError({.what = "the file is not valid TOML",
                      .where = fmt::format("{}:{}", file.string(), error.source().begin.line),
                      .expected = {},
                      .found = std::string(error.description()),
                      .hint = {}});
  }
  const ConfigValue top{root, "", file.string()};
  top.refuse_unknown({"models"});
  std::vector<std::string> names;
  const toml::node* models = root.get("models");
  if (models == nullptr) return names;
  const EntryContext context{fs::absolute(file).parent_path(), environment};
  for (const auto& [name, value] : ConfigValue{*models, "models", top.file}.members()) {
    if (!is_plain_name(name)) {
      throw value.error("the model's name cannot be used", "letters, digits, '-', '.' and '_'",
                        shown_text(name));
    }
    auto& entries = configuration.models;
    const auto same = [&n = name](const ModelEntry& entry) { return entry.name == n; };
    auto entry = std::find_if(entries.begin(), entries.end(), same);
    const bool is_new = entry == entries.end();
    if (is_new) {
      entries.emplace_back().name = name;
      entry = entries.end() - 1;
    }
    read_model_entry(value, is_new, *entry, context);
    names.push_back(name);
  }
  return names;
}

}  // namespace

const ModelEntry* Configuration::find(std::string_view name) const {
  const auto found =
      std::find_if(models.begin(), models.end(), [&](const ModelEntry& m) { return m.name == name; });
  return found == models.end() ? nullptr : &*found;
}

std::vector<std::string> Configuration::names() const {
  std::vector<std::string> result;
  for (const ModelEntry& model : models) result.push_back(model.name);
  return result;
}

Configuration builtin_configuration() {
  Configuration configuration;
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  configuration.defaults = merge(kBuiltin, "/built-in configuration", nothing, configuration);
  return configuration;
}

Configuration parse_configuration(std::string_view toml, const fs::path& file,
                                  const Environment& environment) {
  Configuration configuration = builtin_configuration();
  std::vector<std::string> names = merge(toml, file, environment, configuration);
  if (!names.empty()) configuration.defaults = std::move(names);
  return configuration;
}

Configuration load_configuration(const fs::path& path, const Environment& environment) {
  return parse_configuration(read_file(path), path, environment);
}

}  // namespace saescope
