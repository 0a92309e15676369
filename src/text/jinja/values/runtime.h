#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// Evaluated nodes, plus steps for what is built or read: one for every 16 bytes of text, two for an element,
/// and some for the container itself. So they bound time and memory alike.
inline constexpr uint64_t kMaxSteps = 10'000'000;
/// Bytes of any string.
inline constexpr uint64_t kMaxTextBytes = uint64_t{64} << 20;
/// Bytes of the output. It is tokenised as a whole, which takes some 20 times its memory.
inline constexpr uint64_t kMaxOutputBytes = uint64_t{16} << 20;
/// Containers inside containers.
inline constexpr uint32_t kMaxValueDepth = 100;
/// Evaluations inside evaluations; a macro that calls itself takes about five of them.
inline constexpr int kMaxRecursion = 1000;

/// The state of one rendering: the place for messages, the limits, and the objects it created.
class Runtime {
 public:
  /// @param where the template's name for messages; must outlive this object
  explicit Runtime(std::string_view where, uint64_t max_steps = kMaxSteps)
      : where_(where), max_steps_(max_steps) {}
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[noreturn]] void fail(std::string what, std::string hint = {}) const;
  /// The failure of a limit, `what` telling which.
  [[noreturn]] void fail_limit(std::string what) const;
  void at_line(int line) { line_ = line; }
  int line() const { return line_; }

  void spend(uint64_t steps) {
    if (steps > max_steps_ - steps_) fail_steps();
    steps_ += steps;
  }
  void spend_bytes(uint64_t bytes) { spend(1 + bytes / 16); }

  /// Checks and charges a text of `bytes` before it is built.
  void reserve_text(uint64_t bytes);
  /// Checks and charges a sequence of `count` elements before it is built.
  void reserve_items(uint64_t count) { spend(8 + 2 * count); }

  Value text(std::string bytes, bool markup = false);
  Value sequence(SequenceKind kind, std::vector<Value> items);
  Value list(std::vector<Value> items) { return sequence(SequenceKind::kList, std::move(items)); }
  Value tuple(std::vector<Value> items) { return sequence(SequenceKind::kTuple, std::move(items)); }
  Value range(int64_t start, int64_t stop, int64_t step);
  Value dict(std::shared_ptr<Dict> dict);

  /// Creates an object that lives as long as this Runtime.
  template <class T, class... Args>
  T* create(Args&&... args) {
    spend(16);
    auto owned = std::make_unique<T>(std::forward<Args>(args)...);
    T* raw = owned.get();
    objects_.push_back(std::move(owned));
    return raw;
  }

  /// One level of evaluation; counts while it lives.
  class Level {
   public:
    explicit Level(Runtime& runtime) : runtime_(runtime) {
      if (++runtime_.level_ > kMaxRecursion) runtime_.fail_recursion();
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --runtime_.level_; }

   private:
    Runtime& runtime_;
  };

 private:
  [[noreturn]] void fail_recursion();
  [[noreturn]] void fail_steps() const;
  uint32_t depth_above(uint32_t depth) const;

  std::string_view where_;
  int line_ = 1;
  int level_ = 0;
  uint64_t max_steps_;
  uint64_t steps_ = 0;
  std::vector<std::unique_ptr<Object>> objects_;
};

/// The arguments of a call by Python's rules: positional, then by name.
class Parameters {
 public:
  /// @param names the parameters in order; an empty name can only be given by position
  /// @throws InputError where an argument is missing, unknown, given twice or one too many
  Parameters(Runtime& runtime, std::string_view function, const Arguments& arguments,
             std::vector<std::string_view> names, std::size_t required);
  /// The argument, or null where it was left out.
  const Value* find(std::size_t i) const { return values_[i]; }
  const Value& operator[](std::size_t i) const { return *values_[i]; }
  bool truth(std::size_t i, bool fallback) const {
    return values_[i] == nullptr ? fallback : values_[i]->truth();
  }
  /// @throws InputError where the argument is there and no integer
  int64_t integer(std::size_t i, int64_t fallback) const;
  /// Null where the argument is left out or None. @throws InputError where it is no string.
  const Text* string_or_none(std::size_t i) const;
  /// @throws InputError where the argument is no string
  const Text& string(std::size_t i) const;

 private:
  Runtime& runtime_;
  std::string_view function_;
  std::vector<const Value*> values_;
};

}  // namespace saescope::jinja
