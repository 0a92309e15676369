#include "engine/table_tensors.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <type_traits>

#include "base/error.h"
#include "engine/checked_tensors.h"

namespace saescope {
namespace {

template <typename T>
constexpr DType dtype_for() {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);
  if (std::is_same_v<T, float>) return DType::kF32;
  return sizeof(T) == 8 ? DType::kI64 : DType::kI32;
}

std::string prefix_of(const FeatureTable& table) {
  return fmt::format("{}/{}/", table.source().name(), table.token());
}

/// A StrongPrompt is two numbers of 32 bits.
std::span<const uint32_t> as_words(const std::vector<StrongPrompt>& prompts) {
  static_assert(sizeof(StrongPrompt) == 2 * sizeof(uint32_t));
  return {reinterpret_cast<const uint32_t*>(prompts.data()), prompts.size() * 2};
}

const TensorView& find(const NamedTensors& tensors, const std::string& name, DType dtype,
                       const std::string& where) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.dtype != dtype || found->second.shape.size() != 1) {
    throw InputError({.what = "a part of a job lacks numbers",
                      .where = where,
                      .expected = fmt::format("tensor {} of {}", name, name_of(dtype)),
                      .hint = "remove the file and run the part's task again"});
  }
  return found->second;
}

template <typename T>
void read_into(std::vector<T>& values, const TensorView& view) {
  values.resize(static_cast<std::size_t>(view.shape[0]));
  if (!values.empty()) std::memcpy(values.data(), view.data, values.size() * sizeof(T));
}

}  // namespace

void TableTensors::add(FeatureTable& table) {
  const std::string prefix = prefix_of(table);
  const auto add_values = [&](const char* name, const auto& values) {
    using T = std::remove_cvref_t<decltype(values[0])>;
    tensors_.push_back({prefix + name, dense_tensor(dtype_for<T>(), values.data(), {values.size()})});
  };
  table.for_each_accumulator(add_values);
  if (table.details() == nullptr) return;
  const FeatureDetails::Arrays& arrays = arrays_.emplace_back(table.details()->arrays());
  add_values("active", arrays.features);
  add_values("distributions", arrays.distributions);
  add_values("strongest", as_words(arrays.strongest));
}

void TableTensors::load(FeatureTable& table, const NamedTensors& tensors, const std::string& where) {
  const std::string prefix = prefix_of(table);
  table.for_each_accumulator([&](const char* name, auto& values) {
    using T = std::remove_cvref_t<decltype(values[0])>;
    const TensorView& view = find(tensors, prefix + name, dtype_for<T>(), where);
    if (view.shape[0] != values.size()) {
      throw InputError({.what = "a part of a job is of other features",
                        .where = where,
                        .expected = fmt::format("{} numbers in {}{}", values.size(), prefix, name),
                        .found = std::to_string(view.shape[0]),
                        .hint = "remove the file and run the part's task again"});
    }
    read_into(values, view);
  });
  if (table.details() == nullptr) return;
  FeatureDetails::Arrays arrays;
  read_into(arrays.features, find(tensors, prefix + "active", DType::kI64, where));
  read_into(arrays.distributions, find(tensors, prefix + "distributions", DType::kI32, where));
  std::vector<uint32_t> words;
  read_into(words, find(tensors, prefix + "strongest", DType::kI32, where));
  arrays.strongest.resize(words.size() / 2);
  for (std::size_t i = 0; i < arrays.strongest.size(); ++i) {
    arrays.strongest[i] = {words[2 * i], std::bit_cast<float>(words[2 * i + 1])};
  }
  table.details()->restore(arrays);
}

}  // namespace saescope
