#include "text/jinja/library/attribute_path.h"

#include <algorithm>
#include <charconv>

#include "text/jinja/library/access.h"
#include "text/jinja/values/text_operations.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {

AttributePath::AttributePath(Runtime& runtime, const Value* attribute) {
  if (attribute == nullptr || attribute->is_none()) return;
  if (!attribute->is_string()) {
    keys_.push_back(*attribute);
    return;
  }
  runtime.spend_bytes(attribute->bytes().size());
  for (const std::string_view part : split_at(runtime, attribute->bytes(), ".", -1)) {
    int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index =
        !part.starts_with('-') && read.ec == std::errc() && read.ptr == part.data() + part.size();
    keys_.push_back(is_index ? Value(index) : runtime.text(std::string(part)));
  }
}

Value AttributePath::resolve(Runtime& runtime, Value item, const Value* fallback) const {
  for (const Value& key : keys_) {
    item = get_item(runtime, item, key);
    if (item.is_undefined() && fallback != nullptr && !fallback->is_none()) item = *fallback;
  }
  return item;
}

Value ignore_case(Runtime& runtime, const Value& value) {
  return value.is_string() ? runtime.text(to_lower(value.bytes())) : value;
}

}  // namespace saescope::jinja
