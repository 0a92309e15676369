#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// The header fields of one HTTP response. What a server may make us keep is bounded.
class HttpHeaders {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{64} * 1024;

  /// Takes one `Name: value` line; a repeated field keeps its first value. Lines of another form are ignored.
  /// @return false once the fields are more than kMaxBytes
  bool add_line(std::string_view line);
  /// The trimmed value of a field, by its lower-case name.
  std::optional<std::string> get(std::string_view name) const;
  void clear();

 private:
  std::map<std::string, std::string, std::less<>> fields_;
  std::size_t bytes_ = 0;
};

/// `bytes 100-199/200` of a partial answer.
struct ContentRange {
  uint64_t first = 0;  ///< first byte
  uint64_t last = 0;   ///< last byte, included
  uint64_t size = 0;   ///< bytes of the whole file
};

/// Nothing where the value is malformed, contradicts itself or leaves the size open (`*`).
std::optional<ContentRange> parse_content_range(std::string_view value);

/// A decimal number of digits only that 64 bits hold.
std::optional<uint64_t> parse_decimal(std::string_view text);

/// The wait a Retry-After field asks for: seconds, or a date seen from `now`. Nothing where it is neither.
std::optional<std::chrono::seconds> parse_retry_after(const std::string& value, std::time_t now);

}  // namespace saescope
