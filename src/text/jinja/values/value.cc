#include "text/jinja/values/value.h"

#include <cmath>
#include <functional>

#include "text/jinja/values/comparison.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/runtime.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {

Value Value::undefined(std::string message) {
  Value value;
  value.data_ = std::make_shared<const UndefinedInfo>(UndefinedInfo{std::move(message)});
  return value;
}

Value Value::constant(std::string bytes) {
  const std::size_t code_points = count_code_points(bytes);
  return Value(std::make_shared<const Text>(Text{std::move(bytes), code_points, false}));
}

bool Value::is_sequence(SequenceKind kind) const { return is_sequence() && sequence().kind == kind; }

bool Value::is_tuple() const {
  return is_sequence(SequenceKind::kTuple) || is_sequence(SequenceKind::kGroup);
}

double Value::number() const {
  return is_float() ? std::get<double>(data_) : static_cast<double>(integral());
}

uint32_t Value::depth() const {
  if (is_sequence()) return sequence().depth;
  if (is_dict()) return dict().depth;
  return 0;
}

std::string_view Value::type_name() const {
  if (is_none()) return "NoneType";
  if (is_undefined()) return "Undefined";
  if (is_bool()) return "bool";
  if (is_int()) return "int";
  if (is_float()) return "float";
  if (is_string()) return text().markup ? "Markup" : "str";
  if (is_dict()) return "dict";
  if (is_object()) return object()->type_name();
  switch (sequence().kind) {
    case SequenceKind::kList:
      return "list";
    case SequenceKind::kTuple:
    case SequenceKind::kGroup:
      return "tuple";
    case SequenceKind::kRange:
      return "range";
    case SequenceKind::kDictKeys:
      return "dict_keys";
    case SequenceKind::kDictValues:
      return "dict_values";
    case SequenceKind::kDictItems:
      return "dict_items";
    case SequenceKind::kGenerator:
      break;
  }
  return "generator";
}

bool Value::truth() const {
  if (is_none() || is_undefined()) return false;
  if (is_float()) return number() != 0;
  if (is_integral()) return integral() != 0;
  if (is_string()) return !bytes().empty();
  if (is_dict()) return !dict().entries.empty();
  if (is_sequence()) return sequence().kind == SequenceKind::kGenerator || !sequence().items.empty();
  return true;
}

bool Value::same_as(const Value& other) const {
  if (is_undefined()) return other.is_undefined();
  return data_ == other.data_;
}

bool is_hashable(const Value& value) {
  if (value.is_dict()) return false;
  if (!value.is_sequence()) return true;
  const SequenceKind kind = value.sequence().kind;
  return kind != SequenceKind::kList && kind != SequenceKind::kDictKeys && kind != SequenceKind::kDictItems;
}

uint64_t hash_value(Runtime& runtime, const Value& value) {
  runtime.spend(1);
  if (!is_hashable(value)) runtime.fail("unhashable type: '" + std::string(value.type_name()) + "'");
  if (value.is_string()) {
    runtime.spend_bytes(value.bytes().size());
    return std::hash<std::string>{}(value.bytes());
  }
  // integers, floats and booleans that are equal must meet
  if (value.is_number()) return std::hash<double>{}(value.number());
  if (value.is_object()) return std::hash<Object*>{}(value.object());
  if (!value.is_sequence()) return value.is_none() ? 1 : 2;
  if (!value.is_tuple()) return std::hash<const Sequence*>{}(&value.sequence());
  uint64_t hash = 0x9e3779b97f4a7c15u;
  for (const Value& item : value.sequence().items) {
    hash = (hash ^ hash_value(runtime, item)) * 0x100000001b3u;
  }
  return hash;
}

std::optional<std::size_t> Dict::position(Runtime& runtime, uint64_t hash, const Value& key) const {
  const auto [first, last] = index_.equal_range(hash);
  for (auto entry = first; entry != last; ++entry) {
    if (equal(runtime, entries[entry->second].first, key)) return entry->second;
  }
  return std::nullopt;
}

void Dict::set(Runtime& runtime, const Value& key, Value value) {
  const uint64_t hash = hash_value(runtime, key);
  if (const auto at = position(runtime, hash, key)) {
    entries[*at].second = std::move(value);
    return;
  }
  runtime.reserve_items(4);
  index_.emplace(hash, entries.size());
  entries.emplace_back(key, std::move(value));
}

void Dict::append(std::string key, Value value) {
  index_.emplace(std::hash<std::string>{}(key), entries.size());
  entries.emplace_back(Value::constant(std::move(key)), std::move(value));
}

const Value* Dict::find(Runtime& runtime, const Value& key) const {
  const auto at = position(runtime, hash_value(runtime, key), key);
  return at ? &entries[*at].second : nullptr;
}

Value Object::call(Runtime& runtime, const Arguments&) {
  runtime.fail("'" + std::string(type_name()) + "' object is not callable");
}

std::optional<Value> Object::attribute(Runtime&, std::string_view) { return std::nullopt; }

std::optional<int64_t> Object::length(Runtime&) { return std::nullopt; }

std::string Object::repr(Runtime& runtime) {
  runtime.fail("a " + std::string(type_name()) + " is printed, which has no text of its own");
}

}  // namespace saescope::jinja
