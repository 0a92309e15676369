#include "cli/model_entry_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "analysis/sources.h"
#include "base/error.h"
#include "base/json_text.h"
#include "cli/catalogue.h"
#include "cli/suggestion.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxLayer = 1'000'000;

std::string path_text(const ConfigValue& value, const EntryContext& context) {
  const std::string text = value.text();
  if (text.empty()) throw value.error("the value is empty", "a path", "\"\"");
  return at_place(value.place(),
                  [&] { return expand_path(text, context.folder, context.environment).string(); });
}

std::string expanded_text(const ConfigValue& value, const EntryContext& context) {
  const std::string text = value.text();
  return at_place(value.place(), [&] { return expand_variables(text, context.environment); });
}

/// "name" or "organisation/name", either with "@revision" behind it.
bool is_hub_id(std::string_view text) {
  if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
    if (at + 1 == text.size()) return false;
    text = text.substr(0, at);
  }
  const std::size_t slash = text.find('/');
  const auto is_part = [](std::string_view part) {
    return is_plain_name(part) && part.find_first_not_of('.') != std::string_view::npos;
  };
  if (slash == std::string_view::npos) return is_part(text);
  return is_part(text.substr(0, slash)) && is_part(text.substr(slash + 1));
}

bool is_model_path(std::string_view text, const fs::path& folder) {
  if (text.empty()) return false;
  if (std::string_view("./~").find(text.front()) != std::string_view::npos) return true;
  if (text.find("${") != std::string_view::npos) return true;
  if (is_gguf(text)) return true;
  std::error_code error;
  return fs::exists(folder / text, error);
}

void read_model(const ConfigValue& value, ModelEntry& entry, const EntryContext& context) {
  const std::string text = value.text();
  entry.model_is_path = is_model_path(text, context.folder);
  if (!entry.model_is_path && !is_hub_id(text)) {
    throw value.error("the model is neither a hub id nor a path",
                      "organisation/name, a folder in Hugging Face layout, or a .gguf file", shown_text(text),
                      "a relative path may start with ./");
  }
  entry.model = entry.model_is_path ? path_text(value, context) : text;
}

void read_sae(const ConfigValue& value, ModelEntry& entry, const EntryContext& context) {
  entry.sae = expanded_text(value, context);
  if (!entry.sae.empty() && !is_hub_id(entry.sae)) {
    throw value.error("the SAE repository is no hub id",
                      "organisation/name, or nothing where sae_dir holds everything", shown_text(entry.sae),
                      "a folder of SAEs is named by sae_dir");
  }
}

/// Every {word} of a template must be one that is filled in: a misspelt one would end up in the output.
void require_placeholders(const ConfigValue& value, std::string_view text,
                          const std::vector<std::string>& known) {
  for (std::size_t open = 0; (open = text.find('{', open)) != std::string_view::npos; ++open) {
    const std::size_t close = text.find('}', open);
    const std::string_view word =
        text.substr(open + 1, close == std::string_view::npos ? close : close - open - 1);
    if (close != std::string_view::npos && std::find(known.begin(), known.end(), word) != known.end())
      continue;
    throw value.error(
        "unknown placeholder", fmt::format("{{{}}} or {{{}}}", known[0], known[1]),
        shown_text(text.substr(open, close == std::string_view::npos ? close : close - open + 1)));
  }
}

void read_sae_path(const ConfigValue& value, ModelEntry& entry, const EntryContext& context) {
  const std::string text = expanded_text(value, context);
  require_placeholders(value, text, {"layer", "trainer", "width", "l0"});
  const fs::path path(text);
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (text.empty() || path.is_absolute() || climbs) {
    throw value.error("the path does not lie below sae_dir",
                      "a relative path such as layer_{layer}/trainer_{trainer}", shown_text(text));
  }
  entry.sae_path = text;
}

std::string trainer_word(const ConfigValue& value) {
  std::string text = value.node.is_integer() ? std::to_string(value.integer()) : value.text();
  const bool negative = value.node.is_integer() && value.integer() < 0;
  if (!negative && is_trainer_word(text)) return text;
  throw value.error("the trainer cannot be part of a source's name",
                    "a number from 0, or a word of letters, digits, '-', '.' and '_'", shown_text(text));
}

void read_trainer(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.trainer = trainer_word(value);
}

void read_sae_trainers(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.sae_trainers.clear();
  for (const toml::node& element : value.array()) {
    entry.sae_trainers.push_back(trainer_word({element, value.key, value.file}));
  }
}

