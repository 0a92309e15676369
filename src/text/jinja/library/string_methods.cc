#include "text/jinja/library/string_methods.h"

#include <algorithm>
#include <array>
#include <functional>

#include "text/jinja/library/field_format.h"
#include "text/jinja/library/named_table.h"
#include "text/jinja/values/format_spec.h"
#include "text/jinja/values/iteration.h"
#include "text/jinja/values/printing.h"
#include "text/jinja/values/text_operations.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

// The text of `self`, its reading charged.
const std::string& read(Runtime& runtime, const Value& self) {
  runtime.spend_bytes(self.bytes().size());
  return self.bytes();
}

// A result of the type of `self` (str or Markup).
Value like(Runtime& runtime, const Value& self, std::string text) {
  return runtime.text(std::move(text), self.text().markup);
}

Value list_like(Runtime& runtime, const Value& self, const std::vector<std::string_view>& parts,
                SequenceKind kind = SequenceKind::kList) {
  std::vector<Value> items;
  items.reserve(parts.size());
  for (const std::string_view part : parts) items.push_back(like(runtime, self, std::string(part)));
  return runtime.sequence(kind, std::move(items));
}

template <std::string (*transform)(std::string_view)>
Value transformed(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters none(runtime, "str method", arguments, {}, 0);
  return like(runtime, self, transform(read(runtime, self)));
}

// Tests that hold for a text of at least one character, all of which satisfy `predicate`.
template <bool (*predicate)(char32_t)>
Value all_are(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters none(runtime, "str method", arguments, {}, 0);
  const std::u32string text = decode(read(runtime, self));
  return Value(!text.empty() && std::all_of(text.begin(), text.end(), predicate));
}

Value is_ascii(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters none(runtime, "isascii", arguments, {}, 0);
  return Value(self.text().is_ascii());
}

Value all_printable(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters none(runtime, "isprintable", arguments, {}, 0);
  const std::u32string text = decode(read(runtime, self));
  return Value(std::all_of(text.begin(), text.end(), is_printable));
}

template <bool (*wanted)(char32_t), bool (*opposite)(char32_t)>
Value has_case(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters none(runtime, "str method", arguments, {}, 0);
  bool cased = false;
  for (const char32_t c : decode(read(runtime, self))) {
    if (opposite(c) || is_title(c)) return Value(false);
    cased = cased || wanted(c);
  }
  return Value(cased);
}

template <Side side>
Value stripped(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "strip", arguments, {""}, 0);
  const Text* characters = parameters.string_or_none(0);
  if (characters != nullptr) runtime.spend_bytes(characters->bytes.size());
  return like(
      runtime, self,
      std::string(strip(read(runtime, self), characters == nullptr ? nullptr : &characters->bytes, side)));
}

template <bool from_right>
Value split(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "split", arguments, {"sep", "maxsplit"}, 0);
  const Text* separator = parameters.string_or_none(0);
  const int64_t limit = parameters.integer(1, -1);
  const std::string& text = read(runtime, self);
  if (separator == nullptr) {
    return list_like(
        runtime, self,
        from_right ? rsplit_at_space(runtime, text, limit) : split_at_space(runtime, text, limit));
  }
  if (separator->bytes.empty()) runtime.fail("empty separator");
  return list_like(runtime, self,
                   from_right ? rsplit_at(runtime, text, separator->bytes, limit)
                              : split_at(runtime, text, separator->bytes, limit));
}

Value splitlines(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "splitlines", arguments, {"keepends"}, 0);
  return list_like(runtime, self, split_lines(runtime, read(runtime, self), parameters.truth(0, false)));
}

template <bool from_right>
Value partition(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "partition", arguments, {""}, 1);
  const std::string_view separator = parameters.string(0).bytes;
  if (separator.empty()) runtime.fail("empty separator");
  const std::string_view text = read(runtime, self);
  const std::size_t at = from_right ? rfind_text(text, separator) : find_text(text, separator);
  std::vector<std::string_view> parts = {text, {}, {}};
  if (at != std::string_view::npos) {
    parts = {text.substr(0, at), separator, text.substr(at + separator.size())};
  } else if (from_right) {
    parts = {{}, {}, text};
  }
  return list_like(runtime, self, parts, SequenceKind::kTuple);
}

