#include "cli/configuration_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "cli/suggestion.h"

namespace saescope {

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

std::string ConfigValue::place() const {
  const auto line = node.source().begin.line;
  return line == 0 ? fmt::format("{}: {}", file, key) : fmt::format("{}:{}: {}", file, line, key);
}

InputError ConfigValue::error(std::string what, std::string expected, std::string found,
                              std::string hint) const {
  return InputError({.what = std::move(what),
                     .where = place(),
                     .expected = std::move(expected),
                     .found = found.empty() ? std::string(type_name(node)) : std::move(found),
                     .hint = std::move(hint)});
}

std::string ConfigValue::text() const {
  const auto* value = node.as_string();
  if (value == nullptr) throw error("the value has the wrong type", "a string");
  if (value->get().find('\0') != std::string::npos) {
    throw error("the text holds a NUL", "no NUL: it would end a path", shown_text(value->get()));
  }
  return value->get();
}

int64_t ConfigValue::integer() const {
  if (const auto* value = node.as_integer()) return value->get();
  throw error("the value has the wrong type", "a whole number");
}

const toml::table& ConfigValue::table() const {
  if (const auto* value = node.as_table()) return *value;
  throw error("the value has the wrong type", "a table");
}

const toml::array& ConfigValue::array() const {
  if (const auto* value = node.as_array()) return *value;
  throw error("the value has the wrong type", "a list");
}

std::vector<std::pair<std::string, ConfigValue>> ConfigValue::members() const {
  struct Member {
    toml::source_position position;
    std::string name;
    const toml::node* node;
  };
  std::vector<Member> found;
  for (const auto& [name, value] : table()) {
    found.push_back({name.source().begin, std::string(name.str()), &value});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Member& a, const Member& b) { return a.position < b.position; });
  std::vector<std::pair<std::string, ConfigValue>> result;
  result.reserve(found.size());
  for (Member& member : found) {
    std::string full = key.empty() ? member.name : fmt::format("{}.{}", key, member.name);
    result.emplace_back(std::move(member.name), ConfigValue{*member.node, std::move(full), file});
  }
  return result;
}

void ConfigValue::refuse_unknown(const std::vector<std::string>& known) const {
  for (const auto& [name, value] : members()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw value.error("unknown key", fmt::format("one of {}", fmt::join(known, ", ")), shown_text(name),
                      did_you_mean(name, known, {}));
  }
}

}  // namespace saescope
