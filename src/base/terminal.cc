#include "base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "base/utf8.h"

namespace saescope {
namespace {

/// Where the text of a line's last column begins: behind its last run of two spaces or more.
std::size_t hanging_indent(std::string_view line) {
  const std::size_t first = line.find_first_not_of(' ');
  if (first == std::string_view::npos) return 0;
  const std::size_t gap = line.rfind("  ");
  return gap == std::string_view::npos ? first : line.find_first_not_of(' ', gap);
}

void append_wrapped(std::string& out, std::string_view line, std::size_t columns) {
  constexpr std::size_t kNarrowest = 20;  // columns that a text must keep beside its indent
  std::size_t indent = hanging_indent(line);
  if (indent + kNarrowest > columns) indent = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t room = columns - std::min(indent, columns - 1);
  out += line.substr(0, indent);
  std::string_view text = line.substr(indent);
  while (text.size() > room) {
    std::size_t cut = text.rfind(' ', room);
    if (cut == std::string_view::npos || cut == 0) cut = text.find(' ', room);
    if (cut == std::string_view::npos) break;
    out += text.substr(0, cut);
    out += '\n' + std::string(indent, ' ');
    text.remove_prefix(cut + 1);
  }
  out += text;
}

}  // namespace

std::optional<std::size_t> terminal_width(int descriptor) {
  winsize size = {};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

std::string_view fit_line(std::string_view line, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!begins_character(line[i])) continue;
    if (characters++ == columns) return line.substr(0, i);
  }
  return line;
}

std::string wrap_lines(std::string_view text, std::size_t columns) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    append_wrapped(out, text.substr(0, end), columns);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace saescope
