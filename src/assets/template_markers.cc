#include "assets/template_markers.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace saescope {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";
constexpr std::string_view kBrackets = "<>[]";
constexpr std::string_view kCapitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
constexpr std::string_view kWideBar = "\uFF5C";  // of DeepSeek's markers

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The name in a marker without the slash of a closing one.
std::string_view name_in(std::string_view marker) {
  marker = marker.substr(1, marker.size() - 2);
  if (marker.starts_with('/')) marker.remove_prefix(1);
  return marker;
}

/// Whether a text in brackets may be a marker: in square ones only capitals are. `<<SYS>>` is none.
bool is_marker(std::string_view text, std::size_t begin, std::size_t end) {
  const std::string_view name = name_in(text.substr(begin, end - begin));
  if (name.empty()) return false;
  if (text[begin] == '[') return name.find_first_not_of(kCapitals) == std::string_view::npos;
  const bool doubled = (begin > 0 && text[begin - 1] == '<') || (end < text.size() && text[end] == '>');
  return !doubled && name.find_first_of(kSpaces) == std::string_view::npos;
}

std::set<std::string> markers_in(std::string_view text) {
  constexpr std::size_t kLongest = 48;
  std::set<std::string> markers;
  for (std::size_t at = 0; (at = text.find_first_of("<[", at)) != std::string_view::npos; ++at) {
    const std::size_t close = text.find_first_of(kBrackets, at + 1);
    if (close == std::string_view::npos) break;
    const std::size_t end = close + 1;
    const bool pair = text[close] == (text[at] == '<' ? '>' : ']');
    if (pair && end - at <= kLongest && is_marker(text, at, end)) markers.emplace(text.substr(at, end - at));
  }
  return markers;
}

/// The closing marker of an opening one, and the other way round.
std::string partner_of(const std::string& marker) {
  std::string partner = marker;
  if (marker[1] == '/') return partner.erase(1, 1);
  return partner.insert(1, "/");
}

constexpr std::array<std::string_view, 3> kRoles = {"<|system|>", "<|user|>", "<|assistant|>"};

bool is_role(std::string_view marker) {
  return std::find(kRoles.begin(), kRoles.end(), marker) != kRoles.end();
}

/// Whether this is written for the sake of a token: names of one part, such as `<think>`, are also plain
/// text.
bool is_written_for_a_token(std::string_view marker) {
  constexpr std::array<std::string_view, 4> kEnds = {"<s>", "</s>", "<bos>", "<eos>"};
  if (marker.starts_with('[') || is_role(marker)) return false;
  return contains(marker, "|") || contains(marker, "_") || contains(marker, kWideBar) ||
         std::find(kEnds.begin(), kEnds.end(), marker) != kEnds.end();
}

bool is_meant_as_token(const std::string& marker, const Tokenizer& tokenizer) {
  const auto has_token = [&](std::string_view text) { return tokenizer.find(text).has_value(); };
  if (is_written_for_a_token(marker) || has_token(marker) || has_token(partner_of(marker))) return true;
  return is_role(marker) && std::any_of(kRoles.begin(), kRoles.end(), has_token);
}

}  // namespace

std::vector<SplitMarker> split_markers(const std::string& prompt, const Tokenizer& tokenizer) {
  std::vector<SplitMarker> split;
  for (const std::string& marker : markers_in(prompt)) {
    const std::size_t tokens = tokenizer.encode(marker).size();
    if (tokens != 1 && is_meant_as_token(marker, tokenizer)) split.push_back({marker, tokens});
  }
  return split;
}

}  // namespace saescope
