#include "ops/checked_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <random>

#include "ops/cpu/cpu_backend.h"

namespace saescope {
namespace {

/// The reference with one wrong number in the last row of one operator's result.
class FaultyBackend final : public Backend {
 public:
  explicit FaultyBackend(std::string op) : op_(std::move(op)) {}

  std::string description() const override { return "faulty"; }
  std::string numerics(DType /*dtype*/) const override { return "faulty"; }
  std::size_t workspace_bytes(std::size_t, std::size_t, std::size_t) const override { return 0; }
  std::size_t tiles_workspace_bytes(std::size_t) const override { return 0; }
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override {
    return sound_.allocate(rows, cols, dtype);
  }
  void upload(MatrixView<const float> host, const Array& array) override { sound_.upload(host, array); }
  void download(const Array& array, MatrixView<float> host) override { sound_.download(array, host); }

 protected:
  void do_embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out) override {
    sound_.embed(table, ids, scale, out);
    spoil("embed", out);
  }
  void do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                   Store store) override {
    sound_.rms_norm(x, weight, epsilon, out, store);
    spoil("rms_norm", out);
  }
  void do_linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
                 bool accumulate) override {
    sound_.linear(x, weight, bias, y, accumulate);
    spoil("linear", y);
  }
  void do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) override {
    sound_.linear_tiles(x, weight, [&](std::size_t first, MatrixView<float> tile) {
      if (op_ == "linear_tiles") tile.row(tile.rows - 1)[tile.cols - 1] += 0.01f;
      sink(first, tile);
    });
  }
  void do_rope(const Array& x, std::span<const int32_t> positions, const RopeFrequencies& f) override {
    sound_.rope(x, positions, f);
    spoil("rope", x);
  }
  void do_attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> nodes,
                    const TreeTopology& tree, const AttentionShape& shape, const Array& out) override {
    sound_.attention(q, k, v, nodes, tree, shape, out);
    spoil("attention", out);
  }
  void do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
              const Array& out) override {
    sound_.glu(x, gate, up, function, out);
    spoil("glu", out);
  }
  void do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) override {
    sound_.gather(x, rows, out);
    spoil("gather", out);
  }

 private:
  void spoil(const char* op, const Array& out) const {
    if (op_ == op) out.f32().row(out.rows() - 1)[out.cols() - 1] += 0.01f;
  }
  std::string op_;
  ReferenceBackend sound_;
};

/// Calls every operator once on small random inputs.
void run_every_operator(Backend& backend) {
  constexpr std::size_t kRows = 5, kIn = 24, kOut = 40;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto make = [&](std::size_t rows, std::size_t cols) {
    Array array = backend.allocate(rows, cols, DType::kF32);
    std::generate_n(array.f32().data, rows * cols, [&] { return normal(random); });
    return array;
  };
  const auto view = [](const Array& a) {
    return TensorView::dense(DType::kF32, {a.rows(), a.cols()}, a.bytes());
  };
  const Array x = make(kRows, kIn);
  const Array stored = make(kOut, kIn);
  const Array stored_up = make(kOut, kIn);
  const TensorView weight = view(stored);
  const TensorView up = view(stored_up);
  std::vector<float> ones(kOut, 1.0f);
  const Array y = make(kRows, kOut);
  std::vector<int32_t> positions(kRows);
  std::iota(positions.begin(), positions.end(), 0);
  const std::vector<int32_t> parents = {-1, 0, 1, 2, 3};

  backend.embed(weight, positions, 1, backend.allocate(kRows, kIn, DType::kF32));
  backend.rms_norm(x, std::span(ones).first(kIn), 1e-5f, backend.allocate(kRows, kIn, DType::kF32));
  backend.linear(x, weight, ones, y, true);
  backend.linear_tiles(x, weight, [](std::size_t, MatrixView<float>) {});
  backend.rope(make(kRows, kIn), positions, {{1.0f, 0.5f, 0.1f}, RopeLayout::kHalves});
  backend.attention(x, make(kRows, kIn), make(kRows, kIn), positions, {parents, positions}, {3, 3, 8, 0.35f},
                    backend.allocate(kRows, kIn, DType::kF32));
  backend.glu(x, {weight, {}}, {up, ones}, GateFunction::kSilu, backend.allocate(kRows, kOut, DType::kF32));
  backend.gather(x, positions, backend.allocate(kRows, kIn, DType::kF32));
}

class CheckedBackendTest : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Operators, CheckedBackendTest,
                         ::testing::Values("embed", "rms_norm", "linear", "linear_tiles", "rope", "attention",
                                           "glu", "gather"),
                         [](const auto& test) { return std::string(test.param); });

TEST_P(CheckedBackendTest, AWrongNumberIsFoundAndTheOperatorNamed) {
  CheckedBackend checked(std::make_unique<FaultyBackend>(GetParam()));
  try {
    run_every_operator(checked);
    FAIL() << "not found";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith(std::string(GetParam()) + ": row "));
  }
}

TEST(CheckedBackend, TheCpuBackendPasses) {
  CheckedBackend checked(std::make_unique<CpuBackend>(2));
  EXPECT_NO_THROW(run_every_operator(checked));
}

}  // namespace
}  // namespace saescope