// The part of `self` that optional start and end arguments (2nd and 3rd) select; nothing where the
// start lies behind the end of the text.
struct Part {
  std::string_view text;
  int64_t first = 0;  // code points before it
};
std::optional<Part> selected(Runtime& runtime, const Value& self, const Parameters& parameters) {
  const auto argument = [&](std::size_t i) {
    return parameters.find(i) == nullptr ? Value() : parameters[i];
  };
  const auto size = static_cast<int64_t>(self.text().code_points);
  const std::string_view text = read(runtime, self);
  const SliceRange range = slice_range(runtime, size, argument(1), argument(2), Value());
  if (argument(1).is_integral() && argument(1).integral() > size) return std::nullopt;
  const std::size_t from = byte_offset(text, static_cast<std::size_t>(range.first));
  const std::string_view tail = text.substr(from);
  if (range.count == 0 && range.first < size && !argument(2).is_none()) {
    const SliceRange to_end = slice_range(runtime, size, argument(2), Value(), Value());
    if (to_end.first < range.first) return std::nullopt;
  }
  return Part{tail.substr(0, byte_offset(tail, static_cast<std::size_t>(range.count))), range.first};
}

template <bool from_right, bool raises>
Value find(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "find", arguments, {"", "", ""}, 1);
  const std::string& needle = parameters.string(0).bytes;
  if (const auto part = selected(runtime, self, parameters)) {
    const std::size_t at = from_right ? rfind_text(part->text, needle) : find_text(part->text, needle);
    if (at != std::string_view::npos) {
      return Value(part->first + static_cast<int64_t>(count_code_points(part->text.substr(0, at))));
    }
  }
  if (raises) runtime.fail("substring not found");
  return Value(int64_t{-1});
}

Value count(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "count", arguments, {"", "", ""}, 1);
  const std::string& needle = parameters.string(0).bytes;
  const auto part = selected(runtime, self, parameters);
  return Value(part ? count_text(part->text, needle) : int64_t{0});
}

template <bool at_end>
Value starts_or_ends(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, at_end ? "endswith" : "startswith", arguments, {"", "", ""}, 1);
  const auto part = selected(runtime, self, parameters);
  const auto matches = [&](const Value& affix) {
    if (!affix.is_string()) {
      runtime.fail("startswith and endswith need a str or a tuple of str, not " +
                   std::string(affix.type_name()));
    }
    if (!part) return false;
    runtime.spend_bytes(affix.bytes().size());
    return at_end ? part->text.ends_with(affix.bytes()) : part->text.starts_with(affix.bytes());
  };
  if (!parameters[0].is_tuple()) return Value(matches(parameters[0]));
  const std::vector<Value>& affixes = parameters[0].sequence().items;
  return Value(std::any_of(affixes.begin(), affixes.end(), matches));
}

template <bool at_end>
Value without_affix(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, at_end ? "removesuffix" : "removeprefix", arguments, {""}, 1);
  const std::string& affix = parameters.string(0).bytes;
  std::string_view text = read(runtime, self);
  if (at_end && text.ends_with(affix)) text.remove_suffix(affix.size());
  if (!at_end && text.starts_with(affix)) text.remove_prefix(affix.size());
  return like(runtime, self, std::string(text));
}

Value replace(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "replace", arguments, {"", "", ""}, 2);
  const Text& inserted = parameters.string(1);
  const bool escapes = self.text().markup && !inserted.markup;
  return like(
      runtime, self,
      replace_text(runtime, read(runtime, self), parameters.string(0).bytes,
                   escapes ? escape_html(inserted.bytes) : inserted.bytes, parameters.integer(2, -1)));
}

Value join(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "join", arguments, {""}, 1);
  std::string out;
  bool first = true;
  for (const Value& item : iterate(runtime, parameters[0])) {
    if (!item.is_string()) {
      runtime.fail("join() needs items that are str, found " + std::string(item.type_name()));
    }
    if (!first) out += self.bytes();
    first = false;
    out += item.bytes();
    runtime.spend_bytes(self.bytes().size() + item.bytes().size());
    if (out.size() > kMaxTextBytes) runtime.reserve_text(out.size());
  }
  return runtime.text(std::move(out));
}

