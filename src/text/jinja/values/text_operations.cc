#include "text/jinja/values/text_operations.h"

#include <algorithm>

#include "base/utf8.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {
namespace {

// Replaces an empty text: once before each character and once at the end.
std::string interleave(Runtime& runtime, std::string_view text, std::string_view inserted, uint64_t limit) {
  const uint64_t times = std::min<uint64_t>(limit, count_code_points(text) + 1);
  if (inserted.size() > kMaxTextBytes / times) runtime.reserve_text(kMaxTextBytes + 1);
  runtime.reserve_text(text.size() + times * inserted.size());
  std::string out;
  std::size_t at = 0;
  for (uint64_t i = 0; i < times; ++i) {
    out += inserted;
    const std::size_t length = decode_utf8(text, at).length;
    out += text.substr(at, length);
    at += length;
  }
  return out.append(text.substr(at));
}

// Linear, where std::string_view::rfind is quadratic on hostile text.
std::size_t rfind_reversed(std::string_view reversed, std::string_view reversed_needle, std::size_t end) {
  const std::size_t from = reversed.size() - end;
  const std::size_t found = find_text(reversed, reversed_needle, from);
  if (found == std::string_view::npos) return found;
  return reversed.size() - found - reversed_needle.size();
}

}  // namespace

std::string replace_text(Runtime& runtime, std::string_view text, std::string_view old,
                         std::string_view replacement, int64_t limit) {
  const auto most = limit < 0 ? UINT64_MAX : static_cast<uint64_t>(limit);
  if (most == 0) return std::string(text);
  if (old.empty()) return interleave(runtime, text, replacement, most);
  std::string out;
  std::size_t at = 0;
  for (uint64_t done = 0; done < most; ++done) {
    const std::size_t found = find_text(text, old, at);
    if (found == std::string_view::npos) break;
    out += text.substr(at, found - at);
    out += replacement;
    if (out.size() > kMaxTextBytes) runtime.reserve_text(out.size());
    at = found + old.size();
  }
  return out.append(text.substr(at));
}

std::vector<std::string_view> split_at_space(Runtime& runtime, std::string_view text, int64_t limit) {
  TextParts parts(runtime);
  std::string_view rest = strip(text, nullptr, Side::kLeft);
  while (!rest.empty()) {
    if (limit >= 0 && static_cast<int64_t>(parts.size()) >= limit) {
      parts.add(rest);
      break;
    }
    std::size_t end = 0;
    while (end < rest.size()) {
      const Utf8Char c = decode_utf8(rest, end);
      if (is_space(c.code_point)) break;
      end += c.length;
    }
    parts.add(rest.substr(0, end));
    rest = strip(rest.substr(end), nullptr, Side::kLeft);
  }
  return parts.take();
}

std::vector<std::string_view> rsplit_at_space(Runtime& runtime, std::string_view text, int64_t limit) {
  std::vector<std::string_view> parts = split_at_space(runtime, text, -1);
  if (limit < 0 || static_cast<int64_t>(parts.size()) <= limit) return parts;
  // the first parts stay together, with the white space before and between them
  const std::size_t joined = parts.size() - static_cast<std::size_t>(limit);
  const char* begin = text.data();
  const std::string_view last = parts[joined - 1];
  const auto length = static_cast<std::size_t>(last.data() + last.size() - begin);
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(joined) - 1);
  parts.front() = std::string_view(begin, length);
  return parts;
}

std::vector<std::string_view> split_at(Runtime& runtime, std::string_view text, std::string_view separator,
                                       int64_t limit) {
  TextParts parts(runtime);
  std::size_t at = 0;
  while (limit < 0 || static_cast<int64_t>(parts.size()) < limit) {
    const std::size_t found = find_text(text, separator, at);
    if (found == std::string_view::npos) break;
    parts.add(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.add(text.substr(at));
  return parts.take();
}

std::vector<std::string_view> rsplit_at(Runtime& runtime, std::string_view text, std::string_view separator,
                                        int64_t limit) {
  const std::string reversed(text.rbegin(), text.rend());
  const std::string reversed_separator(separator.rbegin(), separator.rend());
  TextParts found_parts(runtime);
  std::size_t end = text.size();
  while (limit < 0 || static_cast<int64_t>(found_parts.size()) < limit) {
    const std::size_t found = rfind_reversed(reversed, reversed_separator, end);
    if (found == std::string_view::npos) break;
    found_parts.add(text.substr(found + separator.size(), end - found - separator.size()));
    end = found;
  }
  found_parts.add(text.substr(0, end));
  std::vector<std::string_view> parts = found_parts.take();
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_lines(Runtime& runtime, std::string_view text, bool keep_ends) {
  TextParts lines(runtime);
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const char32_t p = c.code_point;
    const bool ends =
        (p >= 0x0A && p <= 0x0D) || (p >= 0x1C && p <= 0x1E) || p == 0x85 || p == 0x2028 || p == 0x2029;
    std::size_t next = at + c.length;
    if (ends) {
      if (p == U'\r' && next < text.size() && text[next] == '\n') ++next;
      lines.add(text.substr(start, (keep_ends ? next : at) - start));
      start = next;
    }
    at = next;
  }
  if (start < text.size()) lines.add(text.substr(start));
  return lines.take();
}

int64_t count_text(std::string_view text, std::string_view needle) {
  if (needle.empty()) return static_cast<int64_t>(count_code_points(text)) + 1;
  int64_t count = 0;
  std::size_t at = find_text(text, needle);
  for (; at != std::string_view::npos; at = find_text(text, needle, at + needle.size())) ++count;
  return count;
}

std::size_t rfind_text(std::string_view text, std::string_view needle) {
  const std::string reversed(text.rbegin(), text.rend());
  return rfind_reversed(reversed, std::string(needle.rbegin(), needle.rend()), text.size());
}

std::string pad(Runtime& runtime, std::string_view text, uint64_t left, uint64_t right,
                std::string_view fill) {
  const uint64_t most = std::max(left, right);
  if (most > kMaxTextBytes) runtime.reserve_text(most);
  runtime.reserve_text(text.size() + (left + right) * fill.size());
  std::string out;
  for (uint64_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (uint64_t i = 0; i < right; ++i) out += fill;
  return out;
}

std::string center(Runtime& runtime, std::string_view text, int64_t width, std::string_view fill) {
  const auto length = static_cast<int64_t>(count_code_points(text));
  if (width <= length) return std::string(text);
  const int64_t margin = width - length;
  const int64_t left = margin / 2 + (margin & width & 1);  // as CPython rounds
  return pad(runtime, text, static_cast<uint64_t>(left), static_cast<uint64_t>(margin - left), fill);
}

}  // namespace saescope::jinja
