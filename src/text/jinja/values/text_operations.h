#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/jinja/values/runtime.h"

namespace saescope::jinja {

// What filters and methods of `str` share.

/// `str.replace`; a negative `limit` replaces all. An empty `old` stands between all characters.
std::string replace_text(Runtime& runtime, std::string_view text, std::string_view old,
                         std::string_view replacement, int64_t limit);

/// Parts of a text, in its order. Each is charged before it is kept, as much as the value it will become.
class TextParts {
 public:
  explicit TextParts(Runtime& runtime) : runtime_(runtime) {}
  void add(std::string_view part) {
    runtime_.reserve_items(1);
    parts_.push_back(part);
  }
  std::size_t size() const { return parts_.size(); }
  std::vector<std::string_view> take() { return std::move(parts_); }

 private:
  Runtime& runtime_;
  std::vector<std::string_view> parts_;
};

/// `str.split` at white space; a negative `limit` means no limit.
std::vector<std::string_view> split_at_space(Runtime& runtime, std::string_view text, int64_t limit);
/// `str.rsplit` at white space, in the text's order.
std::vector<std::string_view> rsplit_at_space(Runtime& runtime, std::string_view text, int64_t limit);
/// `str.split` and `str.rsplit` at a separator that is not empty.
std::vector<std::string_view> split_at(Runtime& runtime, std::string_view text, std::string_view separator,
                                       int64_t limit);
std::vector<std::string_view> rsplit_at(Runtime& runtime, std::string_view text, std::string_view separator,
                                        int64_t limit);
/// `str.splitlines`; the line ends stay where `keep_ends`.
std::vector<std::string_view> split_lines(Runtime& runtime, std::string_view text, bool keep_ends);

/// Number of occurrences that do not overlap.
int64_t count_text(std::string_view text, std::string_view needle);
/// Last position of `needle`, or npos. Linear in the worst case.
std::size_t rfind_text(std::string_view text, std::string_view needle);
/// `text` between so many fill characters.
std::string pad(Runtime& runtime, std::string_view text, uint64_t left, uint64_t right,
                std::string_view fill);
/// `str.center` to a width in code points.
std::string center(Runtime& runtime, std::string_view text, int64_t width, std::string_view fill);

}  // namespace saescope::jinja
