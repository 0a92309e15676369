#include "text/jinja/library/field_format.h"

#include <algorithm>

#include "text/jinja/library/access.h"
#include "text/jinja/values/format_spec.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

// `str.format`: replacement fields by position or name, with attributes and items.
class FieldFormatter {
 public:
  FieldFormatter(Runtime& runtime, const Arguments& arguments) : runtime_(runtime), arguments_(arguments) {}

  std::string run(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const std::size_t brace = std::min(text.find_first_of("{}"), text.size());
      out += text.substr(0, brace);
      text.remove_prefix(brace);
      if (text.empty()) break;
      const char kind = text.front();
      text.remove_prefix(1);
      if (take_char(text, kind)) {
        out.push_back(kind);
        continue;
      }
      const std::size_t end = text.find('}');
      if (kind == '}' || end == std::string_view::npos) {
        runtime_.fail("a single brace in a format string");
      }
      out += field(text.substr(0, end));
      text.remove_prefix(end + 1);
      runtime_.reserve_text(out.size());
    }
    return out;
  }

 private:
  std::string field(std::string_view text) {
    if (text.find('{') != std::string_view::npos) {
      runtime_.fail("replacement fields inside of a format are not supported");
    }
    const std::size_t colon = std::min(text.find(':'), text.size());
    std::string_view name = text.substr(0, colon);
    const std::string_view spec = text.substr(std::min(colon + 1, text.size()));
    const std::size_t bang = std::min(name.find('!'), name.size());
    const std::string_view conversion = name.substr(bang);
    Value value = lookup(name.substr(0, bang));
    if (conversion == "!r") {
      value = runtime_.text(repr(runtime_, value));
    } else if (conversion == "!s") {
      value = runtime_.text(to_text(runtime_, value));
    } else if (!conversion.empty()) {
      runtime_.fail("the conversion " + repr_text(conversion) + " is not supported");
    }
    if (spec.empty()) return to_text(runtime_, value);
    if (!value.is_number() && !value.is_string()) {
      runtime_.fail("a format does not apply to " + std::string(value.type_name()));
    }
    return format_value(runtime_, value, parse_format_spec(runtime_, spec));
  }

  Value lookup(std::string_view name) {
    const std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first(name.substr(0, end));
    std::string_view path = name.substr(end);
    while (!path.empty()) {
      const bool is_attribute = take_char(path, '.');
      if (!is_attribute && !take_char(path, '[')) runtime_.fail("a format field is malformed");
      const std::size_t stop =
          is_attribute ? std::min(path.find_first_of(".["), path.size()) : path.find(']');
      if (stop == std::string_view::npos) runtime_.fail("a format field is malformed");
      std::string_view key = path.substr(0, stop);
      path.remove_prefix(is_attribute ? stop : stop + 1);
      if (is_attribute) {
        value = get_attribute(runtime_, value, std::string(key));
        continue;
      }
      const std::string text(key);
      const int64_t index = take_number(runtime_, key);
      value = get_item(runtime_, value, key.empty() && index >= 0 ? Value(index) : Value::constant(text));
    }
    return value;
  }

  Value first(std::string_view name) {
    const std::string key(name);
    const int64_t number = name.empty() ? next_++ : take_number(runtime_, name);
    if (number >= 0 && name.empty()) {
      if (number >= static_cast<int64_t>(arguments_.positional.size())) {
        runtime_.fail("replacement index " + std::to_string(number) + " out of range");
      }
      return arguments_.positional[static_cast<std::size_t>(number)];
    }
    for (const auto& [keyword, value] : arguments_.keywords) {
      if (keyword == key) return value;
    }
    runtime_.fail("the format's key " + repr_text(key) + " is missing");
  }

  Runtime& runtime_;
  const Arguments& arguments_;
  int64_t next_ = 0;
};

}  // namespace

std::string format_text(Runtime& runtime, std::string_view text, const Arguments& arguments) {
  return FieldFormatter(runtime, arguments).run(text);
}

}  // namespace saescope::jinja
