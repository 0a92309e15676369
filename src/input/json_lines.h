#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace saescope {

/// Bytes of one line: twice what a context of a million tokens holds.
inline constexpr std::size_t kLongestJsonLine = std::size_t{8} << 20;

/// A line of a file of JSON lines, without its line feed.
struct JsonLine {
  std::string_view text;
  std::size_t number = 0;     ///< from 1, blank lines counted
  std::string place;          ///< "file:number", for messages
  std::string_view expected;  ///< what a line looks like, for messages
};

/// The file that text comes from.
struct JsonOrigin {
  const std::string& file;     ///< its name, for messages
  std::size_t first_line = 1;  ///< on which the text begins
  std::string_view expected;   ///< what a line or an element looks like, for messages
};

/// Hands out the lines of a stream one after the other; a BOM, blank lines and CRLF are tolerated. Memory is
/// bounded by one line. What the stream buffer throws passes through.
/// @throws InputError with the line on one of more than kLongestJsonLine bytes, on text that is not UTF-8 and
///         on a NUL, which the JSON library takes for the end of the line.
void for_each_json_line(std::istream& in, const JsonOrigin& origin,
                        const std::function<void(const JsonLine&)>& take);

/// Hands out the elements of the one array that a text is, as if each were a line. Memory is bounded by one
/// element. @throws as for_each_json_line, and where the array does not end
void for_each_json_element(std::streambuf& array, const JsonOrigin& origin,
                           const std::function<void(const JsonLine&)>& take);

/// Python writes NaN, Infinity and -Infinity, which are no JSON: the text with `null` in their place.
std::string without_python_constants(std::string_view json);

/// A key that is read of a line's object. The last occurrence of a key counts, as in Python.
struct JsonField {
  std::string_view name;
  std::string_view type = "nothing";  ///< what stood there, for messages, such as "a string" or "null"
  std::string text = {};              ///< of a string: it; of a number: its digits

  bool is_string() const { return type == "a string"; }
  bool is_number() const { return type == "a number"; }
  bool is_null() const { return type == "null"; }
  bool is_absent() const { return type == "nothing"; }
};

/// Reads the object of a line. Only the fields are kept, whatever else the line holds, and a line's depth and
/// length cost no stack. @throws InputError where the line is not one JSON object.
/// @param keys if given, gets the names of all of the object's keys
void read_json_object(const JsonLine& line, std::span<JsonField> fields,
                      std::vector<std::string>* keys = nullptr);

/// The error of a line.
[[nodiscard]] InputError json_line_error(std::string what, const JsonLine& line, std::string expected,
                                         std::string found);

}  // namespace saescope
