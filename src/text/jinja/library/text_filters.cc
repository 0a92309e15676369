#include "text/jinja/library/text_filters.h"

#include <algorithm>
#include <array>

#include "text/jinja/library/filters.h"
#include "text/jinja/values/format_spec.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/json.h"
#include "text/jinja/values/operators.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/text_operations.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

bool is_markup(const Value& value) { return value.is_string() && value.text().markup; }

// markupsafe.soft_str: the value's text, its reading charged. Markup stays Markup in the result.
std::string soft_text(Runtime& runtime, const Value& value) {
  std::string text = to_text(runtime, value);
  runtime.spend_bytes(text.size());
  return text;
}

template <std::string (*transform)(std::string_view)>
Value transformed(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "filter", arguments, {"s"}, 1);
  return runtime.text(transform(soft_text(runtime, parameters[0])), is_markup(parameters[0]));
}

// Jinja's own idea of words: they begin after a blank, a hyphen or an opening bracket.
std::string title_words(std::string_view text) {
  const auto separates = [](char32_t c) {
    return is_space(c) || std::u32string_view(U"-({[<").find(c) != std::u32string_view::npos;
  };
  const std::u32string code_points = decode(text);
  std::string out;
  for (std::size_t start = 0; start < code_points.size();) {
    std::size_t end = start + 1;
    const bool blank = separates(code_points[start]);
    while (end < code_points.size() && separates(code_points[end]) == blank) ++end;
    const std::u32string_view word = std::u32string_view(code_points).substr(start, end - start);
    out += to_upper(encode(word.substr(0, 1)));
    out += to_lower(encode(word.substr(1)));
    start = end;
  }
  return out;
}

Value title(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "title", arguments, {"s"}, 1);
  return runtime.text(title_words(soft_text(runtime, parameters[0])));
}

Value trim(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "trim", arguments, {"value", "chars"}, 1);
  const Text* characters = parameters.string_or_none(1);
  if (characters != nullptr) runtime.spend_bytes(characters->bytes.size());
  const std::string text = soft_text(runtime, parameters[0]);
  return runtime.text(
      std::string(strip(text, characters == nullptr ? nullptr : &characters->bytes, Side::kBoth)),
      is_markup(parameters[0]));
}

Value replace(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "replace", arguments, {"s", "old", "new", "count"}, 3);
  const bool counted = parameters.find(3) != nullptr && !parameters[3].is_none();
  return runtime.text(replace_text(runtime, soft_text(runtime, parameters[0]),
                                   soft_text(runtime, parameters[1]), soft_text(runtime, parameters[2]),
                                   counted ? parameters.integer(3, -1) : -1));
}

Value center_filter(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "center", arguments, {"value", "width"}, 1);
  return runtime.text(center(runtime, soft_text(runtime, parameters[0]), parameters.integer(1, 80), " "),
                      is_markup(parameters[0]));
}

Value indent(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "indent", arguments, {"s", "width", "first", "blank"}, 1);
  const Value& value = parameters[0];
  if (value.is_undefined()) runtime.fail(value.undefined_message());
  std::string indention = "    ";
  if (parameters.find(1) != nullptr && parameters[1].is_string()) {
    indention = parameters[1].bytes();
  } else {
    const int64_t width = parameters.integer(1, 4);
    indention = pad(runtime, {}, static_cast<uint64_t>(std::max<int64_t>(width, 0)), 0, " ");
  }
  const bool blank = parameters.truth(3, false);
  std::string out = parameters.truth(2, false) ? indention : "";
  bool first = true;
  const std::string text = parameters.string(0).bytes + "\n";  // as Jinja adds it
  for (const std::string_view line : split_lines(runtime, text, false)) {
    if (!first) {
      out.push_back('\n');
      if (blank || !line.empty()) out += indention;
    }
    first = false;
    out += line;
    runtime.spend_bytes(line.size() + indention.size());
    if (out.size() > kMaxTextBytes) runtime.reserve_text(out.size());
  }
  return runtime.text(std::move(out), is_markup(value));
}

