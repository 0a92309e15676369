#include "text/jinja/library/sequence_filters.h"

#include <algorithm>
#include <array>

#include "text/jinja/library/access.h"
#include "text/jinja/library/attribute_path.h"
#include "text/jinja/library/filters.h"
#include "text/jinja/values/comparison.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/operators.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/text_operations.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

using Keyed = std::pair<Value, Value>;  // sort key, item

void sort_by_key(Runtime& runtime, std::vector<Keyed>& items, bool reverse) {
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    return reverse ? less(runtime, b.first, a.first) : less(runtime, a.first, b.first);
  });
}

std::vector<Value> items_of(std::vector<Keyed> keyed) {
  std::vector<Value> items;
  items.reserve(keyed.size());
  for (Keyed& entry : keyed) items.push_back(std::move(entry.second));
  return items;
}

Value case_key(Runtime& runtime, const Value& key, bool case_sensitive) {
  return case_sensitive ? key : ignore_case(runtime, key);
}

Value length_filter(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "length", arguments, {""}, 1);
  const auto size = length(runtime, parameters[0]);
  if (!size) {
    runtime.fail("object of type '" + std::string(parameters[0].type_name()) + "' has no len()");
  }
  return Value(*size);
}

Value fallback(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "default", arguments, {"value", "default_value", "boolean"}, 1);
  const Value& value = parameters[0];
  const bool absent = value.is_undefined() || (parameters.truth(2, false) && !value.truth());
  if (!absent) return value;
  return parameters.find(1) == nullptr ? runtime.text({}) : parameters[1];
}

Value first(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "first", arguments, {"seq"}, 1);
  const Value& value = parameters[0];
  if (value.is_string()) {
    if (value.bytes().empty()) return Value::undefined("No first item, sequence was empty.");
    return get_item(runtime, value, Value(int64_t{0}));
  }
  if (value.is_sequence(SequenceKind::kGenerator)) {
    const Sequence& generator = value.sequence();
    if (generator.consumed < generator.items.size()) return generator.items[generator.consumed++];
    return Value::undefined("No first item, sequence was empty.");
  }
  const std::vector<Value> items = iterate(runtime, value);
  return items.empty() ? Value::undefined("No first item, sequence was empty.") : items.front();
}

Value last(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "last", arguments, {"seq"}, 1);
  const Value& value = parameters[0];
  if (value.is_sequence(SequenceKind::kGenerator)) {
    runtime.fail("'generator' object is not reversible");
  }
  if (value.is_string() && !value.bytes().empty()) {
    return get_item(runtime, value, Value(int64_t{-1}));
  }
  const std::vector<Value> items = iterate(runtime, value);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

Value list(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "list", arguments, {"value"}, 1);
  return runtime.list(iterate(runtime, parameters[0]));
}

Value join(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "join", arguments, {"value", "d", "attribute"}, 1);
  const std::string separator =
      parameters.find(1) == nullptr ? std::string() : to_text(runtime, parameters[1]);
  const AttributePath path(runtime, parameters.find(2));
  std::string out;
  bool is_first = true;
  for (const Value& item : iterate(runtime, parameters[0])) {
    if (!is_first) out += separator;
    is_first = false;
    const std::string text = to_text(runtime, path.resolve(runtime, item));
    out += text;
    runtime.spend_bytes(separator.size() + text.size());
    if (out.size() > kMaxTextBytes) runtime.reserve_text(out.size());
  }
  return runtime.text(std::move(out));
}

Value items(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "items", arguments, {"value"}, 1);
  std::vector<Value> pairs;
  if (!parameters[0].is_undefined()) {
    if (!parameters[0].is_dict()) runtime.fail("can only get item pairs from a mapping");
    for (const auto& [key, value] : parameters[0].dict().entries) {
      pairs.push_back(runtime.tuple({key, value}));
    }
  }
  return runtime.sequence(SequenceKind::kGenerator, std::move(pairs));
}

