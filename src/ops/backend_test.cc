// One body per operator, run for every backend against ReferenceBackend. Sizes sweep what vector loops
// leave over; tolerances come from the norms of the inputs and the rounding unit of the input type.
#include "ops/backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ops/cpu/cpu_backend.h"
#include "ops/reference/reference_backend.h"
#include "ops/torch/torch_testing.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

constexpr double kUnitF32 = 0x1p-24;
constexpr double kUnitBF16 = 0x1p-9;

std::vector<float> random_values(std::size_t size, uint32_t seed, float spread = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> values(size);
  for (float& v : values) v = normal(random);
  return values;
}

Array make_array(Backend& backend, std::size_t rows, std::size_t cols, const std::vector<float>& values,
                 DType dtype = DType::kF32) {
  Array array = backend.allocate(rows, cols, dtype);
  backend.upload({values.data(), rows, cols, cols}, array);
  return array;
}

std::vector<float> values_of(Backend& backend, const Array& array) {
  std::vector<float> values(array.rows() * array.cols());
  backend.download(array, {values.data(), array.rows(), array.cols(), array.cols()});
  return values;
}

/// Prints the worst element when it is off by more than `tolerance`.
void expect_close(const std::vector<float>& a, const std::vector<float>& e, std::size_t cols,
                  double tolerance) {
  ASSERT_EQ(a.size(), e.size());
  std::size_t worst = 0;
  const auto error = [&](std::size_t i) {
    const double difference = std::fabs(double{a[i]} - e[i]);
    return std::isnan(difference) ? HUGE_VAL : difference;
  };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (error(i) > error(worst)) worst = i;
  }
  if (a.empty()) return;
  EXPECT_LE(error(worst), tolerance) << "row " << worst / cols << ", column " << worst % cols << ": "
                                     << a[worst] << ", expected " << e[worst];
}

double largest(const std::vector<float>& values) {
  double top = 0;
  for (const float v : values) top = std::max(top, std::fabs(double{v}));
  return top;
}

/// A weight and the memory it lies in.
struct StoredWeight {
  std::vector<std::byte> bytes;
  TensorView view;
};

StoredWeight store_weight(std::size_t out, std::size_t in, const std::vector<float>& values, DType dtype,
                          bool transposed) {
  StoredWeight weight;
  const std::size_t element = layout_of(dtype).block_bytes;
  weight.bytes.resize(out * in * element);
  for (std::size_t o = 0; o < out; ++o) {
    for (std::size_t i = 0; i < in; ++i) {
      std::byte* place = weight.bytes.data() + (transposed ? i * out + o : o * in + i) * element;
      const float value = values[o * in + i];
      const BFloat16 rounded = to_bfloat16(value);
      if (dtype == DType::kF32) std::memcpy(place, &value, element);
      if (dtype == DType::kBF16) std::memcpy(place, &rounded, element);
    }
  }
  const std::vector<uint64_t> strides =
      transposed ? std::vector<uint64_t>{1, out} : std::vector<uint64_t>{in, 1};
  weight.view = {dtype, {out, in}, strides, weight.bytes.data()};
  return weight;
}

/// What is tested.
struct Candidate {
  std::string name;
  std::function<std::unique_ptr<Backend>(std::string& reason)> make;  ///< null: not on this machine

  friend void PrintTo(const Candidate& candidate, std::ostream* out) { *out << candidate.name; }
};

/// The processor's on every instruction set that it has, with one thread and with two; that of PyTorch.
std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const Kernels* kernels : runnable_kernels()) {
    for (const int threads : {1, 2}) {
      all.push_back({std::string(kernels->name) + "_threads_" + std::to_string(threads),
                     [=](std::string&) { return std::make_unique<CpuBackend>(threads, nullptr, *kernels); }});
    }
  }
  all.push_back({"torch", [](std::string& reason) { return testing_support::make_torch_backend(reason); }});
  return all;
}

