#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

/// Appends one field with pandas' default quoting (only where it holds a comma, a quote, a line
/// feed or a carriage return; quotes doubled).
void append_csv_field(std::string& out, std::string_view field);

/// The shortest decimal that reads back to the same float32 ("0.85", "1e-05", "12.0"), written as
/// Python's repr writes a float. `inf` and `nan` never reach an output.
std::string format_float(float value);

/// The same of a float64; as pandas writes them, infinity is "inf" and NaN an empty field.
std::string format_double(double value);

/// One record of a CSV file.
struct CsvRecord {
  std::vector<std::string> fields;
  std::size_t line = 0;  ///< line of the file on which the record starts, from 1
};

/// What separates the fields of a table, by its first line: the first of comma, semicolon and tab with which
/// that holds the column, else a comma. Excel writes semicolons where the comma is the decimal point; its
/// line `sep=;` counts too.
char csv_separator(std::string_view text, std::string_view column);

/// Splits RFC 4180 text (LF, CRLF or CR line ends, quoted fields may hold line ends; a UTF-8 BOM is
/// skipped; blank lines are skipped) and hands out one record after the other. @throws InputError with the
/// line on a quote that is never closed, text behind a closing quote, more than 10,000 fields in a record or
/// more than 16 MiB in a field.
void for_each_csv_record(std::string_view text, const std::string& where,
                         const std::function<void(const CsvRecord&)>& take, char separator = ',');

/// All of them at once.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& where);

}  // namespace saescope
