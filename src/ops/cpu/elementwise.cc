#include "ops/cpu/elementwise.h"

#include <algorithm>
#include <cmath>

#include "ops/cpu/vector_math.h"

namespace saescope {
namespace {

constexpr std::size_t kBlock = 256;  // floats of a row that stay in the first-level cache

/// Σ x² of a row: lanes first, then the rest, always in the same order.
float sum_of_squares(const float* row, std::size_t size) {
  Vec16 lanes = {};
  std::size_t c = 0;
  for (; c + kLanes <= size; c += kLanes) {
    const Vec16 v = load16(row + c);
    lanes += v * v;
  }
  float sum = sum_lanes(lanes);
  for (; c < size; ++c) sum += row[c] * row[c];
  return sum;
}

/// silu(gate) · up of up to kBlock elements.
void swiglu_block(const float* gate, const float* up, float* result, std::size_t size) {
  const auto silu = [](Vec16 g) { return g / (1.0f + exp16(-g)); };
  std::size_t c = 0;
  for (; c + kLanes <= size; c += kLanes) store16(result + c, silu(load16(gate + c)) * load16(up + c));
  if (c == size) return;
  Vec16 g = {};
  Vec16 u = {};
  std::copy_n(gate + c, size - c, reinterpret_cast<float*>(&g));
  std::copy_n(up + c, size - c, reinterpret_cast<float*>(&u));
  const Vec16 last = silu(g) * u;
  std::copy_n(reinterpret_cast<const float*>(&last), size - c, result + c);
}

}  // namespace

void store_row(const Array& out, std::size_t row, std::size_t first_col, const float* values,
               std::size_t count) {
  if (out.dtype() == DType::kBF16) {
    std::transform(values, values + count, out.bf16().row(row) + first_col, to_bfloat16);
  } else {
    std::copy_n(values, count, out.f32().row(row) + first_col);
  }
}

void cpu_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                  int threads) {
  const std::size_t cols = x.cols();
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t r = 0; r < x.rows(); ++r) {
    const float* row = x.f32().row(r);
    const float mean = sum_of_squares(row, cols) / static_cast<float>(cols);
    const float scale = 1.0f / std::sqrt(mean + epsilon);
    float block[kBlock];
    for (std::size_t first = 0; first < cols; first += kBlock) {
      const std::size_t count = std::min(kBlock, cols - first);
      for (std::size_t c = 0; c < count; ++c) block[c] = weight[first + c] * (row[first + c] * scale);
      store_row(out, r, first, block, count);
    }
  }
}

void cpu_swiglu(MatrixView<const float> gate, MatrixView<const float> up, const Array& out,
                std::size_t first_col) {
  for (std::size_t r = 0; r < gate.rows; ++r) {
    float block[kBlock];
    for (std::size_t first = 0; first < gate.cols; first += kBlock) {
      const std::size_t count = std::min(kBlock, gate.cols - first);
      swiglu_block(gate.row(r) + first, up.row(r) + first, block, count);
      store_row(out, r, first_col + first, block, count);
    }
  }
}

void RopeTable::prepare(const RopeFrequencies& frequencies, int32_t max_position) {
  const auto rows = static_cast<std::size_t>(max_position) + 1;
  const std::size_t half = frequencies.inverse.size();
  if (inverse_ != frequencies.inverse) {
    inverse_ = frequencies.inverse;
    cosine_.clear();
    sine_.clear();
  }
  const std::size_t have = cosine_.size() / half;
  if (have >= rows) return;
  const std::size_t want = std::max(rows, 2 * have);
  cosine_.resize(want * half);
  sine_.resize(want * half);
  for (std::size_t position = have; position < want; ++position) {
    for (std::size_t i = 0; i < half; ++i) {
      // The angle is a float32 product, as in transformers: at large positions its rounding shows.
      const float angle = static_cast<float>(position) * inverse_[i];
      cosine_[position * half + i] = static_cast<float>(std::cos(double{angle}));
      sine_[position * half + i] = static_cast<float>(std::sin(double{angle}));
    }
  }
}

void cpu_rope(const Array& x, std::span<const int32_t> positions, RopeLayout layout, const RopeTable& table,
              std::size_t half, int threads) {
  const std::size_t step = layout == RopeLayout::kInterleaved ? 2 : 1;
  const std::size_t partner = layout == RopeLayout::kInterleaved ? 1 : half;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t r = 0; r < x.rows(); ++r) {
    const float* cosine = table.cosine(positions[r]);
    const float* sine = table.sine(positions[r]);
    float* const row = x.f32().row(r);
    for (float* head = row; head != row + x.cols(); head += 2 * half) {
      for (std::size_t i = 0; i < half; ++i) {
        float& first = head[i * step];
        float& second = head[i * step + partner];
        const float a = first;
        const float b = second;
        first = a * cosine[i] - b * sine[i];
        second = b * cosine[i] + a * sine[i];
      }
    }
  }
}

}  // namespace saescope
