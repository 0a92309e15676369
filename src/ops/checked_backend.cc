#include "ops/checked_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>
#include <vector>

#include "ops/host_array.h"
#include "ops/weight_rows.h"

namespace saescope {
namespace {

constexpr double kUnitF32 = 0x1p-24;
constexpr double kUnitBF16 = 0x1p-9;
constexpr std::size_t kSampledOutputs = 8;

/// First, middle and last of `count`.
std::set<std::size_t> sample(std::size_t count) {
  if (count == 0) return {};
  return {0, count / 2, count - 1};
}

/// The first and the last outputs of a layer.
struct OutputRange {
  std::size_t first, count;
};
std::vector<OutputRange> sample_outputs(std::size_t outputs) {
  const std::size_t count = std::min(kSampledOutputs, outputs);
  return {{0, count}, {outputs - count, count}};
}

double unit_of(const Array& array) { return array.dtype() == DType::kBF16 ? kUnitBF16 : kUnitF32; }

double element(const Array& array, std::size_t row, std::size_t col) {
  return array.dtype() == DType::kBF16 ? to_float(array.bf16().row(row)[col]) : array.f32().row(row)[col];
}

double norm(const Array& array, std::size_t row) {
  double sum = 0;
  for (std::size_t c = 0; c < array.cols(); ++c) sum += element(array, row, c) * element(array, row, c);
  return std::sqrt(sum);
}

double largest(const Array& array) {
  double top = 0;
  for (std::size_t r = 0; r < array.rows(); ++r) {
    for (std::size_t c = 0; c < array.cols(); ++c) top = std::max(top, std::fabs(element(array, r, c)));
  }
  return top;
}

/// What float32 rounding may do to a row of x times one of these outputs: |x|·|w| bounds the sum of the
/// products' magnitudes (Cauchy-Schwarz), and each of the additions rounds once.
double product_error(const Array& x, std::size_t row, const TensorView& weight) {
  std::vector<float> w(weight.shape[1]);
  double top = 0;
  for (std::size_t o = 0; o < weight.shape[0]; ++o) {
    load_weight_rows(weight, o, 1, w.data());
    double sum = 0;
    for (const float value : w) sum += double{value} * value;
    top = std::max(top, std::sqrt(sum));
  }
  return static_cast<double>(w.size() + 8) * kUnitF32 * norm(x, row) * top * (1 + kUnitBF16);
}

/// A row of the fast result against the reference's.
struct Comparison {
  const char* op;
  std::size_t row;
  std::size_t first_col;  ///< column of the fast result that the reference's first one is
};

template <typename Actual>
void compare(const Comparison& at, const Actual& actual, const Array& expected, double tolerance) {
  for (std::size_t c = 0; c < expected.cols(); ++c) {
    const double found = actual(at.first_col + c);
    const double wanted = element(expected, 0, c);
    if (std::fabs(found - wanted) <= tolerance || (std::isnan(found) && std::isnan(wanted)) ||
        found == wanted) {
      continue;
    }
    throw std::logic_error(fmt::format("{}: row {}, column {} is {}, the reference gives {} (tolerance {})",
                                       at.op, at.row, at.first_col + c, found, wanted, tolerance));
  }
}

void compare_row(const Comparison& at, const Array& actual, const Array& expected, double tolerance) {
  compare(
      at, [&](std::size_t c) { return element(actual, at.row, c); }, expected, tolerance);
}

LinearWeight part_of(const LinearWeight& layer, const Weight& outputs, const OutputRange& range) {
  return {outputs, layer.bias.empty() ? layer.bias : layer.bias.subspan(range.first, range.count)};
}

Array copy_of(const Array& array, std::size_t row) {
  const Array copy = allocate_host_array(1, array.cols(), DType::kF32);
  copy_to_array(array.row_range(row, 1).f32(), copy);
  return copy;
}

}  // namespace

void CheckedBackend::do_embed(const Weight& table, std::span<const int32_t> ids, float scale,
                              const Array& out) {
  checked_->embed(table, ids, scale, out);
  for (const std::size_t r : sample(ids.size())) {
    const Array expected = allocate_host_array(1, out.cols(), DType::kF32);
    reference_.embed(table, ids.subspan(r, 1), scale, expected);
    compare_row({"embed", r, 0}, out, expected, 0);
  }
}

void CheckedBackend::do_rms_norm(const Array& x, std::span<const float> weight, float epsilon,
                                 const Array& out, Store store) {
  std::vector<Array> expected_rows;
  for (const std::size_t r : sample(x.rows())) {
    expected_rows.push_back(store == Store::kAdd ? copy_of(out, r)
                                                 : allocate_host_array(1, out.cols(), DType::kF32));
    reference_.rms_norm(x.row_range(r, 1), weight, epsilon, expected_rows.back(), store);
  }
  checked_->rms_norm(x, weight, epsilon, out, store);
  std::size_t i = 0;
  for (const std::size_t r : sample(x.rows())) {
    const Array& expected = expected_rows[i++];
    compare_row({"rms_norm", r, 0}, out, expected, (2 * unit_of(out) + 64 * kUnitF32) * largest(expected));
  }
}

void CheckedBackend::do_linear(const Array& x, const Weight& weight, std::span<const float> bias,
                               const Array& y, bool accumulate) {
  std::vector<Array> before;
  for (const std::size_t r : sample(x.rows())) before.push_back(copy_of(y, r));
  checked_->linear(x, weight, bias, y, accumulate);
  std::size_t i = 0;
  for (const std::size_t r : sample(x.rows())) {
    const Array& start = before[i++];
    for (const OutputRange& range : sample_outputs(y.cols())) {
      const Weight outputs = weight_outputs(weight, range.first, range.count);
      const Array expected = allocate_host_array(1, range.count, DType::kF32);
      std::copy_n(start.f32().data + range.first, range.count, expected.f32().data);
      reference_.linear(x.row_range(r, 1), outputs, part_of({weight, bias}, outputs, range).bias, expected,
                        accumulate);
      const double rounding = 4 * kUnitF32 * ((accumulate ? largest(start) : 0.0) + largest(expected));
      compare_row({"linear", r, range.first}, y, expected,
                  product_error(x.row_range(r, 1), 0, outputs) + rounding);
    }
  }
}

void CheckedBackend::do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) {
  checked_->linear_tiles(x, weight, [&](std::size_t first, MatrixView<float> tile) {
    for (const std::size_t r : sample(tile.rows)) {
      for (const OutputRange& range : sample_outputs(tile.cols)) {
        const Weight outputs = weight_outputs(weight, first + range.first, range.count);
        const Array expected = allocate_host_array(1, range.count, DType::kF32);
        reference_.linear(x.row_range(r, 1), outputs, {}, expected, false);
        compare(
            {"linear_tiles", r, range.first}, [&](std::size_t c) { return double{tile.row(r)[c]}; }, expected,
            product_error(x.row_range(r, 1), 0, outputs) + 4 * kUnitF32 * largest(expected));
      }
    }
    sink(first, tile);
  });
}