/// Numbers of layers, each once, at least one.
std::vector<int64_t> layer_list(const ConfigValue& value) {
  std::vector<int64_t> layers;
  for (const toml::node& element : value.array()) {
    const ConfigValue item{element, value.key, value.file};
    const int64_t layer = item.integer();
    if (layer < 0 || layer > kMaxLayer) {
      throw item.error("the layer is out of range", fmt::format("0 … {}", kMaxLayer), std::to_string(layer));
    }
    if (std::find(layers.begin(), layers.end(), layer) != layers.end()) {
      throw item.error("the layer stands twice", "each layer once", std::to_string(layer));
    }
    layers.push_back(layer);
  }
  if (layers.empty()) throw value.error("the list is empty", "at least one layer", "[]");
  return layers;
}

void read_layers(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.layers = layer_list(value);
}

void read_sae_layers(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.sae_layers = layer_list(value);
}

TokenPlace read_token_place(const ConfigValue& value) {
  if (value.node.is_integer()) {
    const int64_t place = value.integer();
    if (place < 0) return place;
    throw value.error("the position does not count from the end",
                      "-1 for the last token, -2 for the one before it, …", std::to_string(place));
  }
  if (!value.node.is_string())
    throw value.error("the value has the wrong type", "a string or a negative number");
  std::string text = value.text();
  if (text.empty()) throw value.error("the text is empty", "a text inside the generation prompt", "\"\"");
  return text;
}

void read_tokens(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.tokens.clear();
  for (const auto& [name, place] : value.members()) {
    if (!is_plain_name(name)) {
      throw place.error("the token type's name cannot be used", "letters, digits, '-', '.' and '_'",
                        shown_text(name));
    }
    entry.tokens.push_back({name, read_token_place(place)});
  }
  if (entry.tokens.empty()) throw value.error("the table is empty", "at least one token type", "{}");
}

void read_sae_dir(const ConfigValue& value, ModelEntry& entry, const EntryContext& context) {
  entry.sae_dir = path_text(value, context);
}

void read_link(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.link = value.text();
  require_placeholders(value, entry.link, {"layer", "feature_id", "trainer"});
}

void read_links(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.links.clear();
  for (const auto& [trainer, link] : value.members()) {
    const std::string text = link.text();
    require_placeholders(link, text, {"layer", "feature_id", "trainer"});
    entry.links[trainer] = text;
  }
}

std::string description_key(const ConfigValue& value) {
  std::string text = value.text();
  require_placeholders(value, text, {"layer", "trainer"});
  const std::size_t slash = text.find('/');
  if (slash != std::string::npos && slash > 0 && slash + 1 < text.size()) return text;
  throw value.error("the value names no model id and layer id",
                    "MODEL_ID/LAYER_ID, such as \"gpt2-small/{layer}-res-jb\"", shown_text(text));
}

void read_descriptions_key(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.descriptions = description_key(value);
}

void read_pt_descriptions_key(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.pt_descriptions = description_key(value);
}

void read_template_vars(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  entry.template_vars = nlohmann::ordered_json::object();
  for (const auto& [name, variable] : value.members()) {
    if (const auto* boolean = variable.node.as_boolean()) {
      entry.template_vars[name] = boolean->get();
    } else if (variable.node.is_integer()) {
      entry.template_vars[name] = variable.integer();
    } else if (variable.node.is_string()) {
      entry.template_vars[name] = variable.text();
    } else {
      throw variable.error("the value has the wrong type", "a string, a boolean or a whole number");
    }
  }
}

void read_check_sae(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  const auto* boolean = value.node.as_boolean();
  if (boolean == nullptr) throw value.error("the value has the wrong type", "true or false");
  entry.check_sae = boolean->get();
}

void read_sae_reading(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  const std::string text = value.text();
  if (text != "authors" && text != "saelens") {
    throw value.error("there is no such reading", "authors or saelens", shown_text(text));
  }
  entry.sae_lens_reading = text == "saelens";
}

void read_sae_paths(const ConfigValue& value, ModelEntry& entry, const EntryContext&) {
  for (const auto& [place, path] : value.members()) {
    const fs::path text(path.text());
    const bool climbs = std::find(text.begin(), text.end(), "..") != text.end();
    if (text.empty() || text.is_absolute() || climbs) {
      throw path.error("the path does not lie below sae_dir", "a relative path", shown_text(text.string()));
    }
    entry.sae_paths[place] = text.string();
  }
}

