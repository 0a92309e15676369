#include "base/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace saescope {
namespace {

// A field takes 32 bytes even where it is empty.
constexpr std::size_t kMostFields = 10'000;
constexpr std::size_t kLongestField = std::size_t{16} << 20;
constexpr std::string_view kSeparatorLine = "sep=";

/// A cursor over CSV text that knows its line.
class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& where, char separator)
      : text_(text), where_(where), separator_(separator), stops_{separator, '\r', '\n'} {
    if (text_.substr(0, kUtf8ByteOrderMark.size()) == kUtf8ByteOrderMark) pos_ = kUtf8ByteOrderMark.size();
    if (text_.substr(pos_, kSeparatorLine.size()) != kSeparatorLine) return;
    pos_ = std::min(text_.find_first_of("\r\n", pos_), text_.size());
  }

  void parse(const std::function<void(const CsvRecord&)>& take) {
    while (!at_end()) {
      if (!skip_line_end()) take(parse_record());
    }
  }

 private:
  bool at_end() const { return pos_ == text_.size(); }
  bool at_line_end() const { return at_end() || text_[pos_] == '\n' || text_[pos_] == '\r'; }

  bool skip_line_end() {
    if (at_end() || !at_line_end()) return false;
    pos_ += text_.substr(pos_, 2) == "\r\n" ? 2 : 1;
    ++line_;
    return true;
  }

  CsvRecord parse_record() {
    CsvRecord record{{}, line_};
    for (;;) {
      const bool quoted = !at_end() && text_[pos_] == '"';
      record.fields.push_back(quoted ? parse_quoted() : parse_plain());
      if (at_line_end()) break;
      if (record.fields.size() == kMostFields) {
        throw error(record.line, "the row has too many fields", fmt::format("at most {}", kMostFields));
      }
      ++pos_;  // the comma
    }
    skip_line_end();
    return record;
  }

  /// Up to a comma or the line's end; a quote inside stands for itself, as pandas reads it.
  std::string parse_plain() {
    const std::size_t end = std::min(text_.find_first_of({stops_.data(), stops_.size()}, pos_), text_.size());
    const std::string_view field = text_.substr(pos_, end - pos_);
    check_length(field.size(), line_);
    pos_ = end;
    return std::string(field);
  }

  std::string parse_quoted() {
    const std::size_t opened = line_;
    std::string field;
    for (;;) {
      ++pos_;  // the opening quote, or the second one of a doubled quote
      const std::size_t end = text_.find('"', pos_);
      if (end == std::string_view::npos) {
        throw error(opened, "a quoted field is never closed", "a closing \"");
      }
      const std::string_view part = text_.substr(pos_, end - pos_);
      check_length(field.size() + part.size(), opened);
      count_lines(part);
      field += part;
      pos_ = end + 1;
      if (at_end() || text_[pos_] != '"') break;
      field += '"';
    }
    if (!at_line_end() && text_[pos_] != separator_) {
      throw error(line_, "text behind a closing quote", "a comma or the end of the line");
    }
    return field;
  }

  void check_length(std::size_t bytes, std::size_t line) const {
    if (bytes <= kLongestField) return;
    throw error(line, "a field is too long", fmt::format("at most {} bytes", kLongestField));
  }

  void count_lines(std::string_view part) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      const bool crlf = part[i] == '\r' && i + 1 < part.size() && part[i + 1] == '\n';
      if ((part[i] == '\n' || part[i] == '\r') && !crlf) ++line_;
    }
  }

  InputError error(std::size_t line, std::string what, std::string expected) const {
    return InputError({.what = std::move(what),
                       .where = fmt::format("{}:{}", where_, line),
                       .expected = std::move(expected),
                       .found = {},
                       .hint = "inside a quoted field a quote is written twice"});
  }

  std::string_view text_;
  const std::string& where_;
  char separator_;
  std::array<char, 3> stops_;
  std::size_t pos_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

void append_csv_field(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

namespace {

template <typename Float>
std::string shortest_decimal(Float value) {
  // The shortest digits d.ddd and the decimal exponent …
  std::array<char, 32> buffer{};
  const auto written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
  const std::size_t e = scientific.find('e');
  if (e == std::string_view::npos) return std::string(scientific);  // inf, nan
  const std::string_view mantissa = scientific.substr(0, e);

  // … laid out as float_repr_style "short" does: positional for 1e-4 ≤ |value| < 1e16.
  int exponent = 0;
  const bool negative_exponent = scientific[e + 1] == '-';
  std::from_chars(scientific.data() + e + 2, written.ptr, exponent);
  if (negative_exponent) exponent = -exponent;
  if (exponent < -4 || exponent >= 16) return std::string(scientific);

  std::string digits;
  for (const char c : mantissa) {
    if (c >= '0' && c <= '9') digits += c;
  }
  std::string text = mantissa.front() == '-' ? "-" : "";
  if (exponent < 0) {
    return text + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;
  digits.resize(std::max(digits.size(), whole + 1), '0');
  return text + digits.insert(whole, ".");
}

}  // namespace

std::string format_float(float value) { return shortest_decimal(value); }

std::string format_double(double value) { return std::isnan(value) ? "" : shortest_decimal(value); }

void for_each_csv_record(std::string_view text, const std::string& where,
                         const std::function<void(const CsvRecord&)>& take, char separator) {
  CsvParser(text, where, separator).parse(take);
}

char csv_separator(std::string_view text, std::string_view column) {
  if (text.starts_with(kUtf8ByteOrderMark)) text.remove_prefix(kUtf8ByteOrderMark.size());
  if (text.starts_with(kSeparatorLine) && text.size() > kSeparatorLine.size())
    return text[kSeparatorLine.size()];
  while (!text.empty() && (text.front() == '\r' || text.front() == '\n')) text.remove_prefix(1);
  const std::string line(text.substr(0, text.find_first_of("\r\n")));
  for (const char separator : {',', ';', '\t'}) {
    std::string_view rest = line;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(separator), rest.size());
      std::string_view field = rest.substr(0, end);
      if (field.size() >= 2 && field.front() == '"' && field.back() == '"')
        field = field.substr(1, field.size() - 2);
      if (field == column) return separator;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return ',';
}

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& where) {
  std::vector<CsvRecord> records;
  for_each_csv_record(text, where, [&](const CsvRecord& record) { records.push_back(record); });
  return records;
}

}  // namespace saescope
