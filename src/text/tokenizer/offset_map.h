#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace saescope {

/// Where the bytes of a changed text come from in the text it was made of. Between two known places bytes are
/// counted from the first one.
class OffsetMap {
 public:
  /// The byte at `changed` comes from the one at `original`. Both ascend from call to call.
  void add(std::size_t changed, std::size_t original) { points_.push_back({changed, original}); }

  /// The offset in the original text; that of a text without known places is the same.
  std::size_t operator()(std::size_t changed) const {
    const auto next = std::upper_bound(points_.begin(), points_.end(), changed,
                                       [](std::size_t offset, const Point& p) { return offset < p.changed; });
    if (next == points_.begin()) return next == points_.end() ? changed : std::min(changed, next->original);
    const Point& before = *(next - 1);
    const std::size_t original = before.original + (changed - before.changed);
    return next == points_.end() ? original : std::min(original, next->original);
  }

 private:
  struct Point {
    std::size_t changed;
    std::size_t original;
  };
  std::vector<Point> points_;
};

}  // namespace saescope
