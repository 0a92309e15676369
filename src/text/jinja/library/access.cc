#include "text/jinja/library/access.h"

#include "base/utf8.h"
#include "text/jinja/library/methods.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/unicode.h"

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

}  // namespace

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

}  // namespace saescope::jinja
