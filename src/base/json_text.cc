#include "base/json_text.h"

#include <fmt/format.h>

#include <algorithm>

#include <iterator>

#include "base/utf8.h"

namespace saescope {

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

std::string shown_text(std::string_view text) {
  constexpr std::size_t kShown = 80;
  const std::size_t end = character_start(text, std::min(kShown, text.size()));
  std::string out;
  append_json_string(out, text.substr(0, end));
  if (end < text.size()) out += fmt::format(" … ({} bytes)", text.size());
  return out;
}

}  // namespace saescope
