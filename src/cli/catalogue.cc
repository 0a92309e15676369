#include "cli/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <tuple>

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

/// The paths of canonical SAEs.
void fill_in_canonical(Release& release) {
  for (const auto& [place, l0] : release.l0_of) {
    const std::size_t slash = place.find('/');
    const std::string own_place = TrainerParts{place, kCanonical}.joined();  // LAYER/WIDTH_l0_canonical
    release.entry.sae_paths[own_place] = fill_placeholders(
        release.entry.sae_path,
        {{"layer", place.substr(0, slash)}, {"width", place.substr(slash + 1)}, {"l0", std::to_string(l0)}});
  }
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
  if (const toml::table* table = row["links"].as_table()) {
    for (const auto& [trainer, link] : *table)
      entry.links.emplace(trainer.str(), link.value_or(std::string()));
  }
  entry.sae_layers = numbers_of(row, "sae_layers");
  entry.sae_trainers = texts_of(row, "sae_trainers");
  release.format = text_of(row, "format");
  release.widths = texts_of(row, "widths");
  release.l0s = texts_of(row, "l0s");
  if (const toml::table* table = row["l0_of"].as_table()) {
    for (const auto& [key, node] : *table) release.l0_of.emplace(key.str(), node.value_or(int64_t{0}));
  }
  release.note = text_of(row, "note");
  fill_in_canonical(release);
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
                    .expected = known.empty() ? fmt::format("no {}", what)
                                              : fmt::format("one of {}", fmt::join(known, ", ")),
                    .found = shown_text(value),
                    .hint = did_you_mean(value, known, {})});
}

void require_canonical_or_number(const Release& release, const std::string& l0) {
  const bool digits = l0.find_first_not_of("0123456789") == std::string::npos;
  if (digits || l0 == kCanonical) return;
  throw InputError({.what = fmt::format("the release {} has no such l0", release.name),
                    .where = {},
                    .expected = "canonical, or the number of one of the repository's SAEs",
                    .found = shown_text(l0)});
}

/// "16k, 65k with l0 small, medium".
std::string trainers_text(const Release& release) {
  if (release.widths.empty()) return fmt::format("{}", fmt::join(release.entry.sae_trainers, ", "));
  std::string text = fmt::format("{}", fmt::join(release.widths, ", "));
  if (!release.l0s.empty()) text += fmt::format(" with l0 {}", fmt::join(release.l0s, ", "));
  if (!release.l0_of.empty()) text += " with l0 canonical or a number";
  return text;
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
  if (!width.empty()) require_one_of("width", release, release.widths, width);
  if (!l0.empty() && !release.has_l0()) {
    throw InputError({.what = fmt::format("the SAEs of the release {} have one l0 each", release.name),
                      .where = {},
                      .expected = "no l0",
                      .found = shown_text(l0)});
  }
  if (!l0.empty() && !release.l0s.empty()) require_one_of("l0", release, release.l0s, l0);
  if (!l0.empty() && release.l0s.empty()) require_canonical_or_number(release, l0);
  if (!release.has_l0()) {
    if (!width.empty()) entry.trainer = width;
    return entry;
  }
  TrainerParts parts = parts_of_trainer(entry.trainer).value();
  if (!width.empty()) parts.width = width;
  if (!l0.empty()) parts.l0 = l0;
  entry.trainer = parts.joined();
  return entry;
}

std::string catalogue_json() {
  std::string text;
  for (const Release& release : catalogue()) {
    const ModelEntry& entry = release.entry;
    const nlohmann::ordered_json row = {{"name", entry.name},
                                        {"release", release.name},
                                        {"model", entry.model},
                                        {"sae", entry.sae},
                                        {"format", release.format},
                                        {"layers", entry.sae_layers},
                                        {"trainers", entry.sae_trainers},
                                        {"widths", release.widths},
                                        {"l0s", release.l0s},
                                        {"default_layers", entry.layers},
                                        {"default_trainer", entry.trainer},
                                        {"note", release.note}};
    text += row.dump() + "\n";
  }
  return text;
}

std::vector<CatalogueRow> catalogue_rows() {
  std::vector<CatalogueRow> rows;
  for (const Release& release : catalogue()) {
    const ModelEntry& entry = release.entry;
    rows.push_back({entry.name, release.name, entry.model, release.format, layers_text(entry.sae_layers),
                    trainers_text(release)});
  }
  return rows;
}

std::string catalogue_table() {
  std::vector<CatalogueRow> rows = catalogue_rows();
  rows.insert(rows.begin(), {"name", "release", "model", "format", "layers", "trainers"});
  std::array<std::size_t, std::tuple_size_v<CatalogueRow>> widths = {};
  for (const CatalogueRow& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const CatalogueRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  std::string notes;
  for (const Release& release : catalogue()) {
    if (!release.note.empty()) notes += fmt::format("{}: {}\n", release.entry.name, release.note);
  }
  return text + '\n' + notes +
         "\n--models NAME takes a row's default. In a configuration file: [models.x] release = \"…\", and "
         "layers, width and\nl0 where they are not to be the default.\n";
}

}  // namespace saescope
