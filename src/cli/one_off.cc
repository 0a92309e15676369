#include "cli/one_off.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "analysis/sources.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/catalogue.h"
#include "cli/configuration_text.h"
#include "cli/option_values.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// A name for a model's entry: the last part of its path or id.
std::string name_of(const std::string& model) {
  std::string name = model.substr(0, model.find('@'));
  while (name.ends_with('/')) name.pop_back();
  name = name.substr(name.rfind('/') + 1);
  if (name.ends_with(".gguf")) name.resize(name.size() - std::string_view(".gguf").size());
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_plain_name(std::string(1, c)); }, '-');
  return name.empty() ? "model" : name;
}

/// Where an SAE is taken from, as keys of an entry.
struct SaeKeys {
  std::string repository;
  std::string folder;  ///< sae_dir
  std::string path;    ///< sae_path
};

/// A path starts as one, or leads to something; {placeholders} stand for what is not there yet.
bool is_path(const std::string& text) {
  if (std::string_view("./~").find(text.front()) != std::string_view::npos) return true;
  std::error_code error;
  return fs::exists(text.substr(0, text.find('{')), error) && text.find('{') != 0;
}

SaeKeys split_path(const std::string& text) {
  fs::path path = fs::absolute(expand_home(text)).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  // Of placeholders the first folder that has one begins sae_path.
  fs::path folder = path.parent_path();
  const std::size_t brace = path.string().find('{');
  if (brace != std::string::npos) folder = fs::path(path.string().substr(0, brace)).parent_path();
  return {"", folder.string(), path.lexically_relative(folder).string()};
}

/// "org/name/path", "org/name@revision/path".
SaeKeys split_repository(const std::string& text) {
  const std::size_t first = text.find('/');
  const std::size_t second = first == std::string::npos ? first : text.find('/', first + 1);
  if (first == std::string::npos || first == 0 || first + 1 == text.size()) {
    throw InputError({.what = "the SAE is neither there nor the name of a repository",
                      .where = "--sae",
                      .expected = "a folder or file, or org/name/path of a repository on the hub",
                      .found = shown_text(text)});
  }
  std::string repository = text.substr(0, second);
  std::string path = second == std::string::npos ? "." : text.substr(second + 1);
  while (path.ends_with('/')) path.pop_back();
  std::string folder = repository;
  std::replace(folder.begin(), folder.end(), '/', '-');
  const auto cache = user_cache_folder();
  const fs::path root = cache ? *cache / "saes" : fs::absolute("saes");
  return {std::move(repository), (root / folder).string(), path.empty() ? "." : std::move(path)};
}

std::string sae_keys(const Options& options) {
  const SaeKeys keys = is_path(options.sae) ? split_path(options.sae) : split_repository(options.sae);
  return fmt::format("sae = {}\nsae_dir = {}\nsae_path = {}\nlink = \"\"\n", toml_string(keys.repository),
                     toml_string(keys.folder), toml_string(keys.path));
}

/// The entry that the flags change.
ModelEntry base_entry(const Options& options, const Configuration& configuration) {
  const auto fail = [](std::string what, std::string expected) {
    return InputError({.what = std::move(what), .where = "command line", .expected = std::move(expected)});
  };
  if (options.models.size() > 1) throw fail("--model and --sae change one model", "one name in --models");
  if (options.models.size() == 1) {
    const ModelEntry* const named = configuration.find(options.models.front());
    return named == nullptr ? ModelEntry() : *named;  // an unknown name is refused where models are chosen
  }
  if (options.model.empty()) {
    throw fail("--sae does not say of which model", "--model PATH_OR_REPO, or --models with a model's name");
  }
  ModelEntry entry;
  if (const Release* const release = find_release_of_model(options.model)) {
    entry = entry_of(*release, {}, {});
  } else {
    entry.tokens = {{"last", int64_t{-1}}};
  }
  entry.name = name_of(options.model);
  return entry;
}

}  // namespace

void add_one_off(const Options& options, Configuration& configuration) {
  if (options.model.empty() && options.sae.empty()) return;
  ModelEntry entry = base_entry(options, configuration);
  if (entry.name.empty()) return;
  if (options.analysis && options.sae.empty() && entry.sae_path.empty()) {
    throw InputError({.what = "nothing says which SAE is run on the model",
                      .where = "--model",
                      .expected = "--sae PATH_OR_REPO as well",
                      .found = shown_text(options.model)});
  }
  std::string keys = fmt::format("[models.{}]\n", toml_string(entry.name));
  if (!options.model.empty()) keys += fmt::format("model = {}\n", toml_string(options.model));
  if (!options.sae.empty()) {
    if (options.layers.empty()) {
      throw InputError({.what = "nothing says which layer the SAE belongs to",
                        .where = "--sae",
                        .expected = "--layers N, the block behind which it reads the residual stream"});
    }
    keys += sae_keys(options) + fmt::format("layers = [{}]\n", fmt::join(options.layers, ", "));
    entry.sae_paths.clear();
    entry.trainer = options.trainer.value_or("0");
  }
  std::erase_if(configuration.models, [&](const ModelEntry& known) { return known.name == entry.name; });
  configuration.models.push_back(std::move(entry));
  std::vector<std::string> names = add_entries(keys, fs::absolute("the command line"), configuration);
  if (options.models.empty()) configuration.defaults = std::move(names);
}

}  // namespace saescope