Value dict_sort(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "dictsort", arguments, {"value", "case_sensitive", "by", "reverse"},
                              1);
  const std::string by = parameters.find(2) == nullptr ? "key" : parameters.string(2).bytes;
  if (by != "key" && by != "value") runtime.fail("dictsort(): sort by either \"key\" or \"value\"");
  if (!parameters[0].is_dict()) {
    runtime.fail("dictsort() needs a dict, not " + std::string(parameters[0].type_name()));
  }
  const bool case_sensitive = parameters.truth(1, false);
  std::vector<Keyed> keyed;
  for (const auto& [key, value] : parameters[0].dict().entries) {
    keyed.emplace_back(case_key(runtime, by == "key" ? key : value, case_sensitive),
                       runtime.tuple({key, value}));
  }
  sort_by_key(runtime, keyed, parameters.integer(3, 0) != 0);
  return runtime.list(items_of(std::move(keyed)));
}

// Sorts by one attribute or by several that commas separate.
Value sort(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "sort", arguments, {"value", "reverse", "case_sensitive", "attribute"},
                              1);
  const bool case_sensitive = parameters.truth(2, false);
  std::vector<AttributePath> paths;
  if (parameters.find(3) != nullptr && parameters[3].is_string()) {
    for (const std::string_view part : split_at(runtime, parameters[3].bytes(), ",", -1)) {
      const Value attribute = runtime.text(std::string(part));
      paths.emplace_back(runtime, &attribute);
    }
  } else {
    paths.emplace_back(runtime, parameters.find(3));
  }
  std::vector<Keyed> keyed;
  for (const Value& item : iterate(runtime, parameters[0])) {
    std::vector<Value> key;
    for (const AttributePath& path : paths) {
      key.push_back(case_key(runtime, path.resolve(runtime, item), case_sensitive));
    }
    keyed.emplace_back(runtime.list(std::move(key)), item);
  }
  sort_by_key(runtime, keyed, parameters.integer(1, 0) != 0);
  return runtime.list(items_of(std::move(keyed)));
}

Value unique(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "unique", arguments, {"value", "case_sensitive", "attribute"}, 1);
  const AttributePath path(runtime, parameters.find(2));
  Dict seen;
  std::vector<Value> kept;
  for (const Value& item : iterate(runtime, parameters[0])) {
    const Value key = case_key(runtime, path.resolve(runtime, item), parameters.truth(1, false));
    if (seen.find(runtime, key) != nullptr) continue;
    seen.set(runtime, key, Value());
    kept.push_back(item);
  }
  return runtime.sequence(SequenceKind::kGenerator, std::move(kept));
}

template <bool greatest>
Value extreme(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, greatest ? "max" : "min", arguments,
                              {"value", "case_sensitive", "attribute"}, 1);
  const AttributePath path(runtime, parameters.find(2));
  std::optional<Keyed> best;
  for (const Value& item : iterate(runtime, parameters[0])) {
    Value key = case_key(runtime, path.resolve(runtime, item), parameters.truth(1, false));
    const bool better =
        !best || (greatest ? less(runtime, best->first, key) : less(runtime, key, best->first));
    if (better) best.emplace(std::move(key), item);
  }
  return best ? best->second : Value::undefined("No aggregated item, sequence was empty.");
}

Value sum(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "sum", arguments, {"iterable", "attribute", "start"}, 1);
  const AttributePath path(runtime, parameters.find(1));
  Value total = parameters.find(2) == nullptr ? Value(int64_t{0}) : parameters[2];
  if (total.is_string()) runtime.fail("sum() can't sum strings");
  for (const Value& item : iterate(runtime, parameters[0])) {
    total = binary(runtime, BinaryOp::kAdd, total, path.resolve(runtime, item));
  }
  return total;
}

Value reverse(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "reverse", arguments, {"value"}, 1);
  const Value& value = parameters[0];
  if (value.is_string()) {
    return slice(runtime, value, Value(), Value(), Value(int64_t{-1}));
  }
  std::vector<Value> reversed = iterate(runtime, value);
  std::reverse(reversed.begin(), reversed.end());
  // Python's reversed() is an iterator; what it cannot reverse becomes a list
  const bool is_generator = value.is_sequence(SequenceKind::kGenerator);
  return runtime.sequence(is_generator ? SequenceKind::kList : SequenceKind::kGenerator, std::move(reversed));
}

