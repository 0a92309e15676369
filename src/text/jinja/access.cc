#include <algorithm>
#include <limits>

#include "base/utf8.h"
#include "text/jinja/methods.h"
#include "text/jinja/operators.h"
#include "text/jinja/text.h"
#include "text/jinja/unicode.h"

namespace saescope::jinja {
namespace {

// A method taken off its object without being called.
class BoundMethod final : public Object {
 public:
  BoundMethod(Value self, Method method) : self_(std::move(self)), method_(method) {}
  std::string_view type_name() const override { return "builtin_function_or_method"; }
  bool callable() const override { return true; }
  Value call(Runtime& runtime, const Arguments& arguments) override {
    return method_(runtime, self_, arguments);
  }

 private:
  Value self_;
  Method method_;
};

// jinja2.runtime's text for an attribute or element that is not there.
Value missing(Runtime& runtime, const Value& object, const Value& key) {
  const std::string type = object.is_none() ? "None" : std::string(object.type_name()) + " object";
  runtime.spend(8);  // the message stays
  if (key.is_string()) {
    runtime.spend_bytes(8 * key.bytes().size());  // repr_text is slow
    return Value::undefined("'" + type + "' has no attribute " + repr_text(key.bytes()));
  }
  return Value::undefined(type + " has no element " + repr(runtime, key));
}

std::optional<std::size_t> index_in(int64_t index, std::size_t size) {
  const auto count = static_cast<int64_t>(size);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return static_cast<std::size_t>(index);
}

// Python's `object[key]`; nothing where it raises TypeError or LookupError.
std::optional<Value> subscript(Runtime& runtime, const Value& object, const Value& key) {
  if (object.is_dict()) {
    if (!is_hashable(key)) return std::nullopt;
    const Value* found = object.dict().find(runtime, key);
    return found == nullptr ? std::nullopt : std::optional<Value>(*found);
  }
  if (!key.is_integral()) return std::nullopt;
  if (object.is_string()) {
    const Text& text = object.text();
    const auto index = index_in(key.integral(), text.code_points);
    if (!index) return std::nullopt;
    if (text.is_ascii()) return runtime.text(std::string(1, text.bytes[*index]), text.markup);
    runtime.spend_bytes(text.bytes.size());
    const std::size_t at = byte_offset(text.bytes, *index);
    return runtime.text(text.bytes.substr(at, decode_utf8(text.bytes, at).length), text.markup);
  }
  const bool indexable = object.is_tuple() || object.is_sequence(SequenceKind::kList) ||
                         object.is_sequence(SequenceKind::kRange);
  if (!indexable) return std::nullopt;
  const std::vector<Value>& items = object.sequence().items;
  const auto index = index_in(key.integral(), items.size());
  return index ? std::optional<Value>(items[*index]) : std::nullopt;
}

bool is_dunder(const std::string& name) {
  return name.size() > 4 && name.starts_with("__") && name.ends_with("__");
}

int64_t slice_part(Runtime& runtime, const Value& part) {
  if (!part.is_integral()) runtime.fail("slice indices must be integers or None");
  return part.integral();
}

}  // namespace

std::vector<Value> iterate(Runtime& runtime, const Value& value) {
  if (value.is_undefined()) return {};
  std::vector<Value> out;
  if (value.is_string()) {
    const std::string& text = value.bytes();
    runtime.reserve_items(4 * value.text().code_points);  // a character is a string of its own
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = decode_utf8(text, at).length;
      out.push_back(runtime.text(text.substr(at, length)));
      at += length;
    }
    return out;
  }
  if (value.is_dict()) {
    runtime.reserve_items(value.dict().entries.size());
    for (const auto& entry : value.dict().entries) out.push_back(entry.first);
    return out;
  }
  if (!value.is_sequence()) {
    runtime.fail("'" + std::string(value.type_name()) + "' object is not iterable");
  }
  const Sequence& sequence = value.sequence();
  runtime.reserve_items(sequence.items.size() - sequence.consumed);
  out.assign(sequence.items.begin() + static_cast<std::ptrdiff_t>(sequence.consumed), sequence.items.end());
  if (sequence.kind == SequenceKind::kGenerator) sequence.consumed = sequence.items.size();
  return out;
}

bool is_iterable(const Value& value) {
  return value.is_undefined() || value.is_string() || value.is_dict() || value.is_sequence();
}