class BackendTest : public ::testing::TestWithParam<Candidate> {
 protected:
  void SetUp() override {
    if (!found_) GTEST_SKIP() << "skipped, nothing was tested: " << reason_;
  }
  std::vector<float> values_of(const Array& array) { return saescope::values_of(backend, array); }
  std::vector<float> reference_values(const Array& array) { return saescope::values_of(reference, array); }
  void expect_close(const Array& actual, const Array& expected, double tolerance) {
    saescope::expect_close(values_of(actual), reference_values(expected), actual.cols(), tolerance);
  }

 private:
  std::string reason_;
  std::unique_ptr<Backend> found_ = GetParam().make(reason_);

 protected:
  ReferenceBackend reference;
  Backend& backend = found_ ? *found_ : reference;
};

INSTANTIATE_TEST_SUITE_P(Kernels, BackendTest, ::testing::ValuesIn(candidates()),
                         [](const auto& test) { return test.param.name; });

TEST_P(BackendTest, LinearEqualsReferenceForEveryTypeOrientationAndRemainder) {
  for (const std::size_t rows : {1, 5, 33}) {
    for (const std::size_t in : {16, 67, 515}) {
      for (const std::size_t out : {1, 48, 131}) {
        for (const DType x_type : {DType::kF32, DType::kBF16}) {
          for (const DType w_type : {DType::kF32, DType::kBF16}) {
            for (const bool transposed : {false, true}) {
              const auto x_values = random_values(rows * in, 1);
              const StoredWeight weight =
                  store_weight(out, in, random_values(out * in, 2), w_type, transposed);
              const auto bias = random_values(out, 3);
              const auto start = random_values(rows * out, 4);
              const Array y = make_array(backend, rows, out, start);
              const Array expected = make_array(reference, rows, out, start);
              backend.linear(make_array(backend, rows, in, x_values, x_type), weight.view, bias, y, true);
              reference.linear(make_array(reference, rows, in, x_values, x_type), weight.view, bias, expected,
                               true);
              const double norm = largest(x_values) * 5.0 * static_cast<double>(in);
              expect_close(y, expected, 4 * kUnitF32 * norm);
            }
          }
        }
      }
    }
  }
}

/// What makes results independent of waves, chunks and the other rows, for every operator that sums.
TEST_P(BackendTest, ARowHasTheSameBitsWhateverTheOtherRows) {
  constexpr std::size_t kRows = 600;
  for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{576, 1536}, {68, 131}}) {
    for (const DType type : {DType::kF32, DType::kBF16}) {
      const StoredWeight weight = store_weight(out, in, random_values(out * in, 2), DType::kBF16, false);
      const StoredWeight up = store_weight(out, in, random_values(out * in, 3), DType::kF32, true);
      const auto factors = random_values(in / 4, 4);
      const auto values = random_values(kRows * in, 1);
      const auto run = [&, in = in, out = out](std::size_t first, std::size_t rows) {
        const std::vector<float> some(values.begin() + static_cast<std::ptrdiff_t>(first * in),
                                      values.begin() + static_cast<std::ptrdiff_t>((first + rows) * in));
        const Array product = backend.allocate(rows, out, DType::kF32);
        const Array gated = backend.allocate(rows, out, DType::kF32);
        const Array normed = backend.allocate(rows, in, DType::kF32);
        const Array x = make_array(backend, rows, in, some, type);
        backend.linear(x, weight.view, {}, product, false);
        backend.glu(x, {weight.view, {}}, {up.view, {}}, GateFunction::kSilu, gated);
        backend.rms_norm(make_array(backend, rows, in, some), factors, 1e-5f, normed);
        return std::vector<std::vector<float>>{values_of(product), values_of(gated), values_of(normed)};
      };
      const auto whole = run(0, kRows);
      for (const auto& [first, rows] :
           {std::pair<std::size_t, std::size_t>{0, 1}, {599, 1}, {300, 7}, {255, 2}, {123, 300}}) {
        const auto part = run(first, rows);
        for (std::size_t i = 0; i < part.size(); ++i) {
          const std::size_t cols = part[i].size() / rows;
          ASSERT_TRUE(std::equal(part[i].begin(), part[i].end(),
                                 whole[i].begin() + static_cast<std::ptrdiff_t>(first * cols)))
              << "operator " << i << ", " << rows << " rows from " << first << ", " << name_of(type);
        }
      }
    }
  }
}

