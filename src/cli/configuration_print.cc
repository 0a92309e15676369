#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>

#include "analysis/sources.h"
#include "cli/configuration.h"
#include "cli/configuration_text.h"

namespace saescope {
namespace {

/// A TOML basic string.
/// A key, quoted where it is not a bare one.
std::string toml_key(std::string_view name) {
  const bool bare = is_plain_name(name) && name.find('.') == std::string_view::npos;
  return bare ? std::string(name) : toml_string(name);
}

std::string toml_place(const TokenPlace& place) {
  if (const auto* text = std::get_if<std::string>(&place)) return toml_string(*text);
  return std::to_string(std::get<int64_t>(place));
}

std::string tokens_text(const std::vector<TokenType>& tokens) {
  std::vector<std::string> parts;
  for (const TokenType& token : tokens) {
    parts.push_back(fmt::format("{} = {}", toml_key(token.name), toml_place(token.place)));
  }
  return fmt::format("{{ {} }}", fmt::join(parts, ", "));
}

std::string variables_text(const nlohmann::ordered_json& variables) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : variables.items()) {
    const std::string text = value.is_string() ? toml_string(value.get<std::string>()) : value.dump();
    parts.push_back(fmt::format("{} = {}", toml_key(name), text));
  }
  return fmt::format("{{ {} }}", fmt::join(parts, ", "));
}

/// A number as a number, where reading it back gives the same text.
std::string trainer_text(const std::string& trainer) {
  const bool digits = trainer.find_first_not_of("0123456789") == std::string::npos;
  const bool canonical = trainer.size() == 1 || trainer.front() != '0';
  return digits && canonical && trainer.size() < 19 ? trainer : toml_string(trainer);
}

/// An inline table of texts.
std::string table_text(const std::map<std::string, std::string>& texts) {
  std::vector<std::string> items;
  for (const auto& [key, text] : texts) {
    items.push_back(fmt::format("{} = {}", toml_string(key), toml_string(text)));
  }
  return fmt::format("{{ {} }}", fmt::join(items, ", "));
}

std::string trainers_text(const std::vector<std::string>& trainers) {
  std::vector<std::string> items;
  for (const std::string& trainer : trainers) items.push_back(trainer_text(trainer));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string entry_text(const ModelEntry& entry) {
  std::string out = fmt::format("[models.{}]\n", toml_key(entry.name));
  const auto put = [&](std::string_view key, std::string_view value) {
    fmt::format_to(std::back_inserter(out), "{:<9} = {}\n", key, value);
  };
  put("model", toml_string(entry.model));
  put("sae", toml_string(entry.sae));
  put("sae_dir", toml_string(entry.sae_dir));
  put("sae_path", toml_string(entry.sae_path));
  if (!entry.sae_paths.empty()) put("sae_paths", table_text(entry.sae_paths));
  if (!entry.sae_layers.empty()) put("sae_layers", fmt::format("[{}]", fmt::join(entry.sae_layers, ", ")));
  if (!entry.sae_trainers.empty()) put("sae_trainers", trainers_text(entry.sae_trainers));
  put("trainer", trainer_text(entry.trainer));
  put("layers", fmt::format("[{}]", fmt::join(entry.layers, ", ")));
  put("tokens", tokens_text(entry.tokens));
  put("link", toml_string(entry.link));
  if (!entry.links.empty()) put("links", table_text(entry.links));
  if (!entry.descriptions.empty()) put("descriptions", toml_string(entry.descriptions));
  if (!entry.pt_descriptions.empty()) put("pt_descriptions", toml_string(entry.pt_descriptions));
  if (!entry.template_vars.empty()) put("template_vars", variables_text(entry.template_vars));
  if (!entry.check_sae) put("check_sae", "false");
  if (entry.sae_lens_reading) put("sae_reading", "\"saelens\"");
  if (!entry.chat_template.empty()) put("chat_template", toml_string(entry.chat_template));
  return out;
}

}  // namespace

std::string print_configuration(const Configuration& configuration) {
  std::string out;
  for (const ModelEntry& entry : configuration.models) {
    if (!out.empty()) out += '\n';
    out += entry_text(entry);
  }
  return out;
}

}  // namespace saescope
