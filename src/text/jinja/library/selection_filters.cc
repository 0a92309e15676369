#include "text/jinja/library/selection_filters.h"

#include <array>
#include <functional>

#include "text/jinja/library/attribute_path.h"
#include "text/jinja/library/filters.h"
#include "text/jinja/library/predicates.h"
#include "text/jinja/values/iteration.h"

namespace saescope::jinja {
namespace {

// A filter's or test's name given as a value, with the arguments that go to it.
struct Delegate {
  std::string name;
  Arguments arguments;  // the first positional one is replaced by each item
};

Delegate delegate(Runtime& runtime, const Arguments& arguments, std::size_t name_at) {
  const Value& name = arguments.positional[name_at];
  if (!name.is_string()) {
    runtime.fail("the name of a filter or test must be a str, not " + std::string(name.type_name()));
  }
  Delegate made{name.bytes(), {{Value()}, arguments.keywords}};
  made.arguments.positional.insert(made.arguments.positional.end(),
                                   arguments.positional.begin() + static_cast<std::ptrdiff_t>(name_at) + 1,
                                   arguments.positional.end());
  return made;
}

Value empty_generator(Runtime& runtime) { return runtime.sequence(SequenceKind::kGenerator, {}); }

Value map_attribute(Runtime& runtime, const Arguments& arguments) {
  Arguments named{{}, arguments.keywords};
  const Parameters parameters(runtime, "map", named, {"attribute", "default"}, 1);
  const AttributePath path(runtime, parameters.find(0));
  std::vector<Value> items = iterate(runtime, arguments.positional[0]);
  for (Value& item : items) item = path.resolve(runtime, std::move(item), parameters.find(1));
  return runtime.sequence(SequenceKind::kGenerator, std::move(items));
}

bool has_keyword(const Arguments& arguments, std::string_view name) {
  for (const auto& [keyword, value] : arguments.keywords) {
    if (keyword == name) return true;
  }
  return false;
}

Value map(Runtime& runtime, const Arguments& arguments) {
  if (!arguments.positional[0].truth()) return empty_generator(runtime);
  if (arguments.positional.size() == 1) {
    if (!has_keyword(arguments, "attribute")) runtime.fail("map requires a filter argument");
    return map_attribute(runtime, arguments);
  }
  Delegate filter = delegate(runtime, arguments, 1);
  std::vector<Value> items = iterate(runtime, arguments.positional[0]);
  for (Value& item : items) {
    filter.arguments.positional[0] = item;
    item = call_filter(runtime, filter.name, filter.arguments);
  }
  return runtime.sequence(SequenceKind::kGenerator, std::move(items));
}

template <bool keeps, bool by_attribute>
Value choose(Runtime& runtime, const Arguments& arguments) {
  if (!arguments.positional[0].truth()) return empty_generator(runtime);
  constexpr std::size_t kTest = by_attribute ? 2 : 1;
  if (by_attribute && arguments.positional.size() < 2) {
    runtime.fail("the name of an attribute is missing");
  }
  const AttributePath path(runtime, by_attribute ? &arguments.positional[1] : nullptr);
  const bool has_test = arguments.positional.size() > kTest;
  Delegate test;
  if (has_test) test = delegate(runtime, arguments, kTest);
  std::vector<Value> kept;
  for (Value& item : iterate(runtime, arguments.positional[0])) {
    Value value = path.resolve(runtime, item);
    bool holds = value.truth();
    if (has_test) {
      test.arguments.positional[0] = std::move(value);
      holds = call_test(runtime, test.name, test.arguments);
    }
    if (holds == keeps) kept.push_back(std::move(item));
  }
  return runtime.sequence(SequenceKind::kGenerator, std::move(kept));
}

constexpr auto kSelectionFilters = std::to_array<FilterEntry>({{"map", map},
                                                               {"select", choose<true, false>},
                                                               {"reject", choose<false, false>},
                                                               {"selectattr", choose<true, true>},
                                                               {"rejectattr", choose<false, true>}});

}  // namespace

std::span<const FilterEntry> selection_filters() { return kSelectionFilters; }

}  // namespace saescope::jinja
