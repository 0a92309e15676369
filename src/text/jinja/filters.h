#pragma once

#include <span>
#include <string>
#include <string_view>

#include "text/jinja/runtime.h"
#include "text/jinja/value.h"

namespace saescope::jinja {

/// A filter: the first positional argument is the value that is filtered.
using FilterFunction = Value (*)(Runtime& runtime, const Arguments& arguments);

struct FilterEntry {
  std::string_view name;
  FilterFunction function;
};

/// Jinja's filter of that name (with transformers' `tojson`), or null.
FilterFunction find_filter(std::string_view name);
/// The message for a name that find_filter does not know.
std::string describe_missing_filter(const std::string& name);
/// @throws InputError where the filter does not exist or raises.
Value call_filter(Runtime& runtime, const std::string& name, const Arguments& arguments);

// The filters by what they work on.
std::span<const FilterEntry> text_filters();
std::span<const FilterEntry> number_filters();
std::span<const FilterEntry> sequence_filters();
std::span<const FilterEntry> selection_filters();

}  // namespace saescope::jinja