void CheckedBackend::do_rope(const Array& x, std::span<const int32_t> positions,
                             const RopeFrequencies& frequencies) {
  std::vector<Array> expected;
  for (const std::size_t r : sample(x.rows())) {
    expected.push_back(copy_of(x, r));
    reference_.rope(expected.back(), positions.subspan(r, 1), frequencies);
  }
  checked_->rope(x, positions, frequencies);
  std::size_t i = 0;
  for (const std::size_t r : sample(x.rows())) {
    compare_row({"rope", r, 0}, x, expected[i], 16 * kUnitF32 * largest(expected[i]));
    ++i;
  }
}

void CheckedBackend::do_attention(const Array& q, const Array& k, const Array& v,
                                  std::span<const int32_t> query_nodes, const TreeTopology& tree,
                                  const AttentionShape& shape, const Array& out) {
  checked_->attention(q, k, v, query_nodes, tree, shape, out);
  const double top = largest(v);
  for (const std::size_t r : sample(query_nodes.size())) {
    const Array expected = allocate_host_array(1, out.cols(), DType::kF32);
    reference_.attention(q.row_range(r, 1), k, v, query_nodes.subspan(r, 1), tree, shape, expected);
    // A score's error is that of a product of head_dim terms; the softmax passes it on to the weights.
    const double score = static_cast<double>(shape.head_dim + 8) * kUnitF32 * std::fabs(double{shape.scale}) *
                         norm(q, r) * largest(k) * std::sqrt(static_cast<double>(shape.head_dim));
    compare_row({"attention", r, 0}, out, expected, top * (2 * score + 2 * unit_of(out) + 1024 * kUnitF32));
  }
}

void CheckedBackend::do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up,
                            GateFunction function, const Array& out) {
  checked_->glu(x, gate, up, function, out);
  for (const std::size_t r : sample(x.rows())) {
    const Array row = x.row_range(r, 1);
    for (const OutputRange& range : sample_outputs(out.cols())) {
      const Weight gates = weight_outputs(gate.weight, range.first, range.count);
      const Weight ups = weight_outputs(up.weight, range.first, range.count);
      const Array expected = allocate_host_array(1, range.count, DType::kF32);
      const Array factors = allocate_host_array(1, range.count, DType::kF32);
      reference_.linear(row, gates, part_of(gate, gates, range).bias, factors, false);
      const double gate_size = largest(factors);
      reference_.linear(row, ups, part_of(up, ups, range).bias, factors, false);
      const double up_size = largest(factors);
      reference_.glu(row, part_of(gate, gates, range), part_of(up, ups, range), function, expected);
      // The functions' slopes are below 1.2 and |function(g)| ≤ |g|.
      const double tolerance =
          1.2 * product_error(row, 0, gates) * up_size + gate_size * product_error(row, 0, ups) +
          (2 * unit_of(out) + 64 * kUnitF32) * largest(expected) + 64 * kUnitF32 * gate_size * up_size;
      compare_row({"glu", r, range.first}, out, expected, tolerance);
    }
  }
}

void CheckedBackend::do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) {
  checked_->gather(x, rows, out);
  for (const std::size_t r : sample(rows.size())) {
    const Array expected = allocate_host_array(1, out.cols(), out.dtype());
    reference_.gather(x, rows.subspan(r, 1), expected);
    compare_row({"gather", r, 0}, out, expected, 0);
  }
}

}  // namespace saescope
