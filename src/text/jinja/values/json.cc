#include "text/jinja/values/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "text/jinja/values/comparison.h"
#include "text/jinja/values/printing.h"

namespace saescope::jinja {
namespace {

// json.dumps, of which the C and the Python encoder write the same text.
class JsonWriter {
 public:
  JsonWriter(Runtime& runtime, const JsonOptions& options) : runtime_(runtime), options_(options) {}

  std::string write(const Value& value) {
    put(value, 0);
    return std::move(out_);
  }

 private:
  void put(const Value& value, std::size_t depth);
  void put_list(const std::vector<Value>& items, std::size_t depth);
  void put_dict(const Dict& dict, std::size_t depth);
  void put_string(std::string_view text);
  void put_escaped(std::string_view bytes, char32_t c);
  std::string key_text(const Value& key) const;
  static std::string float_text(double value);

  void new_line(std::size_t depth) {
    if (!options_.multiline) return;
    out_.push_back('\n');
    check(depth * options_.indent.size());
    for (std::size_t i = 0; i < depth; ++i) out_ += options_.indent;
  }
  void check(std::size_t more) {
    if (out_.size() + more > kMaxTextBytes) runtime_.fail_limit("a text grows beyond 64 MiB");
    runtime_.spend_bytes(more);
  }

  Runtime& runtime_;
  const JsonOptions& options_;
  std::string out_;
};

void JsonWriter::put(const Value& value, std::size_t depth) {
  const Runtime::Level level(runtime_);
  check(1);
  if (value.is_none()) {
    out_ += "null";
  } else if (value.is_bool()) {
    out_ += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    out_ += std::to_string(value.integral());
  } else if (value.is_float()) {
    out_ += float_text(value.number());
  } else if (value.is_string()) {
    put_string(value.bytes());
  } else if (value.is_dict()) {
    put_dict(value.dict(), depth);
  } else if (value.is_tuple() || value.is_sequence(SequenceKind::kList)) {
    put_list(value.sequence().items, depth);
  } else {
    runtime_.fail("Object of type " + std::string(value.type_name()) + " is not JSON serializable");
  }
}

void JsonWriter::put_list(const std::vector<Value>& items, std::size_t depth) {
  if (items.empty()) {
    out_ += "[]";
    return;
  }
  out_.push_back('[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out_ += options_.item_separator;
    new_line(depth + 1);
    put(items[i], depth + 1);
  }
  new_line(depth);
  out_.push_back(']');
}

void JsonWriter::put_dict(const Dict& dict, std::size_t depth) {
  if (dict.entries.empty()) {
    out_ += "{}";
    return;
  }
  std::vector<const std::pair<Value, Value>*> entries;
  for (const auto& entry : dict.entries) entries.push_back(&entry);
  if (options_.sort_keys) {
    std::stable_sort(entries.begin(), entries.end(),
                     [this](const auto* a, const auto* b) { return less(runtime_, a->first, b->first); });
  }
  out_.push_back('{');
  bool first = true;
  for (const auto* entry : entries) {
    if (!first) out_ += options_.item_separator;
    first = false;
    new_line(depth + 1);
    put_string(key_text(entry->first));
    out_ += options_.key_separator;
    put(entry->second, depth + 1);
  }
  new_line(depth);
  out_.push_back('}');
}

std::string JsonWriter::float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return repr_float(value);
}

std::string JsonWriter::key_text(const Value& key) const {
  if (key.is_string()) return key.bytes();
  if (key.is_none()) return "null";
  if (key.is_bool()) return key.as_bool() ? "true" : "false";
  if (key.is_int()) return std::to_string(key.integral());
  if (key.is_float()) return float_text(key.number());
  runtime_.fail("JSON keys must be str, int, float, bool or None, not " + std::string(key.type_name()));
}

void JsonWriter::put_escaped(std::string_view bytes, char32_t c) {
  const auto code_point = static_cast<uint32_t>(c);
  switch (c) {
    case U'"':
      out_ += "\\\"";
      return;
    case U'\\':
      out_ += "\\\\";
      return;
    case U'\n':
      out_ += "\\n";
      return;
    case U'\r':
      out_ += "\\r";
      return;
    case U'\t':
      out_ += "\\t";
      return;
    case U'\b':
      out_ += "\\b";
      return;
    case U'\f':
      out_ += "\\f";
      return;
    default:
      break;
  }
  if (code_point < 0x20 || (options_.ensure_ascii && code_point > 0x7F && code_point < 0x10000)) {
    out_ += fmt::format("\\u{:04x}", code_point);
  } else if (options_.ensure_ascii && code_point >= 0x10000) {
    const uint32_t above = code_point - 0x10000;
    out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10), 0xDC00 + (above & 0x3FF));
  } else {
    out_ += bytes;
  }
}

void JsonWriter::put_string(std::string_view text) {
  check(text.size() + 2);
  out_.push_back('"');
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    put_escaped(text.substr(at, c.length), c.code_point);
    at += c.length;
  }
  out_.push_back('"');
}

}  // namespace

std::string to_json(Runtime& runtime, const Value& value, const JsonOptions& options) {
  return JsonWriter(runtime, options).write(value);
}

Value from_json(Runtime& runtime, const nlohmann::ordered_json& json) {
  const Runtime::Level level(runtime);
  switch (json.type()) {
    case nlohmann::ordered_json::value_t::boolean:
      return Value(json.get<bool>());
    case nlohmann::ordered_json::value_t::number_unsigned:
      if (json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
        runtime.fail("an integer of the context has more than 64 bits");
      }
      return Value(json.get<int64_t>());
    case nlohmann::ordered_json::value_t::number_integer:
      return Value(json.get<int64_t>());
    case nlohmann::ordered_json::value_t::number_float:
      return Value(json.get<double>());
    case nlohmann::ordered_json::value_t::string: {
      const auto& text = json.get_ref<const std::string&>();
      if (const std::size_t at = find_invalid_utf8(text); at != std::string::npos) {
        runtime.fail("a text of the context is not UTF-8 at byte " + std::to_string(at));
      }
      return Value::constant(text);
    }
    case nlohmann::ordered_json::value_t::array: {
      std::vector<Value> items;
      for (const auto& item : json) items.push_back(from_json(runtime, item));
      return runtime.list(std::move(items));
    }
    case nlohmann::ordered_json::value_t::object: {
      auto dict = std::make_shared<Dict>();
      for (const auto& [key, value] : json.items()) {
        if (find_invalid_utf8(key) != std::string::npos) {
          runtime.fail("a key of the context is not UTF-8");
        }
        dict->append(key, from_json(runtime, value));
      }
      return runtime.dict(std::move(dict));
    }
    default:
      return {};
  }
}

}  // namespace saescope::jinja