/// What makes results independent of waves, chunks and threads.
TEST(CpuBackendDeterminism, LinearGivesARowTheSameBitsWhateverTheOtherRowsAndThreads) {
  for (const DType x_type : {DType::kF32, DType::kBF16}) {
    for (const DType w_type : {DType::kF32, DType::kBF16}) {
      for (const auto& [in, out] : {std::pair<std::size_t, std::size_t>{576, 1536},
                                    {1536, 576},
                                    {4096, 1024},
                                    {2048, 320},
                                    {67, 131}}) {
        constexpr std::size_t kRows = 1100;
        const auto x_values = random_values(kRows * in, 1);
        const StoredWeight weight = store_weight(out, in, random_values(out * in, 2), w_type, false);
        CpuBackend one(1);
        const Array x = make_array(one, kRows, in, x_values, x_type);
        const Array whole = one.allocate(kRows, out, DType::kF32);
        one.linear(x, weight.view, {}, whole, false);
        CpuBackend two(2);
        for (const std::size_t rows : {1, 2, 7, 16, 31, 64, 129, 300, 600}) {
          for (const std::size_t first : {std::size_t{0}, kRows - rows}) {
            const Array part = two.allocate(rows, out, DType::kF32);
            two.linear(x.row_range(first, rows), weight.view, {}, part, false);
            ASSERT_EQ(values_of(two, part), values_of(one, whole.row_range(first, rows)))
                << rows << " rows from " << first << " of [" << out << ", " << in << "], x "
                << name_of(x_type) << ", weight " << name_of(w_type);
          }
        }
      }
    }
  }
}

/// A specific analysis gathers its features' rows; a universal one multiplies blocks of the transposed
/// matrix.
TEST(CpuBackendDeterminism, LinearGivesAnOutputTheSameBitsWhateverTheOtherOutputsAndTheOrientation) {
  constexpr std::size_t kRows = 50;
  constexpr std::size_t kIn = 576;
  constexpr std::size_t kOut = 2304;
  const auto w_values = random_values(kOut * kIn, 2);
  CpuBackend backend(2);
  const Array x = make_array(backend, kRows, kIn, random_values(kRows * kIn, 1));
  const StoredWeight transposed = store_weight(kOut, kIn, w_values, DType::kF32, true);
  const StoredWeight rows = store_weight(kOut, kIn, w_values, DType::kF32, false);
  const Array whole = backend.allocate(kRows, kOut, DType::kF32);
  backend.linear(x, transposed.view, {}, whole, false);
  for (const std::size_t count : {1, 3, 17, 64, 200}) {
    TensorView some = rows.view;
    some.shape[0] = count;
    const Array part = backend.allocate(kRows, count, DType::kF32);
    backend.linear(x, some, {}, part, false);
    for (std::size_t r = 0; r < kRows; ++r) {
      for (std::size_t c = 0; c < count; ++c)
        ASSERT_EQ(part.f32().row(r)[c], whole.f32().row(r)[c]) << r << " " << c << " of " << count;
    }
  }
}

TEST_P(BackendTest, RmsNormEqualsReference) {
  for (const std::size_t cols : {1, 15, 16, 100, 576}) {
    for (const DType out_type : {DType::kF32, DType::kBF16}) {
      const auto values = random_values(7 * cols, 5, 3.0f);
      const auto weight = random_values(cols, 6);
      const Array out = backend.allocate(7, cols, out_type);
      const Array expected = reference.allocate(7, cols, out_type);
      backend.rms_norm(make_array(backend, 7, cols, values), weight, 1e-5f, out);
      reference.rms_norm(make_array(reference, 7, cols, values), weight, 1e-5f, expected);
      const double unit = out_type == DType::kBF16 ? kUnitBF16 : kUnitF32;
      expect_close(out, expected, 8 * unit * largest(reference_values(expected)));
    }
  }
}

