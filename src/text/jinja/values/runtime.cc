#include "text/jinja/values/runtime.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "text/jinja/values/unicode.h"

namespace saescope::jinja {

void Runtime::fail(std::string what, std::string hint) const {
  throw InputError({.what = "the chat template cannot be rendered: " + std::move(what),
                    .where = std::string(where_) + ", line " + std::to_string(line_),
                    .expected = {},
                    .found = {},
                    .hint = std::move(hint)});
}

void Runtime::fail_limit(std::string what) const {
  fail(std::move(what), "a template that needs this much does not belong to a chat model");
}

void Runtime::fail_recursion() {
  --level_;  // the destructor of the Level that called does not run
  fail_limit("macros or expressions nest too deeply");
}

void Runtime::fail_steps() const {
  constexpr double kMillion = 1e6;
  fail_limit(fmt::format("it takes more than {} million steps", static_cast<double>(max_steps_) / kMillion));
}

void Runtime::reserve_text(uint64_t bytes) {
  if (bytes > kMaxTextBytes) fail_limit("a text grows beyond 64 MiB");
  spend(4 + bytes / 16);
}

uint32_t Runtime::depth_above(uint32_t depth) const {
  if (depth >= kMaxValueDepth) fail_limit("lists or dicts nest more than 100 deep");
  return depth + 1;
}

Value Runtime::text(std::string bytes, bool markup) {
  reserve_text(bytes.size());
  const std::size_t code_points = count_code_points(bytes);
  return Value(std::make_shared<const Text>(Text{std::move(bytes), code_points, markup}));
}

Value Runtime::sequence(SequenceKind kind, std::vector<Value> items) {
  reserve_items(items.size());
  uint32_t below = 0;
  for (const Value& item : items) below = std::max(below, item.depth());
  auto made = std::make_shared<Sequence>();
  made->kind = kind;
  made->items = std::move(items);
  made->depth = depth_above(below);
  return Value(std::shared_ptr<const Sequence>(std::move(made)));
}

Value Runtime::range(int64_t start, int64_t stop, int64_t step) {
  constexpr uint64_t kMaxRange = 100'000;  // jinja2.sandbox.MAX_RANGE
  if (step == 0) fail("range() arg 3 must not be zero");
  const bool empty = step > 0 ? start >= stop : start <= stop;
  // differences as unsigned: they may pass the signed range
  const auto wide = [](int64_t v) { return static_cast<uint64_t>(v); };
  const uint64_t span = step > 0 ? wide(stop) - wide(start) : wide(start) - wide(stop);
  const uint64_t stride = step > 0 ? wide(step) : 0 - wide(step);
  const uint64_t count = empty ? 0 : (span - 1) / stride + 1;
  if (count > kMaxRange) fail("range too big: the sandbox blocks ranges of more than 100000 items");
  reserve_items(count);
  auto made = std::make_shared<Sequence>();
  made->kind = SequenceKind::kRange;
  made->items.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    made->items.emplace_back(static_cast<int64_t>(wide(start) + i * wide(step)));
  }
  made->range_start = start;
  made->range_stop = stop;
  made->range_step = step;
  return Value(std::shared_ptr<const Sequence>(std::move(made)));
}

Value Runtime::dict(std::shared_ptr<Dict> dict) {
  uint32_t below = 0;
  for (const auto& [key, value] : dict->entries) {
    below = std::max({below, key.depth(), value.depth()});
  }
  dict->depth = depth_above(below);
  return Value(std::shared_ptr<const Dict>(std::move(dict)));
}

Parameters::Parameters(Runtime& runtime, std::string_view function, const Arguments& arguments,
                       std::vector<std::string_view> names, std::size_t required)
    : runtime_(runtime), function_(function), values_(names.size(), nullptr) {
  const std::string call = std::string(function) + "()";
  if (arguments.positional.size() > names.size()) {
    runtime.fail(call + " takes at most " + std::to_string(names.size()) + " arguments, " +
                 std::to_string(arguments.positional.size()) + " are given");
  }
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    values_[i] = &arguments.positional[i];
  }
  for (const auto& [name, value] : arguments.keywords) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (name.empty() || found == names.end()) {
      runtime.fail(call + " got an unexpected keyword argument '" + name + "'");
    }
    const Value*& slot = values_[static_cast<std::size_t>(found - names.begin())];
    if (slot != nullptr) runtime.fail(call + " got multiple values for argument '" + name + "'");
    slot = &value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (values_[i] == nullptr) {
      runtime.fail(call + " needs argument " + std::to_string(i + 1) +
                   (names[i].empty() ? "" : " ('" + std::string(names[i]) + "')"));
    }
  }
}

int64_t Parameters::integer(std::size_t i, int64_t fallback) const {
  if (values_[i] == nullptr) return fallback;
  if (!values_[i]->is_integral()) {
    runtime_.fail(std::string(function_) + "(): '" + std::string(values_[i]->type_name()) +
                  "' object cannot be interpreted as an integer");
  }
  return values_[i]->integral();
}

const Text* Parameters::string_or_none(std::size_t i) const {
  return values_[i] == nullptr || values_[i]->is_none() ? nullptr : &string(i);
}

const Text& Parameters::string(std::size_t i) const {
  if (!values_[i]->is_string()) {
    runtime_.fail(std::string(function_) + "(): a str is expected, not " +
                  std::string(values_[i]->type_name()));
  }
  return values_[i]->text();
}

}  // namespace saescope::jinja