std::optional<int64_t> length(Runtime& runtime, const Value& value) {
  std::size_t size = 0;
  if (value.is_string()) {
    size = value.text().code_points;
  } else if (value.is_dict()) {
    size = value.dict().entries.size();
  } else if (value.is_sequence()) {
    if (value.sequence().kind == SequenceKind::kGenerator) return std::nullopt;
    size = value.sequence().items.size();
  } else if (value.is_object()) {
    return value.object()->length(runtime);
  } else if (!value.is_undefined()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(size);
}

std::optional<Value> python_attribute(Runtime& runtime, const Value& object, const std::string& name) {
  const auto hidden = [&] {
    runtime.spend_bytes(name.size());
    return Value::undefined("access to attribute '" + name + "' of '" + std::string(object.type_name()) +
                            "' object is unsafe.");
  };
  if (is_dunder(name) || is_mutating_method(object, name)) return hidden();
  if (object.is_object()) return object.object()->attribute(runtime, name);
  if (object.is_sequence(SequenceKind::kGroup)) {
    if (name == "grouper") return object.sequence().items[0];
    if (name == "list") return object.sequence().items[1];
  }
  if (const Method method = find_method(object, name)) {
    return Value(runtime.create<BoundMethod>(object, method));
  }
  if (is_unsupported_attribute(object, name)) {
    runtime.fail("the attribute '" + name + "' of " + std::string(object.type_name()) + " is not supported");
  }
  return std::nullopt;
}

Value get_item(Runtime& runtime, const Value& object, const Value& key) {
  if (object.is_undefined()) runtime.fail(object.undefined_message());
  if (auto found = subscript(runtime, object, key)) return *std::move(found);
  if (key.is_string()) {
    if (auto found = python_attribute(runtime, object, key.bytes())) return *std::move(found);
  }
  return missing(runtime, object, key);
}

Value get_attribute(Runtime& runtime, const Value& object, const std::string& name) {
  if (object.is_undefined()) runtime.fail(object.undefined_message());
  if (auto found = python_attribute(runtime, object, name)) return *std::move(found);
  const Value key = Value::constant(name);
  if (auto found = subscript(runtime, object, key)) return *std::move(found);
  return missing(runtime, object, key);
}

SliceRange slice_range(Runtime& runtime, int64_t size, const Value& start, const Value& stop,
                       const Value& step) {
  SliceRange range;
  if (!step.is_none()) range.step = slice_part(runtime, step);
  if (range.step == 0) runtime.fail("slice step cannot be zero");
  // as -step must exist
  range.step = std::max(range.step, -std::numeric_limits<int64_t>::max());
  const bool backwards = range.step < 0;
  const int64_t lowest = backwards ? -1 : 0;
  const int64_t highest = backwards ? size - 1 : size;
  const auto bound = [&](const Value& part, int64_t absent) {
    if (part.is_none()) return absent;
    int64_t index = slice_part(runtime, part);
    if (index < 0) index = std::max(index, -size - 1) + size;
    return std::clamp(index, lowest, highest);
  };
  range.first = bound(start, backwards ? highest : lowest);
  const int64_t last = bound(stop, backwards ? lowest : highest);
  if (backwards) {
    if (last < range.first) range.count = (range.first - last - 1) / -range.step + 1;
  } else if (range.first < last) {
    range.count = (last - range.first - 1) / range.step + 1;
  }
  return range;
}

Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is_undefined()) runtime.fail(object.undefined_message());
  const bool is_list = object.is_sequence(SequenceKind::kList);
  if (!object.is_string() && !is_list && !object.is_tuple()) {
    runtime.fail("slices of '" + std::string(object.type_name()) + "' are not supported");
  }
  const SliceRange range = slice_range(runtime, *length(runtime, object), start, stop, step);
  const auto position = [&](int64_t i) { return static_cast<std::size_t>(range.first + i * range.step); };
  if (object.is_string()) {
    const Text& text = object.text();
    runtime.spend_bytes(text.bytes.size());
    if (range.step == 1) {
      const auto first = static_cast<std::size_t>(range.first);
      const auto end = first + static_cast<std::size_t>(range.count);
      const std::size_t from = text.is_ascii() ? first : byte_offset(text.bytes, first);
      const std::size_t to = text.is_ascii() ? end : byte_offset(text.bytes, end);
      return runtime.text(text.bytes.substr(from, to - from), text.markup);
    }
    const std::u32string code_points = decode(text.bytes);
    std::u32string picked;
    for (int64_t i = 0; i < range.count; ++i) picked.push_back(code_points[position(i)]);
    return runtime.text(encode(picked), text.markup);
  }
  runtime.reserve_items(static_cast<uint64_t>(range.count));
  std::vector<Value> items;
  for (int64_t i = 0; i < range.count; ++i) items.push_back(object.sequence().items[position(i)]);
  return runtime.sequence(is_list ? SequenceKind::kList : SequenceKind::kTuple, std::move(items));
}

}  // namespace saescope::jinja
