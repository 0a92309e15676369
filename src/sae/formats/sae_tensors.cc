#include "sae/formats/sae_tensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "ops/weight_rows.h"

namespace saescope {
namespace {

TensorView transposed(const TensorView& view) {
  return {view.dtype, {view.shape[1], view.shape[0]}, {view.strides[1], view.strides[0]}, view.data};
}

/// Rows that share elements would let a small file stand for a dictionary of any size.
bool has_dense_rows_or_columns(const TensorView& matrix) {
  const auto dense = [&](std::size_t along, std::size_t across) {
    const bool apart = matrix.shape[across] == 1 || matrix.strides[across] >= matrix.shape[along];
    return matrix.strides[along] == 1 && apart;
  };
  return dense(0, 1) || dense(1, 0);
}

template <typename T>
double load(const TensorView& view) {
  T value;
  std::copy_n(view.data, sizeof value, reinterpret_cast<std::byte*>(&value));
  return static_cast<double>(value);
}

}  // namespace

const TensorView& SaeTensors::tensor(std::string_view name) const {
  const auto it = state_.tensors.find(name);
  if (it != state_.tensors.end()) return it->second;
  throw InputError(
      {.what = fmt::format("no tensor `{}`", name), .where = path_, .expected = kind_, .found = list_keys()});
}

std::string SaeTensors::list_keys() const {
  constexpr std::size_t kShown = 12;
  std::vector<std::string> names;
  for (const auto& [name, view] : state_.tensors) names.push_back(name);
  for (const auto& [name, value] : state_.scalars) names.push_back(name);
  if (names.empty()) return "no tensors";
  const std::size_t more = names.size() > kShown ? names.size() - kShown : 0;
  names.resize(names.size() - more);
  return fmt::format("the keys {}{}", fmt::join(names, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : "");
}

std::vector<float> SaeTensors::vector(std::string_view name, std::size_t size) const {
  const TensorView& view = tensor(name);
  if (view.shape != Shape{size} || !is_plain_float(view.dtype)) {
    throw unusable(name, view, fmt::format("floats [{}]", size));
  }
  if (size > 1 && view.strides[0] == 0) throw bad_strides(name, view, "a number of its own for each element");
  std::vector<float> values(size);
  // A vector is a matrix of one column, which lets strided ones through.
  const TensorView column{view.dtype, {size, 1}, {view.strides[0], 1}, view.data};
  load_weight_rows(column, 0, size, values.data());
  return values;
}

std::optional<double> SaeTensors::number(std::string_view name) const {
  if (const auto it = state_.scalars.find(name); it != state_.scalars.end()) {
    return std::visit([](auto value) { return static_cast<double>(value); }, it->second);
  }
  const auto it = state_.tensors.find(name);
  if (it == state_.tensors.end()) return std::nullopt;
  const TensorView& view = it->second;
  if (element_count(view.shape) == 1) {
    if (is_plain_float(view.dtype)) {
      float value = 0;
      load_weight_rows({view.dtype, {1, 1}, {1, 1}, view.data}, 0, 1, &value);
      return value;
    }
    if (view.dtype == DType::kI32) return load<int32_t>(view);
    if (view.dtype == DType::kI64) return load<int64_t>(view);
  }
  throw unusable(name, view, "one number");
}

void SaeTensors::require_no_nan(std::string_view name, std::span<const float> limits) const {
  const auto nan = std::find_if(limits.begin(), limits.end(), [](float limit) { return std::isnan(limit); });
  if (nan == limits.end()) return;
  throw InputError({.what = fmt::format("`{}` holds a value that is no number", name),
                    .where = path_,
                    .expected = "numbers",
                    .found = fmt::format("NaN at index {}", nan - limits.begin()),
                    .hint = "the file is damaged; get it again"});
}

void SaeTensors::bind_weight(std::string_view name, Orientation orientation,
                             EncoderParameters& encoder) const {
  const TensorView& stored = tensor(name);
  if (stored.shape.size() != 2 || element_count(stored.shape) == 0 || !is_plain_float(stored.dtype)) {
    throw unusable(name, stored, "a float matrix");
  }
  encoder.weight = orientation == Orientation::kOutIn ? stored : transposed(stored);
  if (!has_dense_rows_or_columns(encoder.weight)) {
    throw bad_strides(name, stored, "a matrix with dense rows or dense columns that do not overlap");
  }
  encoder.dict_size = encoder.weight.shape[0];
  encoder.activation_dim = encoder.weight.shape[1];
}

std::vector<float> SaeTensors::decoder_norms(std::string_view name, Orientation orientation,
                                             const EncoderParameters& encoder) const {
  const TensorView& stored = tensor(name);
  const Shape by_column = {encoder.activation_dim, encoder.dict_size};
  const Shape by_row = {encoder.dict_size, encoder.activation_dim};
  const bool columns = orientation == Orientation::kOutIn;
  if (stored.shape != (columns ? by_column : by_row) || !is_plain_float(stored.dtype)) {
    throw unusable(name, stored, fmt::format("floats {}", to_string(columns ? by_column : by_row)));
  }
  std::vector<double> sums(encoder.dict_size);
  std::vector<float> row(stored.shape[1]);
  for (std::size_t r = 0; r < stored.shape[0]; ++r) {
    load_weight_rows(stored, r, 1, row.data());
    for (std::size_t c = 0; c < row.size(); ++c) sums[columns ? c : r] += double{row[c]} * row[c];
  }
  std::vector<float> norms(encoder.dict_size);
  std::transform(sums.begin(), sums.end(), norms.begin(),
                 [](double s) { return static_cast<float>(std::sqrt(s)); });
  return norms;
}

InputError SaeTensors::bad_strides(std::string_view name, const TensorView& view,
                                   std::string expected) const {
  return InputError(
      {.what = fmt::format("unusable strides of `{}`", name),
       .where = path_,
       .expected = std::move(expected),
       .found = fmt::format("strides {} of {}", to_string(view.strides), to_string(view.shape))});
}

InputError SaeTensors::unusable(std::string_view name, const TensorView& view, std::string expected) const {
  return InputError({.what = fmt::format("unusable tensor `{}`", name),
                     .where = path_,
                     .expected = std::move(expected),
                     .found = fmt::format("{} {}", name_of(view.dtype), to_string(view.shape))});
}

void set_k(int64_t k, const std::string& config, EncoderParameters& encoder) {
  if (k >= 1 && static_cast<uint64_t>(k) <= encoder.dict_size) {
    encoder.k = k;
    return;
  }
  throw InputError({.what = "k does not fit the dictionary",
                    .where = config,
                    .expected = fmt::format("from 1 to {}", encoder.dict_size),
                    .found = fmt::format("{}", k)});
}

}  // namespace saescope
