#include "ops/cpu/amx_gemm.h"

#include <gtest/gtest.h>

#if defined(__x86_64__)
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace saescope {
namespace {

/// A product and the memory that it reads and writes. Rows lie further apart than they are long, and what
/// lies between them is not a number.
class Product {
 public:
  Product(std::size_t m, std::size_t n, std::size_t k, bool b_rows_are_outputs)
      : a_(m * (k + 3), kNothing),
        b_(b_rows_are_outputs ? n * (k + 5) : k * (n + 5), kNothing),
        c_(m * (n + 7), std::numeric_limits<float>::quiet_NaN()),
        bias_(n) {
    problem = {.m = m, .n = n, .k = k, .lda = k + 3, .ldb = (b_rows_are_outputs ? k : n) + 5};
    problem.a = a_.data();
    problem.b = b_.data();
    problem.b_rows_are_outputs = b_rows_are_outputs;
    problem.c = c_.data();
    problem.ldc = n + 7;
    std::mt19937 random(static_cast<uint32_t>(m + 7 * n + 31 * k));
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < k; ++j) a(i, j) = to_bfloat16(normal(random));
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < k; ++j) b(i, j) = to_bfloat16(normal(random));
    }
    for (float& value : bias_) value = normal(random);
  }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  BFloat16& a(std::size_t row, std::size_t k) { return a_[row * problem.lda + k]; }
  BFloat16& b(std::size_t output, std::size_t k) {
    return b_[problem.b_rows_are_outputs ? output * problem.ldb + k : k * problem.ldb + output];
  }
  float& c(std::size_t row, std::size_t output) { return c_[row * problem.ldc + output]; }
  const float* bias() const { return bias_.data(); }

  void run() {
    AmxGemmWorkspace work;
    amx_gemm(problem, work);
  }

  /// The element's bits as Intel defines TDPBF16PS: of 32 k those of even place are summed up with fused
  /// multiplications, those of odd place too, both are added, and that is added to the sum so far.
  float defined_sum(std::size_t row, std::size_t output) {
    float sum = 0;
    for (std::size_t first = 0; first < problem.k; first += 32) {
      float parts[2] = {};
      for (std::size_t k = first; k < std::min(first + 32, problem.k); ++k) {
        parts[k % 2] = std::fma(to_float(a(row, k)), to_float(b(output, k)), parts[k % 2]);
      }
      sum += parts[0] + parts[1];
    }
    return sum;
  }

  double exact_sum(std::size_t row, std::size_t output) {
    double sum = 0;
    for (std::size_t k = 0; k < problem.k; ++k) sum += double{to_float(a(row, k))} * to_float(b(output, k));
    return sum;
  }

  /// What lies between the rows of c must be what it was.
  bool wrote_between_rows() const {
    for (std::size_t i = 0; i < c_.size(); ++i) {
      if (i % problem.ldc >= problem.n && !std::isnan(c_[i])) return true;
    }
    return false;
  }

  GemmProblem<BFloat16> problem;

 private:
  static constexpr BFloat16 kNothing = {0x7FC0};
  std::vector<BFloat16> a_, b_;
  std::vector<float> c_, bias_;
};

class AmxGemmTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!amx_is_available())
      GTEST_SKIP() << "skipped, nothing was tested: no AMX for bfloat16, or a limit below it";
  }
};

void expect_defined_bits(Product& product) {
  const auto& p = product.problem;
  for (std::size_t i = 0; i < p.m; ++i) {
    for (std::size_t j = 0; j < p.n; ++j) {
      ASSERT_EQ(product.c(i, j), product.defined_sum(i, j))
          << "row " << i << ", output " << j << " of " << p.m << " × " << p.n << ", k " << p.k;
      ASSERT_NEAR(product.c(i, j), product.exact_sum(i, j), 1e-6 * static_cast<double>(p.k));
    }
  }
  EXPECT_FALSE(product.wrote_between_rows());
}

TEST_F(AmxGemmTest, EveryRemainderHasTheBitsOfIntelsDefinition) {
  for (const std::size_t m : {1, 2, 15, 16, 17, 31, 32, 33, 70}) {
    for (const std::size_t n : {1, 2, 15, 16, 17, 31, 32, 33, 67}) {
      for (const std::size_t k : {1, 2, 3, 31, 32, 33, 63, 64, 65, 131}) {
        for (const bool b_rows_are_outputs : {true, false}) {
          Product product(m, n, k, b_rows_are_outputs);
          product.run();
          expect_defined_bits(product);
        }
      }
    }
  }
}