TEST_P(BackendTest, RmsNormOfHeadsInPlaceAndAddedEqualsReference) {
  constexpr std::size_t kRows = 3, kHeads = 5;
  for (const std::size_t size : {2, 15, 16, 70}) {
    const auto values = random_values(kRows * kHeads * size, 5, 3.0f);
    const auto weight = random_values(size, 6);
    const auto start = random_values(kRows * kHeads * size, 7);
    const Array heads = make_array(backend, kRows, kHeads * size, values);
    const Array expected = reference.allocate(kRows, kHeads * size, DType::kF32);
    reference.rms_norm(make_array(reference, kRows, kHeads * size, values), weight, 1e-5f, expected);
    const double tolerance = 8 * kUnitF32 * (1 + largest(reference_values(expected)));
    backend.rms_norm(heads, weight, 1e-5f, heads);
    expect_close(heads, expected, tolerance);
    const Array sum = make_array(backend, kRows, kHeads * size, start);
    const Array expected_sum = make_array(reference, kRows, kHeads * size, start);
    const auto add = [&](Backend& b, const Array& out) {
      b.rms_norm(make_array(b, kRows, kHeads * size, values), weight, 1e-5f, out, Store::kAdd);
    };
    add(backend, sum);
    add(reference, expected_sum);
    expect_close(sum, expected_sum, tolerance);
  }
}

TEST_P(BackendTest, GluEqualsReferenceForEveryTypeAndFunctionAndAlsoFarFromZero) {
  constexpr std::size_t kIn = 40;
  for (const std::size_t cols : {1, 17, 300, 1100}) {
    for (const DType type : {DType::kF32, DType::kBF16}) {
      const auto x = random_values(3 * kIn, 6);
      auto gate_values = random_values(cols * kIn, 7);
      // The first and the last output are far from zero in row 0, on either side.
      for (std::size_t i = 0; i < kIn; ++i) {
        gate_values[i] = std::copysign(8.0f, -x[i]);
        gate_values[(cols - 1) * kIn + i] = std::copysign(8.0f, x[i]);
      }
      const StoredWeight gate = store_weight(cols, kIn, gate_values, type, false);
      const StoredWeight up = store_weight(cols, kIn, random_values(cols * kIn, 8), DType::kF32, false);
      const auto bias = random_values(cols, 9);
      const Array out = backend.allocate(3, cols, DType::kF32);
      const Array expected = reference.allocate(3, cols, DType::kF32);
      for (const GateFunction function : {GateFunction::kSilu, GateFunction::kGeluTanh}) {
        const auto run = [&](Backend& b, const Array& result) {
          b.glu(make_array(b, 3, kIn, x, type), {gate.view, bias}, {up.view, {}}, function, result);
        };
        run(backend, out);
        run(reference, expected);
        expect_close(out, expected, 64 * kUnitF32 * (1 + largest(reference_values(expected))));
      }
    }
  }
}

/// Rows and outputs are computed in tiles; results must be in place across their borders.
TEST_P(BackendTest, LinearEqualsReferenceBeyondOneTile) {
  constexpr std::size_t kRows = 2100, kIn = 8, kOut = 1100;
  const auto x = random_values(kRows * kIn, 1);
  const StoredWeight weight = store_weight(kOut, kIn, random_values(kOut * kIn, 2), DType::kF32, false);
  const Array y = backend.allocate(kRows, kOut, DType::kF32);
  const Array expected = reference.allocate(kRows, kOut, DType::kF32);
  backend.linear(make_array(backend, kRows, kIn, x), weight.view, {}, y, false);
  reference.linear(make_array(reference, kRows, kIn, x), weight.view, {}, expected, false);
  expect_close(y, expected, 16 * kUnitF32 * kIn * largest(x));
}

