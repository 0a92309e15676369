#include "cli/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/environment.h"
#include "base/error.h"
#include "base/json_text.h"
#include "base/placeholders.h"
#include "cli/catalogue_text.h"
#include "cli/configuration_keys.h"
#include "cli/suggestion.h"

namespace saescope {
namespace {

constexpr const char* kCanonical = "canonical";

std::string text_of(const toml::table& row, const char* key) { return row[key].value_or(std::string()); }

std::vector<std::string> texts_of(const toml::table& row, const char* key) {
  std::vector<std::string> texts;
  if (const toml::array* array = row[key].as_array()) {
    for (const toml::node& node : *array) texts.push_back(node.value_or(std::string()));
  }
  return texts;
}

std::vector<int64_t> numbers_of(const toml::table& row, const char* key) {
  std::vector<int64_t> numbers;
  if (const toml::array* array = row[key].as_array()) {
    for (const toml::node& node : *array) numbers.push_back(node.value_or(int64_t{-1}));
  }
  return numbers;
}

/// Below the user's cache; an account without one has its SAEs in the working folder.
std::string default_sae_dir(const std::string& release) {
  const auto cache = user_cache_folder();
  const std::filesystem::path root = cache ? *cache / "saes" : std::filesystem::absolute("saes");
  return (root / release).string();
}

Release read_release(const std::string& name, const ConfigValue& value) {
  const toml::table& row = value.table();
  Release release;
  release.name = name;
  ModelEntry& entry = release.entry;
  entry.name = text_of(row, "name");
  entry.model = text_of(row, "model");
  entry.sae = text_of(row, "sae");
  entry.sae_dir = text_of(row, "sae_dir");
  if (entry.sae_dir.empty()) entry.sae_dir = default_sae_dir(name);
  entry.sae_path = text_of(row, "sae_path");
  entry.trainer = text_of(row, "trainer");
  entry.layers = numbers_of(row, "layers");
  for (const auto& [token, place] : ConfigValue{*row.get("tokens"), "tokens", value.file}.members()) {
    entry.tokens.push_back({token, place.text()});
  }
  entry.link = text_of(row, "link");
  release.format = text_of(row, "format");
  release.layers = numbers_of(row, "all_layers");
  release.trainers = texts_of(row, "trainers");
  release.l0 = text_of(row, "l0");
  release.l0s = texts_of(row, "l0s");
  if (const toml::table* table = row["l0_of"].as_table()) {
    for (const auto& [key, node] : *table) release.l0_of.emplace(key.str(), node.value_or(int64_t{0}));
  }
  release.link_l0 = text_of(row, "link_l0");
  release.link_trainers = texts_of(row, "link_trainers");
  release.note = text_of(row, "note");
  return release;
}

std::vector<Release> read_catalogue() {
  std::vector<Release> releases;
  const toml::table root = toml::parse(kCatalogueText, std::string_view("catalogue.toml"));
  const ConfigValue rows{*root.get("releases"), "releases", "catalogue.toml"};
  for (const auto& [name, value] : rows.members()) releases.push_back(read_release(name, value));
  return releases;
}

template <typename Predicate>
const Release* find_if_release(const Predicate& predicate) {
  const auto& all = catalogue();
  const auto found = std::find_if(all.begin(), all.end(), predicate);
  return found == all.end() ? nullptr : &*found;
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('/') + 1); }

bool has(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

void require_one_of(const char* what, const Release& release, const std::vector<std::string>& known,
                    const std::string& value) {
  if (has(known, value)) return;
  throw InputError({.what = fmt::format("the release {} has no such {}", release.name, what),
                    .where = {},
                    .expected = fmt::format("one of {}", fmt::join(known, ", ")),
                    .found = shown_text(value),
                    .hint = did_you_mean(value, known, {})});
}

/// Paths that follow no pattern, of all layers, as `sae_paths` holds them.
void fill_in_canonical(const Release& release, ModelEntry& entry) {
  for (const auto& [place, l0] : release.l0_of) {
    const std::size_t slash = place.find('/');
    entry.sae_paths[place] = fill_placeholders(release.entry.sae_path, {{"layer", place.substr(0, slash)},
                                                                        {"trainer", place.substr(slash + 1)},
                                                                        {"l0", std::to_string(l0)}});
  }
}

/// "9, 17, 22, 29", or "0-33" where none lacks.
std::string layers_text(const std::vector<int64_t>& layers) {
  const bool all = static_cast<int64_t>(layers.size()) == layers.back() - layers.front() + 1;
  if (all && layers.size() > 2) return fmt::format("{}-{}", layers.front(), layers.back());
  return fmt::format("{}", fmt::join(layers, ", "));
}

}  // namespace

const std::vector<Release>& catalogue() {
  static const std::vector<Release> kReleases = read_catalogue();
  return kReleases;
}

const Release* find_release(std::string_view name) {
  return find_if_release([&](const Release& release) { return release.name == name; });
}

const Release* find_release_of_entry(std::string_view entry_name) {
  return find_if_release([&](const Release& release) { return release.entry.name == entry_name; });
}

const Release* find_release_of_model(std::string_view model) {
  return find_if_release(
      [&](const Release& release) { return last_part(release.entry.model) == last_part(model); });
}

ModelEntry entry_of(const Release& release, const std::string& width, const std::string& l0) {
  ModelEntry entry = release.entry;
  if (!width.empty()) {
    require_one_of("width", release, release.trainers, width);
    entry.trainer = width;
  }
  const std::string chosen = l0.empty() ? release.l0 : l0;
  const bool canonical = chosen == kCanonical && !release.l0_of.empty();
  if (!l0.empty() && release.l0.empty()) {
    throw InputError({.what = fmt::format("the SAEs of the release {} have one l0 each", release.name),
                      .where = {},
                      .expected = "no l0",
                      .found = shown_text(l0)});
  }
  if (!release.l0s.empty()) require_one_of("l0", release, release.l0s, chosen);
  if (canonical) {
    fill_in_canonical(release, entry);
    entry.sae_path = fill_placeholders(entry.sae_path, {{"l0", kCanonical}});
  } else if (!chosen.empty()) {
    entry.sae_path = fill_placeholders(entry.sae_path, {{"l0", chosen}});
  }
  const bool other_width = !release.link_trainers.empty() && !has(release.link_trainers, entry.trainer);
  if ((!release.link_l0.empty() && chosen != release.link_l0) || other_width) entry.link.clear();
  return entry;
}

std::string catalogue_table() {
  std::size_t name_width = 4;
  std::size_t release_width = 7;
  for (const Release& release : catalogue()) {
    name_width = std::max(name_width, release.entry.name.size());
    release_width = std::max(release_width, release.name.size());
  }
  std::string text =
      fmt::format("{:<{}}  {:<{}}  {}\n", "name", name_width, "release", release_width, "SAEs");
  for (const Release& release : catalogue()) {
    text += fmt::format("{:<{}}  {:<{}}  {} on {}; layers {}; {}", release.entry.name, name_width,
                        release.name, release_width, release.format, release.entry.model,
                        layers_text(release.layers), fmt::join(release.trainers, ", "));
    if (!release.l0s.empty()) text += fmt::format("; l0 {}", fmt::join(release.l0s, ", "));
    if (!release.l0_of.empty()) text += "; l0 canonical, or a number";
    if (!release.note.empty()) text += fmt::format("; {}", release.note);
    text += '\n';
  }
  return text +
         "\n--models NAME takes a row's default. In a configuration file: [models.x] release = \"…\", and "
         "layers, width and\n"
         "l0 where they are not to be the default.\n";
}

}  // namespace saescope
