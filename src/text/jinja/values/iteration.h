#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "text/jinja/values/runtime.h"
#include "text/jinja/values/value.h"

namespace saescope::jinja {

/// `list(value)`; a generator is consumed.
std::vector<Value> iterate(Runtime& runtime, const Value& value);
bool is_iterable(const Value& value);
/// `len(value)`, or nothing where the type has no length.
std::optional<int64_t> length(Runtime& runtime, const Value& value);

/// `object[start:stop:step]` with None for parts that are left out.
Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step);

/// Python's slice bounds for a sequence of `size` elements: first index, step, and how many.
struct SliceRange {
  int64_t first = 0;
  int64_t step = 1;
  int64_t count = 0;
};
SliceRange slice_range(Runtime& runtime, int64_t size, const Value& start, const Value& stop,
                       const Value& step);

}  // namespace saescope::jinja