TEST_P(BackendTest, TilesOfALinearLayerCoverEveryOutputOnceWithItsBits) {
  constexpr std::size_t kRows = 5, kIn = 70, kOut = 1300;
  const Array x = make_array(backend, kRows, kIn, random_values(kRows * kIn, 1));
  for (const bool transposed : {false, true}) {
    const StoredWeight weight =
        store_weight(kOut, kIn, random_values(kOut * kIn, 2), DType::kF32, transposed);
    const Array whole = backend.allocate(kRows, kOut, DType::kF32);
    backend.linear(x, weight.view, {}, whole, false);
    Matrix<float> collected(kRows, kOut);
    std::vector<int> times(kOut, 0);
    backend.linear_tiles(x, weight.view, [&](std::size_t first, MatrixView<float> tile) {
      for (std::size_t c = 0; c < tile.cols; ++c) ++times[first + c];
      for (std::size_t r = 0; r < kRows; ++r) std::copy_n(tile.row(r), tile.cols, collected.row(r) + first);
    });
    EXPECT_EQ(times, std::vector<int>(kOut, 1));
    EXPECT_EQ(std::vector<float>(collected.row(0), collected.row(0) + kRows * kOut), values_of(whole));
  }
}

TEST_P(BackendTest, WhatATileSinkThrowsReachesTheCaller) {
  const StoredWeight weight = store_weight(2000, 4, random_values(8000, 2), DType::kF32, false);
  const Array x = make_array(backend, 1, 4, random_values(4, 1));
  const auto fail = [](std::size_t, MatrixView<float>) { throw std::runtime_error("from the sink"); };
  EXPECT_THROW(backend.linear_tiles(x, weight.view, fail), std::runtime_error);
}

TEST_P(BackendTest, RopeEqualsReferenceInBothLayouts) {
  for (const RopeLayout layout : {RopeLayout::kHalves, RopeLayout::kInterleaved}) {
    RopeFrequencies frequencies{{1.0f, 0.31f, 0.0007f}, layout};
    const auto values = random_values(4 * 12, 9);
    const std::vector<int32_t> positions = {0, 3, 1000, 131071};
    const Array x = make_array(backend, 4, 12, values);
    const Array expected = make_array(reference, 4, 12, values);
    backend.rope(x, positions, frequencies);
    reference.rope(expected, positions, frequencies);
    expect_close(x, expected, 8 * kUnitF32 * largest(values));
  }
}

/// A tree: a trunk of `trunk` nodes from which branches of the given lengths leave at its end.
struct Tree {
  std::vector<int32_t> parent, position;
  Tree(int32_t trunk, const std::vector<int32_t>& branches) {
    for (int32_t i = 0; i < trunk; ++i) add(i - 1, i);
    for (const int32_t length : branches) {
      for (int32_t i = 0; i < length; ++i) {
        const int32_t above = i == 0 ? trunk - 1 : static_cast<int32_t>(parent.size()) - 1;
        add(above, trunk + i);
      }
    }
  }
  void add(int32_t p, int32_t at) {
    parent.push_back(p);
    position.push_back(at);
  }
  TreeTopology topology() const { return {parent, position}; }
};

TEST_P(BackendTest, AttentionEqualsReferenceOverTreesWithGroupedHeadsCapsAndWindows) {
  const Tree tree(230, {1, 40, 100, 400});  // 256 keys are scored at once
  const std::size_t nodes = tree.parent.size();
  std::vector<int32_t> queries(nodes);
  std::iota(queries.begin(), queries.end(), 0);
  for (const AttentionShape shape :
       {AttentionShape{4, 2, 24, 0.2f}, AttentionShape{9, 3, 64, 0.125f}, AttentionShape{2, 2, 7, 1.0f},
        AttentionShape{2, 1, 128, 0.09f}, AttentionShape{4, 1, 256, 0.06f, 2.0f},
        AttentionShape{4, 2, 24, 0.2f, 0.0f, 1}, AttentionShape{4, 2, 24, 0.2f, 3.0f, 16},
        AttentionShape{4, 2, 24, 0.2f, 0.0f, 70}, AttentionShape{4, 2, 24, 0.2f, 0.0f, 300}}) {
    const std::size_t q_dim = shape.heads * shape.head_dim;
    const std::size_t kv_dim = shape.kv_heads * shape.head_dim;
    const auto q = random_values(nodes * q_dim, 10);
    const auto k = random_values(nodes * kv_dim, 11);
    const auto v = random_values(nodes * kv_dim, 12);
    const Array out = backend.allocate(nodes, q_dim, DType::kF32);
    const Array expected = reference.allocate(nodes, q_dim, DType::kF32);
    const auto run = [&](Backend& b, const Array& result) {
      b.attention(make_array(b, nodes, q_dim, q), make_array(b, nodes, kv_dim, k),
                  make_array(b, nodes, kv_dim, v), queries, tree.topology(), shape, result);
    };
    run(backend, out);
    run(reference, expected);
    expect_close(out, expected, 64 * kUnitF32 * largest(v));
  }
}

