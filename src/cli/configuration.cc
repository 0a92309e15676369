#include "cli/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "analysis/sources.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/catalogue.h"
#include "cli/configuration_keys.h"
#include "cli/configuration_text.h"
#include "cli/model_entry_reader.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// Entries that are there without a file of configuration, and are run where none is chosen.
constexpr std::array<const char*, 2> kBuiltin = {"llama", "qwen"};

}  // namespace

std::vector<std::string> add_entries(std::string_view toml_text, const fs::path& file,
                                     Configuration& configuration, const Environment& environment) {
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
  for (const char* name : kBuiltin) {
    ModelEntry entry = entry_of(*find_release_of_entry(name), {}, {});
    // Any layer and trainer may be asked for, also of folders that hold more than what was published.
    entry.sae_layers.clear();
    entry.sae_trainers.clear();
    configuration.models.push_back(std::move(entry));
    configuration.defaults.emplace_back(name);
  }
  return configuration;
}

void add_from_catalogue(const std::vector<std::string>& names, Configuration& configuration) {
  for (const std::string& name : names) {
    const Release* const release = find_release_of_entry(name);
    if (release != nullptr && configuration.find(name) == nullptr) {
      configuration.models.push_back(entry_of(*release, {}, {}));
    }
  }
}

Configuration parse_configuration(std::string_view toml, const fs::path& file,
                                  const Environment& environment) {
  Configuration configuration = builtin_configuration();
  std::vector<std::string> names = add_entries(toml, file, configuration, environment);
  if (!names.empty()) configuration.defaults = std::move(names);
  return configuration;
}

Configuration load_configuration(const fs::path& path, const Environment& environment) {
  return parse_configuration(read_file(path), path, environment);
}

}  // namespace saescope