Value batch(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "batch", arguments, {"value", "linecount", "fill_with"}, 2);
  const int64_t size = parameters.integer(1, 0);
  if (size < 1) runtime.fail("batch() needs a positive number");
  const bool fills = parameters.find(2) != nullptr && !parameters[2].is_none();
  std::vector<Value> rows;
  std::vector<Value> row;
  for (Value& item : iterate(runtime, parameters[0])) {
    if (static_cast<int64_t>(row.size()) == size) rows.push_back(runtime.list(std::exchange(row, {})));
    row.push_back(std::move(item));
  }
  if (!row.empty()) {
    if (fills) {
      runtime.reserve_items(static_cast<uint64_t>(size));
      row.resize(static_cast<std::size_t>(size), parameters[2]);
    }
    rows.push_back(runtime.list(std::move(row)));
  }
  return runtime.sequence(SequenceKind::kGenerator, std::move(rows));
}

Value slice_filter(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "slice", arguments, {"value", "slices", "fill_with"}, 2);
  const int64_t slices = parameters.integer(1, 0);
  if (slices < 1) runtime.fail("slice() needs a positive number");
  const bool fills = parameters.find(2) != nullptr && !parameters[2].is_none();
  const std::vector<Value> all = iterate(runtime, parameters[0]);
  const auto count = static_cast<int64_t>(all.size());
  auto next = all.begin();
  std::vector<Value> rows;
  for (int64_t i = 0; i < slices; ++i) {
    const bool longer = i < count % slices;
    const auto end = next + count / slices + (longer ? 1 : 0);
    std::vector<Value> row(next, end);
    if (fills && !longer) row.push_back(parameters[2]);
    rows.push_back(runtime.list(std::move(row)));
    next = end;
  }
  return runtime.sequence(SequenceKind::kGenerator, std::move(rows));
}

Value group_by(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "groupby", arguments,
                              {"value", "attribute", "default", "case_sensitive"}, 2);
  const AttributePath path(runtime, parameters.find(1));
  const auto key_of = [&](const Value& item) { return path.resolve(runtime, item, parameters.find(2)); };
  std::vector<Keyed> keyed;
  for (const Value& item : iterate(runtime, parameters[0])) {
    keyed.emplace_back(case_key(runtime, key_of(item), parameters.truth(3, false)), item);
  }
  sort_by_key(runtime, keyed, false);
  std::vector<Value> groups;
  for (std::size_t i = 0; i < keyed.size();) {
    std::vector<Value> members;
    const std::size_t begin = i;
    while (i < keyed.size() && equal(runtime, keyed[i].first, keyed[begin].first)) {
      members.push_back(keyed[i++].second);
    }
    if (i == begin) members.push_back(keyed[i++].second);  // NaN equals nothing, not even itself
    groups.push_back(runtime.sequence(SequenceKind::kGroup,
                                      {key_of(keyed[begin].second), runtime.list(std::move(members))}));
  }
  return runtime.list(std::move(groups));
}

Value attr(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "attr", arguments, {"obj", "name"}, 2);
  const std::string& name = parameters.string(1).bytes;
  if (parameters[0].is_undefined()) runtime.fail(parameters[0].undefined_message());
  if (auto found = python_attribute(runtime, parameters[0], name)) return *std::move(found);
  runtime.spend_bytes(8 * name.size());
  return Value::undefined("'" + std::string(parameters[0].type_name()) + " object' has no attribute " +
                          repr_text(name));
}

constexpr auto kSequenceFilters = std::to_array<FilterEntry>({
    {"attr", attr},       {"batch", batch},        {"count", length_filter},
    {"d", fallback},      {"default", fallback},   {"dictsort", dict_sort},
    {"first", first},     {"groupby", group_by},   {"items", items},
    {"join", join},       {"last", last},          {"length", length_filter},
    {"list", list},       {"max", extreme<true>},  {"min", extreme<false>},
    {"reverse", reverse}, {"slice", slice_filter}, {"sort", sort},
    {"sum", sum},         {"unique", unique},
});

}  // namespace

std::span<const FilterEntry> sequence_filters() { return kSequenceFilters; }

}  // namespace saescope::jinja