TEST_F(AmxGemmTest, EveryBlockOfRowsOutputsAndDepthHasTheBitsOfIntelsDefinition) {
  for (const bool b_rows_are_outputs : {true, false}) {
    for (const auto& [m, n, k] : {std::tuple<std::size_t, std::size_t, std::size_t>{3, 5, 2081},
                                  {259, 34, 700},
                                  {600, 3, 97},
                                  {5, 2060, 800}}) {
      Product product(m, n, k, b_rows_are_outputs);
      product.run();
      expect_defined_bits(product);
    }
  }
}

TEST_F(AmxGemmTest, BiasIsAddedToTheSumAndThenWhatWasThere) {
  for (const bool accumulate : {false, true}) {
    Product product(37, 45, 600, true);
    product.problem.bias = product.bias();
    product.problem.accumulate = accumulate;
    const auto start = [](std::size_t i, std::size_t j) {
      return static_cast<float>(i) - 0.25f * static_cast<float>(j);
    };
    for (std::size_t i = 0; i < 37; ++i) {
      for (std::size_t j = 0; j < 45; ++j) product.c(i, j) = start(i, j);
    }
    product.run();
    for (std::size_t i = 0; i < 37; ++i) {
      for (std::size_t j = 0; j < 45; ++j) {
        const float sum = product.defined_sum(i, j) + product.bias()[j];
        ASSERT_EQ(product.c(i, j), accumulate ? sum + start(i, j) : sum) << i << " " << j;
      }
    }
  }
}

TEST_F(AmxGemmTest, AnElementHasTheSameBitsWhereverItIsComputed) {
  Product whole(560, 1090, 1100, true);
  whole.run();
  for (const bool b_rows_are_outputs : {true, false}) {
    for (const auto& [first_row, rows, first_output, outputs] :
         {std::tuple<std::size_t, std::size_t, std::size_t, std::size_t>{0, 1, 0, 1090},
          {559, 1, 1089, 1},
          {13, 300, 1000, 90},
          {255, 40, 511, 17}}) {
      Product part(rows, outputs, 1100, b_rows_are_outputs);
      for (std::size_t k = 0; k < 1100; ++k) {
        for (std::size_t i = 0; i < rows; ++i) part.a(i, k) = whole.a(first_row + i, k);
        for (std::size_t j = 0; j < outputs; ++j) part.b(j, k) = whole.b(first_output + j, k);
      }
      part.run();
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < outputs; ++j) {
          ASSERT_EQ(part.c(i, j), whole.c(first_row + i, first_output + j))
              << i << " " << j << " of " << rows;
        }
      }
    }
  }
}

TEST_F(AmxGemmTest, WhatIsNotFiniteStaysInItsRowAndItsOutput) {
  constexpr std::size_t kRow = 18, kOutput = 5;
  for (const bool b_rows_are_outputs : {true, false}) {
    Product product(37, 45, 601, b_rows_are_outputs);
    product.a(kRow, 600) = to_bfloat16(std::numeric_limits<float>::infinity());
    product.b(kOutput, 0) = to_bfloat16(std::numeric_limits<float>::quiet_NaN());
    product.run();
    for (std::size_t i = 0; i < 37; ++i) {
      for (std::size_t j = 0; j < 45; ++j) {
        ASSERT_EQ(std::isnan(product.c(i, j)), j == kOutput) << i << " " << j;
        ASSERT_EQ(std::isinf(product.c(i, j)), i == kRow && j != kOutput) << i << " " << j;
      }
    }
  }
}

TEST_F(AmxGemmTest, NumbersBelowTheNormalOnesCountAsZeros) {
  Product product(1, 1, 1, true);
  product.a(0, 0) = {0x0040};
  product.b(0, 0) = to_bfloat16(0x1p+100f);
  product.run();
  EXPECT_EQ(product.c(0, 0), 0.0f);
}

TEST(AmxGemmWorkspaceTest, IsWhatItsSizeSaysAndBoundedForFewRows) {
  EXPECT_EQ(amx_workspace_bytes(2048, 1024, 4096), (1024u * 4096 + 512 * 512) * 2 + 512u * 1024 * 4);
  EXPECT_LT(amx_workspace_bytes(512, 1024, 14336), 3u << 20);
  EXPECT_GT(amx_workspace_bytes(0, 1024, 4096), 0u);
}

}  // namespace
}  // namespace saescope
#endif
