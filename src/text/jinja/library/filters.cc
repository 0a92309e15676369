#include "text/jinja/library/filters.h"

#include <algorithm>
#include <array>

#include "text/jinja/library/named_table.h"
#include "text/jinja/library/number_filters.h"
#include "text/jinja/library/selection_filters.h"
#include "text/jinja/library/sequence_filters.h"
#include "text/jinja/library/text_filters.h"

namespace saescope::jinja {
FilterFunction find_filter(std::string_view name) {
  for (const auto filters : {text_filters(), number_filters(), sequence_filters(), selection_filters()}) {
    if (const FilterFunction function = find_named(filters, name)) return function;
  }
  return nullptr;
}

std::string describe_missing_filter(const std::string& name) {
  static constexpr std::array<std::string_view, 9> kOthers = {"filesizeformat", "pprint",   "random",
                                                              "striptags",      "truncate", "urlencode",
                                                              "urlize",         "wordwrap", "xmlattr"};
  const bool exists = std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
  return exists ? "the filter '" + name + "' is not supported" : "no filter named '" + name + "'";
}

Value call_filter(Runtime& runtime, const std::string& name, const Arguments& arguments) {
  const FilterFunction function = find_filter(name);
  if (function == nullptr) runtime.fail(describe_missing_filter(name));
  return function(runtime, arguments);
}

}  // namespace saescope::jinja
