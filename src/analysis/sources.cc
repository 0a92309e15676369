#include "analysis/sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"

namespace saescope {
namespace {

constexpr std::string_view kTrainer = "_trainer";
constexpr std::string_view kLayer = "_layer";

/// Locale-independent, unlike std::isalnum: names must mean the same on every machine.
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

/// A layer number in its only spelling: no sign, no leading zero. Another spelling would come out
/// of name() changed and no longer match the row it was read from.
std::optional<int64_t> parse_layer(std::string_view text) {
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (text.empty() || !digits || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  int64_t layer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layer);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return layer;
}

InputError malformed(std::string what, std::string_view name) {
  return InputError({.what = std::move(what),
                     .where = {},
                     .expected = "{model}_trainer{trainer}_layer{layer}, such as llama_trainer1_layer15",
                     .found = fmt::format("\"{}\"", name),
                     .hint = {}});
}

}  // namespace

std::string Source::name() const {
  return fmt::format("{}{}{}{}{}", model, kTrainer, trainer, kLayer, layer);
}

Source Source::parse(std::string_view name) {
  const std::size_t layer_at = name.rfind(kLayer);
  if (layer_at == std::string_view::npos) throw malformed("the source names no layer", name);
  const std::optional<int64_t> layer = parse_layer(name.substr(layer_at + kLayer.size()));
  if (!layer) throw malformed("the source's layer is not a number", name);

  const std::string_view head = name.substr(0, layer_at);
  const std::size_t trainer_at = head.rfind(kTrainer);
  if (trainer_at == std::string_view::npos) throw malformed("the source names no trainer", name);
  const std::string_view trainer = head.substr(trainer_at + kTrainer.size());
  if (!is_trainer_word(trainer)) throw malformed("the source's trainer is not a word", name);
  if (trainer_at == 0) throw malformed("the source names no model", name);
  return {std::string(head.substr(0, trainer_at)), std::string(trainer), *layer};
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_trainer_word(std::string_view text) {
  return is_plain_name(text) && text.find_first_not_of('.') != std::string_view::npos &&
         text.find(kTrainer) == std::string_view::npos;
}

}  // namespace saescope