enum class Align { kLeft, kRight, kCenter };

template <Align align>
Value justified(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "justify", arguments, {"", ""}, 1);
  const std::string fill = parameters.find(1) == nullptr ? " " : parameters.string(1).bytes;
  if (count_code_points(fill) != 1) {
    runtime.fail("the fill character must be exactly one character long");
  }
  const int64_t width = parameters.integer(0, 0);
  if (align == Align::kCenter) {
    return like(runtime, self, center(runtime, read(runtime, self), width, fill));
  }
  const auto size = static_cast<int64_t>(self.text().code_points);
  const auto margin = static_cast<uint64_t>(width > size ? width - size : 0);
  const bool left = align == Align::kLeft;
  return like(runtime, self, pad(runtime, read(runtime, self), left ? 0 : margin, left ? margin : 0, fill));
}

Value zfill(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "zfill", arguments, {""}, 1);
  const auto size = static_cast<int64_t>(self.text().code_points);
  const int64_t width = parameters.integer(0, 0);
  const std::string_view text = read(runtime, self);
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const auto zeros = static_cast<uint64_t>(width > size ? width - size : 0);
  return like(runtime, self,
              std::string(text.substr(0, sign)) + pad(runtime, text.substr(sign), zeros, 0, "0"));
}

Value expandtabs(Runtime& runtime, const Value& self, const Arguments& arguments) {
  const Parameters parameters(runtime, "expandtabs", arguments, {"tabsize"}, 0);
  const auto size = static_cast<uint64_t>(std::max<int64_t>(parameters.integer(0, 8), 0));
  std::u32string out;
  uint64_t column = 0;
  for (const char32_t c : decode(read(runtime, self))) {
    if (c != U'\t') {
      out.push_back(c);
      column = c == U'\n' || c == U'\r' ? 0 : column + 1;
    } else if (size > 0) {
      const uint64_t spaces = size - column % size;
      runtime.reserve_text(out.size() + spaces);
      out.append(spaces, U' ');
      column += spaces;
    }
  }
  return like(runtime, self, encode(out));
}

Value format(Runtime& runtime, const Value& self, const Arguments& arguments) {
  return runtime.text(format_text(runtime, read(runtime, self), arguments));
}

constexpr auto kMethods = std::to_array<MethodEntry>({
    {"capitalize", transformed<to_capitalized>},
    {"casefold", transformed<to_case_folded>},
    {"center", justified<Align::kCenter>},
    {"count", count},
    {"endswith", starts_or_ends<true>},
    {"expandtabs", expandtabs},
    {"find", find<false, false>},
    {"format", format},
    {"index", find<false, true>},
    {"isalnum", all_are<is_alphanumeric>},
    {"isalpha", all_are<is_alpha>},
    {"isascii", is_ascii},
    {"isdecimal", all_are<is_decimal>},
    {"isdigit", all_are<is_digit>},
    {"islower", has_case<is_lower, is_upper>},
    {"isprintable", all_printable},
    {"isspace", all_are<is_space>},
    {"isupper", has_case<is_upper, is_lower>},
    {"join", join},
    {"ljust", justified<Align::kLeft>},
    {"lower", transformed<to_lower>},
    {"lstrip", stripped<Side::kLeft>},
    {"partition", partition<false>},
    {"removeprefix", without_affix<false>},
    {"removesuffix", without_affix<true>},
    {"replace", replace},
    {"rfind", find<true, false>},
    {"rindex", find<true, true>},
    {"rjust", justified<Align::kRight>},
    {"rpartition", partition<true>},
    {"rsplit", split<true>},
    {"rstrip", stripped<Side::kRight>},
    {"split", split<false>},
    {"splitlines", splitlines},
    {"startswith", starts_or_ends<false>},
    {"strip", stripped<Side::kBoth>},
    {"swapcase", transformed<to_swapped_case>},
    {"title", transformed<to_title>},
    {"upper", transformed<to_upper>},
    {"zfill", zfill},
});

}  // namespace

Method find_string_method(std::string_view name) { return find_named(kMethods, name); }

}  // namespace saescope::jinja
