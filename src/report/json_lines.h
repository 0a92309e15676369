#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// Bytes of one line: twice what a context of a million tokens holds.
inline constexpr std::size_t kLongestJsonLine = std::size_t{8} << 20;

/// A line of a JSONL file.
struct JsonLine {
  std::string_view text;
  std::size_t number;  ///< counts from 1, blank lines included
  std::string place;   ///< "file:number", for messages
};

/// Hands out the lines of a file one after the other: UTF-8 without NULs (which the JSON library takes for
/// the end), at most kLongestJsonLine bytes. A BOM and CRLF are tolerated, blank lines skipped.
/// @param example of a line, for messages @throws InputError with file and line
void for_each_json_line(std::istream& in, const std::string& file, std::string_view example,
                        const std::function<void(const JsonLine&)>& take);

/// A top-level member of a line's object that a reader wants.
struct JsonField {
  std::string_view key;
  std::string text = {};  ///< a string's characters, or a whole number's digits
  std::string type =
      "nothing";  ///< what stood there, for messages; "a string" and "a whole number" set the text

  bool is_string() const { return type == "a string"; }
  bool is_whole_number() const { return type == "a whole number"; }
  bool is_absent() const { return type == "nothing"; }
};

/// Fills `fields` from a line. Where a key stands twice the last one counts, as in Python. Nothing else is
/// kept, whatever the line holds, and its depth costs no stack.
/// @throws InputError where the line is no JSON object
void read_json_fields(const JsonLine& line, std::string_view example, std::span<JsonField> fields);

/// A bad line's error. @param found what stands there
[[noreturn]] void refuse_json_line(const JsonLine& line, std::string what, std::string expected,
                                   std::string found);

/// A folder's own files whose names end in one of `endings`, in byte order of their names. As for a shell's
/// pattern, hidden files (an editor's, or the "._x.jsonl" that macOS leaves on foreign disks) do not belong
/// to them.
/// @throws InputError where the folder cannot be listed or holds something else under such a name
std::vector<std::filesystem::path> list_files(const std::filesystem::path& folder,
                                              std::span<const std::string_view> endings);

/// @throws InputError where the path is no regular file
void require_regular_file(const std::filesystem::path& path);

}  // namespace saescope