/// A template's text has tags in braces; what has none is the path of a file.
void read_chat_template(const ConfigValue& value, ModelEntry& entry, const EntryContext& context) {
  const std::string text = value.text();
  if (text.empty()) throw value.error("the value is empty", "a template, or the path of a file", "\"\"");
  entry.chat_template_is_path = text.find("{{") == std::string::npos && text.find("{%") == std::string::npos;
  entry.chat_template = entry.chat_template_is_path ? path_text(value, context) : text;
}

/// The keys of an entry in the order of the documentation.
struct EntryKey {
  const char* name;
  bool required;
  void (*read)(const ConfigValue& value, ModelEntry& entry, const EntryContext& context);
};
constexpr std::array<EntryKey, 18> kEntryKeys = {{{"model", true, read_model},
                                                  {"sae", false, read_sae},
                                                  {"sae_dir", true, read_sae_dir},
                                                  {"sae_path", true, read_sae_path},
                                                  {"sae_paths", false, read_sae_paths},
                                                  {"sae_layers", false, read_sae_layers},
                                                  {"sae_trainers", false, read_sae_trainers},
                                                  {"trainer", true, read_trainer},
                                                  {"layers", true, read_layers},
                                                  {"tokens", true, read_tokens},
                                                  {"link", false, read_link},
                                                  {"links", false, read_links},
                                                  {"descriptions", false, read_descriptions_key},
                                                  {"pt_descriptions", false, read_pt_descriptions_key},
                                                  {"template_vars", false, read_template_vars},
                                                  {"chat_template", false, read_chat_template},
                                                  {"check_sae", false, read_check_sae},
                                                  {"sae_reading", false, read_sae_reading}}};

/// Keys that choose among a release's SAEs.
constexpr const char* kRelease = "release";
constexpr const char* kWidth = "width";
constexpr const char* kL0 = "l0";

std::string optional_text(const ConfigValue& value, const char* key) {
  const toml::node* node = value.table().get(key);
  if (node == nullptr) return {};
  const ConfigValue child{*node, fmt::format("{}.{}", value.key, key), value.file};
  return node->is_integer() ? std::to_string(child.integer()) : child.text();
}

/// An entry whose SAEs lie elsewhere than the row's has others.
void forget_published(const toml::table& table, ModelEntry& entry) {
  if (!table.contains("sae") && !table.contains("sae_path")) return;
  entry.sae_layers.clear();
  entry.sae_trainers.clear();
  entry.sae_paths.clear();
}

/// Starts from a row of the catalogue. @return whether the entry names one
bool read_release(const ConfigValue& value, ModelEntry& entry) {
  const std::string name = optional_text(value, kRelease);
  const std::string width = optional_text(value, kWidth);
  const std::string l0 = optional_text(value, kL0);
  if (name.empty()) {
    if (width.empty() && l0.empty()) return false;
    throw value.error("width and l0 choose among a release's SAEs", "release = …, too", "no such key",
                      "run_sae_analysis --list shows the releases");
  }
  const Release* release = find_release(name);
  if (release == nullptr) {
    std::vector<std::string> names;
    for (const Release& known : catalogue()) names.push_back(known.name);
    throw value.error("unknown release", "one that run_sae_analysis --list shows", shown_text(name),
                      did_you_mean(name, names, {}));
  }
  std::string own_name = std::move(entry.name);
  entry = at_place(value.place(), [&] { return entry_of(*release, width, l0); });
  entry.name = std::move(own_name);
  return true;
}

}  // namespace

void read_model_entry(const ConfigValue& value, bool is_new, ModelEntry& entry, const EntryContext& context) {
  std::vector<std::string> known = {kRelease, kWidth, kL0};
  for (const EntryKey& key : kEntryKeys) known.emplace_back(key.name);
  const toml::table& table = value.table();
  value.refuse_unknown(known);
  const bool from_release = read_release(value, entry);
  if (from_release) forget_published(table, entry);
  for (const EntryKey& key : kEntryKeys) {
    if (const toml::node* node = table.get(key.name)) {
      key.read({*node, fmt::format("{}.{}", value.key, key.name), value.file}, entry, context);
    } else if (key.required && is_new && !from_release) {
      throw value.error(fmt::format("the key {} is missing", key.name), fmt::format("{} = …", key.name),
                        "no such key", "run_sae_analysis --print-config shows complete entries");
    }
  }
  at_place(value.place(), [&] {
    for (const int64_t layer : entry.layers) entry.require_sae(entry.trainer, layer);
  });
  if (entry.layers.size() > 1 && entry.sae_path.find("{layer}") == std::string::npos) {
    throw value.error("sae_path has no {layer}, so several layers would share one dictionary",
                      "{layer} in sae_path, or a single layer", shown_text(entry.sae_path));
  }
}

}  // namespace saescope
