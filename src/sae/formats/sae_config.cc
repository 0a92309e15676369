#include "sae/formats/sae_config.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/atomic_file.h"
#include "formats/json_document.h"

namespace saescope {
namespace {

/// The number at the start of a text, which is taken off.
std::optional<int64_t> take_number(std::string_view& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

}  // namespace

SaeConfig::SaeConfig(nlohmann::json object, std::string path)
    : object_(std::move(object)), path_(std::move(path)) {
  if (object_.is_object()) return;
  throw InputError({.what = "not the configuration of an SAE",
                    .where = path_,
                    .expected = "a JSON object",
                    .found = object_.type_name()});
}

SaeConfig SaeConfig::read(const std::string& path) { return {parse_json(read_file(path), path), path}; }

const nlohmann::json* SaeConfig::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

std::string SaeConfig::text(const char* key, const std::string& fallback) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) throw bad(key, "a text", value->dump());
  return value->get<std::string>();
}

bool SaeConfig::flag(const char* key, bool fallback) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) throw bad(key, "true or false", value->dump());
  return value->get<bool>();
}

std::optional<int64_t> SaeConfig::integer(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer()) throw bad(key, "an integer", value->dump());
  return value->get<int64_t>();
}

std::optional<double> SaeConfig::number(const char* key) const {
  const nlohmann::json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) throw bad(key, "a number", value->dump());
  return value->get<double>();
}

SaeConfig SaeConfig::child(const char* key) const {
  const nlohmann::json* value = find(key);
  return {value == nullptr ? nlohmann::json::object() : *value, path_};
}

void SaeConfig::check_extent(const char* key, uint64_t from_weights) const {
  const auto value = integer(key);
  if (!value || (*value >= 0 && static_cast<uint64_t>(*value) == from_weights)) return;
  throw InputError({.what = fmt::format("the SAE's configuration and its weights disagree about {}", key),
                    .where = path_,
                    .expected = fmt::format("{}, as the weights have it", from_weights),
                    .found = fmt::format("{}", *value),
                    .hint = "download both files of this SAE again"});
}

InputError SaeConfig::bad(const char* key, std::string expected, std::string found) const {
  return InputError({.what = fmt::format("unusable value of `{}`", key),
                     .where = path_,
                     .expected = std::move(expected),
                     .found = std::move(found)});
}

InputError SaeConfig::refused(std::string what, std::string expected, std::string found) const {
  return InputError(
      {.what = std::move(what), .where = path_, .expected = std::move(expected), .found = std::move(found)});
}

std::optional<int64_t> residual_layer(const std::string& hook, const SaeConfig& config) {
  if (hook.empty()) return std::nullopt;
  std::string_view rest = hook;
  for (const std::string_view prefix : {"blocks.", "model.layers.", "layers."}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    const auto layer = take_number(rest);
    if (!layer) break;
    const bool transformer_lens = prefix == "blocks.";
    if (transformer_lens ? rest == ".hook_resid_post" : rest.empty() || rest == ".output") return *layer;
    if (transformer_lens && rest == ".hook_resid_pre" && *layer > 0) return *layer - 1;
    break;
  }
  throw config.refused("this SAE was not trained on the residual stream behind a block",
                       "a hook such as blocks.12.hook_resid_post or model.layers.12.output", hook);
}

std::optional<int64_t> number_behind(std::string_view word, std::string_view path) {
  for (std::size_t at = path.rfind(word); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : path.rfind(word, at - 1)) {
    std::string_view rest = path.substr(at + word.size());
    if (const auto number = take_number(rest)) return number;
  }
  return std::nullopt;
}

}  // namespace saescope