Value format(Runtime& runtime, const Arguments& arguments) {
  Arguments rest = arguments;
  const Value text = rest.positional.front();
  rest.positional.erase(rest.positional.begin());
  if (!rest.positional.empty() && !rest.keywords.empty()) {
    runtime.fail("format() cannot take positional and keyword arguments at the same time");
  }
  Value operand = runtime.tuple(rest.positional);
  if (!rest.keywords.empty()) {
    auto named = std::make_shared<Dict>();
    for (const auto& [name, value] : rest.keywords) {
      named->set(runtime, Value::constant(name), value);
    }
    operand = runtime.dict(std::move(named));
  }
  return binary(runtime, BinaryOp::kModulo, text.is_string() ? text : runtime.text(soft_text(runtime, text)),
                operand);
}

Value string(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "string", arguments, {"s"}, 1);
  if (parameters[0].is_string()) return parameters[0];
  return runtime.text(soft_text(runtime, parameters[0]));
}

Value safe(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "safe", arguments, {"value"}, 1);
  return runtime.text(soft_text(runtime, parameters[0]), true);
}

Value escape(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "escape", arguments, {"s"}, 1);
  if (is_markup(parameters[0])) return parameters[0];
  return runtime.text(escape_html(soft_text(runtime, parameters[0])), true);
}

Value force_escape(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "forceescape", arguments, {"value"}, 1);
  return runtime.text(escape_html(soft_text(runtime, parameters[0])), true);
}

Value word_count(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "wordcount", arguments, {"s"}, 1);
  int64_t words = 0;
  bool in_word = false;
  for (const char32_t c : decode(soft_text(runtime, parameters[0]))) {
    const bool is_word = c == U'_' || is_alphanumeric(c);
    if (is_word && !in_word) ++words;
    in_word = is_word;
  }
  return Value(words);
}

// The `tojson` of transformers: json.dumps without Jinja's escaping for HTML.
Value tojson(Runtime& runtime, const Arguments& arguments) {
  const Parameters parameters(runtime, "tojson", arguments,
                              {"x", "ensure_ascii", "indent", "separators", "sort_keys"}, 1);
  JsonOptions options;
  options.ensure_ascii = parameters.truth(1, false);
  options.multiline = parameters.find(2) != nullptr && !parameters[2].is_none();
  if (options.multiline && parameters[2].is_string()) {
    options.indent = parameters[2].bytes();
  } else if (options.multiline) {
    const int64_t width = std::max<int64_t>(parameters.integer(2, 0), 0);
    options.indent = pad(runtime, {}, static_cast<uint64_t>(width), 0, " ");
  }
  options.item_separator = options.multiline ? "," : ", ";
  options.key_separator = ": ";
  if (parameters.find(3) != nullptr && !parameters[3].is_none()) {
    const std::vector<Value> separators = iterate(runtime, parameters[3]);
    if (separators.size() != 2 || !separators[0].is_string() || !separators[1].is_string()) {
      runtime.fail("tojson(): separators must be two strings");
    }
    options.item_separator = separators[0].bytes();
    options.key_separator = separators[1].bytes();
  }
  options.sort_keys = parameters.truth(4, false);
  return runtime.text(to_json(runtime, parameters[0], options));
}

constexpr auto kTextFilters = std::to_array<FilterEntry>({
    {"capitalize", transformed<to_capitalized>},
    {"center", center_filter},
    {"e", escape},
    {"escape", escape},
    {"forceescape", force_escape},
    {"format", format},
    {"indent", indent},
    {"lower", transformed<to_lower>},
    {"replace", replace},
    {"safe", safe},
    {"string", string},
    {"title", title},
    {"tojson", tojson},
    {"trim", trim},
    {"upper", transformed<to_upper>},
    {"wordcount", word_count},
});

}  // namespace

std::span<const FilterEntry> text_filters() { return kTextFilters; }

}  // namespace saescope::jinja
