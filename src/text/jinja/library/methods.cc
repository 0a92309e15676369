#include "text/jinja/library/methods.h"

#include <algorithm>
#include <array>
#include <span>

#include "text/jinja/library/named_table.h"
#include "text/jinja/library/string_methods.h"
#include "text/jinja/values/comparison.h"
#include "text/jinja/values/iteration.h"

namespace saescope::jinja {
namespace {

using Names = std::span<const std::string_view>;

bool has(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_list(const Value& value) { return value.is_sequence(SequenceKind::kList); }

Value view(Runtime& runtime, const Value& self, const Arguments& arguments, SequenceKind kind) {
  const Parameters none(runtime, "dict view", arguments, {}, 0);
  runtime.reserve_items(2 * self.dict().entries.size());
  std::vector<Value> items;
  for (const auto& [key, value] : self.dict().entries) {
    if (kind == SequenceKind::kDictKeys) {
      items.push_back(key);
    } else if (kind == SequenceKind::kDictValues) {
      items.push_back(value);
    } else {
      items.push_back(runtime.tuple({key, value}));
    }
  }
  return runtime.sequence(kind, std::move(items));
}

Value dict_items(Runtime& runtime, const Value& self, const Arguments& arguments) {
  return view(runtime, self, arguments, SequenceKind::kDictItems);
}

Value dict_keys(Runtime& runtime, const Value& self, const Arguments& arguments) {
  return view(runtime, self, arguments, SequenceKind::kDictKeys);
}

Value dict_values(Runtime& runtime, const Value& self, const Arguments& arguments) {
  return view(runtime, self, arguments, SequenceKind::kDictValues);
}

Value dict_get(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "get", arguments, {"", ""}, 1);
  if (const Value* found = self.dict().find(runtime, parameters[0])) return *found;
  return parameters.find(1) == nullptr ? Value() : parameters[1];
}

Value dict_copy(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters none(runtime, "copy", arguments, {}, 0);
  return self;
}

Value sequence_count(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "count", arguments, {""}, 1);
  const std::vector<Value>& items = self.sequence().items;
  return Value(static_cast<int64_t>(std::count_if(
      items.begin(), items.end(), [&](const Value& item) { return equal(runtime, item, parameters[0]); })));
}

Value sequence_index(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "index", arguments, {"", "", ""}, 1);
  const std::vector<Value>& items = self.sequence().items;
  const auto bound = [&](std::size_t i, std::size_t absent) {
    if (parameters.find(i) == nullptr) return absent;
    const auto size = static_cast<int64_t>(items.size());
    const int64_t at = parameters.integer(i, 0);
    return static_cast<std::size_t>(std::clamp<int64_t>(at < 0 ? std::max(at, -size) + size : at, 0, size));
  };
  const std::size_t stop = bound(2, items.size());
  for (std::size_t i = bound(1, 0); i < stop; ++i) {
    if (equal(runtime, items[i], parameters[0])) return Value(static_cast<int64_t>(i));
  }
  runtime.fail("the value is not in the " + std::string(self.type_name()));
}

constexpr auto kDictMethods = std::to_array<MethodEntry>({{"items", dict_items},
                                                          {"keys", dict_keys},
                                                          {"values", dict_values},
                                                          {"get", dict_get},
                                                          {"copy", dict_copy}});
constexpr std::array<MethodEntry, 2> kSequenceMethods = {
    {{"count", sequence_count}, {"index", sequence_index}}};

Method find_container_method(const Value& self, std::string_view name) {
  if (self.is_dict()) return find_named(kDictMethods, name);
  const bool countable = self.is_tuple() || is_list(self) || self.is_sequence(SequenceKind::kRange);
  if (!countable) return nullptr;
  if (is_list(self) && name == "copy") {
    return [](Runtime&, const Value& list, const Arguments&) { return list; };
  }
  return find_named(kSequenceMethods, name);
}

}  // namespace

Method find_method(const Value& self, std::string_view name) {
  if (!self.is_string()) return find_container_method(self, name);
  // Markup escapes what these insert
  const bool escapes = self.text().markup && (name == "format" || name == "join");
  return escapes ? nullptr : find_string_method(name);
}

bool is_mutating_method(const Value& self, std::string_view name) {
  // jinja2.sandbox._mutable_spec
  static constexpr std::array<std::string_view, 5> kDict = {"clear", "pop", "popitem", "setdefault",
                                                            "update"};
  static constexpr std::array<std::string_view, 8> kList = {"append", "clear", "pop",    "reverse",
                                                            "insert", "sort",  "extend", "remove"};
  if (self.is_dict()) return has(kDict, name);
  return is_list(self) && has(kList, name);
}

bool is_unsupported_attribute(const Value& self, std::string_view name) {
  static constexpr std::array<std::string_view, 7> kText = {
      "encode", "format_map", "isidentifier", "isnumeric", "maketrans", "translate", "istitle"};
  static constexpr std::array<std::string_view, 5> kMarkup = {"striptags", "unescape", "escape", "format",
                                                              "join"};
  static constexpr std::array<std::string_view, 12> kNumber = {
      "real",     "imag",       "numerator",        "denominator", "conjugate", "bit_length",
      "to_bytes", "from_bytes", "as_integer_ratio", "is_integer",  "hex",       "fromhex"};
  static constexpr std::array<std::string_view, 3> kRange = {"start", "stop", "step"};
  static constexpr std::array<std::string_view, 2> kView = {"mapping", "isdisjoint"};
  static constexpr std::array<std::string_view, 6> kGenerator = {
      "send", "throw", "close", "gi_running", "gi_yieldfrom", "gi_suspended"};
  if (self.is_string()) return has(kText, name) || (self.text().markup && has(kMarkup, name));
  if (self.is_dict()) return name == "fromkeys";
  if (self.is_number()) return has(kNumber, name);
  if (!self.is_sequence()) return false;
  switch (self.sequence().kind) {
    case SequenceKind::kRange:
      return has(kRange, name);
    case SequenceKind::kDictKeys:
    case SequenceKind::kDictValues:
    case SequenceKind::kDictItems:
      return has(kView, name);
    case SequenceKind::kGenerator:
      return has(kGenerator, name);
    default:
      return false;
  }
}

}  // namespace saescope::jinja
