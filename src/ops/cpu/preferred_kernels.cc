#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/error.h"
#include "ops/cpu/kernels.h"

namespace saescope {
namespace {

constexpr const char* kLimitVariable = "SAESCOPE_MAX_CPU_ISA";

}  // namespace

const Kernels& preferred_kernels() {
  const std::vector<const Kernels*> runnable = runnable_kernels();
  const std::string limit = environment_text(kLimitVariable);
  if (limit.empty()) return *runnable.front();

  const std::vector<const Kernels*> built = built_kernels();
  std::vector<std::string_view> names;
  for (const Kernels* kernels : built) names.emplace_back(kernels->name);
  const auto allowed = std::find(names.begin(), names.end(), std::string_view(limit));
  if (allowed == names.end()) {
    throw InputError({.what = "unknown instruction set",
                      .where = kLimitVariable,
                      .expected = fmt::format("one of: {}", fmt::join(names, ", ")),
                      .found = limit,
                      .hint = "unset the variable: the best that the processor runs is taken"});
  }
  // Both lists have the best first, and the last one of them runs everywhere.
  const auto first = std::find_first_of(built.begin() + (allowed - names.begin()), built.end(),
                                        runnable.begin(), runnable.end());
  return **first;
}

}  // namespace saescope