/// Which prompts share a wave must not show: the same path inside another tree gives the same bits.
TEST_P(BackendTest, AttentionDependsOnThePathAlone) {
  for (const std::size_t window : {0, 20, 290}) {
    SCOPED_TRACE(window);
    const AttentionShape shape{4, 2, 64, 0.125f, 0, window};
    const Tree alone(300, {});
    const Tree branched(230, {13, 70});  // the second branch continues the same sequence
    const auto row = [](std::size_t position, std::size_t width) {
      return random_values(width, 100 + static_cast<uint32_t>(position));
    };
    const auto fill = [&](const Tree& tree, std::size_t width, float offset) {
      std::vector<float> values;
      for (const int32_t position : tree.position) {
        for (const float v : row(static_cast<std::size_t>(position), width)) values.push_back(v + offset);
      }
      return make_array(backend, tree.position.size(), width, values);
    };
    const auto last_row = [&](const Tree& tree, const std::vector<int32_t>& queries) {
      const std::size_t q_dim = shape.heads * shape.head_dim;
      const std::size_t kv_dim = shape.kv_heads * shape.head_dim;
      const Array q = fill(tree, q_dim, 0);
      const Array some = backend.allocate(queries.size(), q_dim, DType::kF32);
      backend.gather(q, queries, some);
      const Array out = backend.allocate(queries.size(), q_dim, DType::kF32);
      backend.attention(some, fill(tree, kv_dim, 0), fill(tree, kv_dim, 0.5f), queries, tree.topology(),
                        shape, out);
      return values_of(out.row_range(queries.size() - 1, 1));
    };
    const std::vector<float> expected = last_row(alone, {299});
    EXPECT_EQ(last_row(branched, {312}), expected);
    std::vector<int32_t> all(313);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(last_row(branched, all), expected);
  }
}

TEST_P(BackendTest, EmbedScalesAndGatherCopiesRows) {
  const StoredWeight table = store_weight(5, 3, random_values(15, 13), DType::kBF16, false);
  const Array out = backend.allocate(3, 3, DType::kF32);
  backend.embed(table.view, std::vector<int32_t>{4, 0, 4}, 1.5f, out);
  const Array expected = reference.allocate(3, 3, DType::kF32);
  reference.embed(table.view, std::vector<int32_t>{4, 0, 4}, 1.5f, expected);
  EXPECT_EQ(values_of(out), reference_values(expected));
  const Array gathered = backend.allocate(1, 3, DType::kF32);
  backend.gather(out, std::vector<int32_t>{1}, gathered);
  EXPECT_EQ(values_of(gathered), reference_values(expected.row_range(1, 1)));
}

TEST_P(BackendTest, ShapesThatDoNotFitAreRefused) {
  const StoredWeight weight = store_weight(4, 3, random_values(12, 14), DType::kF32, false);
  const Array x = make_array(backend, 2, 5, random_values(10, 15));
  const Array y = backend.allocate(2, 4, DType::kF32);
  EXPECT_THROW(backend.linear(x, weight.view, {}, y, false), std::logic_error);
  EXPECT_THROW(backend.embed(weight.view, std::vector<int32_t>{4}, 1, backend.allocate(1, 3, DType::kF32)),
               std::logic_error);
}

}  // namespace
}  // namespace saescope
