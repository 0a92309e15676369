#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "text/jinja/engine/interpreter.h"

namespace saescope::jinja {

/// The items of a `for`, given out one by one through its `if`.
class LoopItems {
 public:
  /// @param keep the loop's `if`; always true where it has none
  LoopItems(std::vector<Value> items, std::function<bool(const Value&)> keep)
      : items_(std::move(items)), keep_(std::move(keep)) {}
  std::optional<Value> next();

 private:
  std::vector<Value> items_;
  std::size_t at_ = 0;
  std::function<bool(const Value&)> keep_;
};

/// The variable `loop` (jinja2.runtime.LoopContext).
class LoopObject final : public Object {
 public:
  /// @param render runs the loop's body over other items; null where it is not recursive
  LoopObject(LoopItems items, int64_t depth0, std::function<Value(const Value&)> render)
      : items_(std::move(items)), depth0_(depth0), render_(std::move(render)) {}

  /// The next item, or nothing at the end.
  std::optional<Value> advance();

  std::string_view type_name() const override { return "LoopContext"; }
  bool callable() const override { return true; }
  Value call(Runtime& runtime, const Arguments& arguments) override;
  std::optional<Value> attribute(Runtime& runtime, std::string_view name) override;
  std::optional<int64_t> length(Runtime& runtime) override;
  std::string repr(Runtime& runtime) override;
  /// `loop.changed(…)`.
  bool changed(Runtime& runtime, const std::vector<Value>& values);

 private:
  class Helper;
  bool has_next();
  int64_t count();

  LoopItems items_;
  std::deque<Value> ahead_;  // read before their turn
  int64_t index0_ = -1;
  int64_t depth0_;
  Value previous_;
  Value current_;
  std::optional<Value> last_changed_;
  std::function<Value(const Value&)> render_;
};

}  // namespace saescope::jinja
