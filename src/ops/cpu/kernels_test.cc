// The kernels of every instruction set that this processor has against each other, bit by bit, and against
// what they gave on other processors.
#include "ops/cpu/kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "ops/cpu/rope_table.h"

namespace saescope {
namespace {

/// Values in [-1, 1) that are the same with every C++ library.
std::vector<float> some_values(std::size_t size, uint32_t seed) {
  std::vector<float> values(size);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) * 0x1p-23f - 1.0f;
  }
  return values;
}

/// FNV-1a over the bits of results. Kernels that change results change it, and kKernelNumerics has to change
/// with it.
class BitHash {
 public:
  void add(const std::vector<float>& values) {
    for (const float value : values) {
      hash_ = (hash_ ^ std::bit_cast<uint32_t>(value)) * 1099511628211u;
    }
  }
  uint64_t value() const { return hash_; }

 private:
  uint64_t hash_ = 14695981039346656037u;
};

std::vector<float> multiply(const Kernels& kernels, std::size_t m, std::size_t n, std::size_t k,
                            bool b_rows_are_outputs) {
  const auto a = some_values(m * k, 1);
  const auto b = some_values(n * k, 2);
  const auto bias = some_values(n, 3);
  auto c = some_values(m * n, 4);
  GemmProblem<float> problem = {.m = m, .n = n, .k = k, .a = a.data(), .lda = k, .b = b.data()};
  problem.ldb = b_rows_are_outputs ? k : n;
  problem.b_rows_are_outputs = b_rows_are_outputs;
  problem.bias = bias.data();
  problem.c = c.data();
  problem.ldc = n;
  problem.accumulate = true;
  F32GemmWorkspace work;
  kernels.f32_gemm(problem, work);
  return c;
}

std::vector<float> multiply_many(const Kernels& kernels) {
  std::vector<float> all;
  for (const std::size_t m : {1, 5, 6, 7, 97}) {
    for (const std::size_t n : {1, 15, 16, 17, 63, 64, 65, 131}) {
      for (const std::size_t k : {1, 3, 512, 767, 768, 1027}) {
        for (const bool b_rows_are_outputs : {false, true}) {
          const auto c = multiply(kernels, m, n, k, b_rows_are_outputs);
          all.insert(all.end(), c.begin(), c.end());
        }
      }
    }
  }
  return all;
}

std::vector<float> attend(const Kernels& kernels, const AttentionShape& shape, std::size_t nodes,
                          std::size_t queries) {
  const std::size_t q_dim = shape.heads * shape.head_dim;
  const std::size_t kv_dim = shape.kv_heads * shape.head_dim;
  const auto q = some_values(queries * q_dim, 5);
  const auto k = some_values(nodes * kv_dim, 6);
  const auto v = some_values(nodes * kv_dim, 7);
  std::vector<std::size_t> path(nodes);
  std::iota(path.begin(), path.end(), std::size_t{0});
  const std::size_t rows = queries * (shape.heads / shape.kv_heads);
  AttentionWorkspace work(rows, shape.head_dim);
  std::vector<float> all;
  for (std::size_t kv_head = 0; kv_head < shape.kv_heads; ++kv_head) {
    const AttentionBlock block = {{q.data(), queries, q_dim, q_dim},
                                  {k.data(), nodes, kv_dim, kv_dim},
                                  {v.data(), nodes, kv_dim, kv_dim},
                                  path,
                                  0,
                                  queries,
                                  kv_head,
                                  shape};
    kernels.attend(block, work);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* row = work.sums.data() + r * work.padded_dim;
      all.insert(all.end(), row, row + shape.head_dim);
    }
  }
  return all;
}

std::vector<float> attend_many(const Kernels& kernels) {
  std::vector<float> all;
  for (const AttentionShape& shape :
       {AttentionShape{4, 2, 24, 3.0f}, AttentionShape{3, 1, 64, 8.0f}, AttentionShape{2, 2, 7, 1.0f}}) {
    for (const std::size_t nodes : {1, 40, 256, 261, 600}) {
      const auto some = attend(kernels, shape, nodes, std::min<std::size_t>(nodes, 9));
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
}

std::vector<float> run_rows(const Kernels& kernels) {
  std::vector<float> all;
  for (const std::size_t size : {2, 14, 16, 30, 100, 576}) {
    auto x = some_values(size, 8);
    const auto y = some_values(size, 9);
    std::vector<float> out(size);
    kernels.rms_norm(x.data(), y.data(), size, 1e-5f, {.f32 = out.data()}, Store::kReplace);
    all.insert(all.end(), out.begin(), out.end());
    for (float& value : x) value *= 100;  // as far as e^x reaches
    kernels.glu(GateFunction::kSilu, x.data(), y.data(), size, {.f32 = out.data()});
    all.insert(all.end(), out.begin(), out.end());
    for (const RopeLayout layout : {RopeLayout::kHalves, RopeLayout::kInterleaved}) {
      kernels.rotate(x.data(), y.data(), y.data() + size / 2, size / 2, layout);
      all.insert(all.end(), x.begin(), x.end());
    }
  }
  return all;
}

/// What Gemma adds: the other gate function, norms that are added, capped scores and windows.
std::vector<float> run_gemma(const Kernels& kernels) {
  std::vector<float> all;
  for (const std::size_t size : {2, 14, 16, 30, 100, 576}) {
    auto x = some_values(size, 8);
    const auto y = some_values(size, 9);
    std::vector<float> out = some_values(size, 10);
    kernels.rms_norm(x.data(), y.data(), size, 1e-5f, {.f32 = out.data()}, Store::kAdd);
    all.insert(all.end(), out.begin(), out.end());
    for (float& value : x) value *= 10;
    kernels.glu(GateFunction::kGeluTanh, x.data(), y.data(), size, {.f32 = out.data()});
    all.insert(all.end(), out.begin(), out.end());
  }
  for (const AttentionShape& shape :
       {AttentionShape{4, 2, 24, 3.0f, 5.0f}, AttentionShape{4, 2, 24, 3.0f, 0, 9},
        AttentionShape{3, 1, 64, 8.0f, 50.0f, 300}}) {
    for (const std::size_t nodes : {1, 40, 261, 600}) {
      const auto some = attend(kernels, shape, nodes, std::min<std::size_t>(nodes, 9));
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
}

class KernelsTest : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& kernels = *GetParam();
};

INSTANTIATE_TEST_SUITE_P(EveryInstructionSet, KernelsTest, ::testing::ValuesIn(runnable_kernels()),
                         [](const auto& test) { return std::string(test.param->name); });

uint64_t hash_of(const std::vector<float>& values) {
  BitHash hash;
  hash.add(values);
  return hash.value();
}

TEST_P(KernelsTest, GemmGivesTheBitsThatItGivesOnEveryProcessor) {
  EXPECT_EQ(hash_of(multiply_many(kernels)), 0xCAD55566EAB7C016u);
}

TEST_P(KernelsTest, GemmOfBFloat16RowsGivesTheBitsOfTheSameValuesInFloat32) {
  constexpr std::size_t kRows = 7, kOutputs = 33, kInputs = 139;
  const auto values = some_values(kRows * kInputs, 1);
  const auto b = some_values(kOutputs * kInputs, 2);
  std::vector<BFloat16> rounded(values.size());
  std::vector<float> widened(values.size());
  std::transform(values.begin(), values.end(), rounded.begin(), to_bfloat16);
  std::transform(rounded.begin(), rounded.end(), widened.begin(), [](BFloat16 v) { return to_float(v); });
  const auto run = [&]<typename A>(const A* a, auto gemm) {
    std::vector<float> c(kRows * kOutputs);
    GemmProblem<A, float> problem = {.m = kRows, .n = kOutputs, .k = kInputs, .a = a, .lda = kInputs};
    problem.b = b.data();
    problem.ldb = kInputs;
    problem.c = c.data();
    problem.ldc = kOutputs;
    F32GemmWorkspace work;
    gemm(problem, work);
    return c;
  };
  EXPECT_EQ(run(rounded.data(), kernels.f32_gemm_of_bf16), run(widened.data(), kernels.f32_gemm));
}

TEST_P(KernelsTest, AttentionGivesTheBitsThatItGivesOnEveryProcessor) {
  EXPECT_EQ(hash_of(attend_many(kernels)), 0xB082A63EE4E53CC3u);
}

TEST_P(KernelsTest, RowOperatorsGiveTheBitsThatTheyGiveOnEveryProcessor) {
  EXPECT_EQ(hash_of(run_rows(kernels)), 0x97D1DDCD985D0E92u);
}

TEST_P(KernelsTest, GemmasOperatorsGiveTheBitsThatTheyGiveOnEveryProcessor) {
  EXPECT_EQ(hash_of(run_gemma(kernels)), 0xD047549FB380FB4Bu);
}

TEST_P(KernelsTest, BFloat16IsRoundedAsTheFormatSaysInVectorsAndRemainders) {
  std::vector<float> values;
  for (uint32_t upper = 0; upper < 0x10000u; ++upper) {
    for (const uint32_t lower : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu}) {
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
    }
  }
  values.resize(values.size() - 5);
  std::vector<BFloat16> rounded(values.size());
  kernels.store(values.data(), values.size(), {.bf16 = rounded.data()});
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(rounded[i].bits, to_bfloat16(values[i]).bits) << std::hexfloat << values[i];
  }
}

TEST_P(KernelsTest, GatesAreZeroAndTheirInputWhereTheExponentialEnds) {
  const std::vector<float> gate = {-1000.0f, -89.0f, 0.0f, 89.0f, 1000.0f};
  const std::vector<float> up(gate.size(), 1.0f);
  std::vector<float> out(gate.size());
  for (const GateFunction function : {GateFunction::kSilu, GateFunction::kGeluTanh}) {
    kernels.glu(function, gate.data(), up.data(), gate.size(), {.f32 = out.data()});
    EXPECT_THAT(out, ::testing::ElementsAre(0.0f, 0.0f, 0.0f, 89.0f, 1000.0f));
  }
}

TEST(RopeTableTest, CosineAndSineAreThoseOfFloat64AtEveryPosition) {
  const RopeFrequencies frequencies{{1.0f, 0.7f, 0.013f, 1e-6f}, RopeLayout::kHalves};
  constexpr int32_t kLast = 200000;
  RopeTable table;
  table.prepare(frequencies, kLast);
  for (int32_t position = 0; position <= kLast; ++position) {
    for (std::size_t i = 0; i < frequencies.inverse.size(); ++i) {
      const double angle = static_cast<float>(position) * frequencies.inverse[i];
      ASSERT_NEAR(table.cosine(position)[i], std::cos(angle), 0x1p-24) << position << " " << i;
      ASSERT_NEAR(table.sine(position)[i], std::sin(angle), 0x1p-24) << position << " " << i;
    }
  }
}

/// Sets a variable of the environment for one test.
class EnvironmentVariable {
 public:
  EnvironmentVariable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value, 1);
  }
  ~EnvironmentVariable() { old_.empty() ? ::unsetenv(name_) : ::setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

TEST(PreferredKernels, TheVariableKeepsThemFromLargerInstructionSets) {
  for (const Kernels* kernels : runnable_kernels()) {
    const EnvironmentVariable limit("SAESCOPE_MAX_CPU_ISA", kernels->name);
    EXPECT_STREQ(preferred_kernels().name, kernels->name);
  }
  const EnvironmentVariable none("SAESCOPE_MAX_CPU_ISA", "");
  EXPECT_STREQ(preferred_kernels().name, runnable_kernels().front()->name);
}

TEST(PreferredKernels, AnInstructionSetThatTheProcessorLacksLeavesTheBestOfThoseBelow) {
  const EnvironmentVariable limit("SAESCOPE_MAX_CPU_ISA", built_kernels().front()->name);
  EXPECT_STREQ(preferred_kernels().name, runnable_kernels().front()->name);
}

TEST(PreferredKernels, AmxIsOffWhereOneDnnsLimitIsBelowIt) {
  const EnvironmentVariable ours("SAESCOPE_MAX_CPU_ISA", "");
  const EnvironmentVariable onednns("ONEDNN_MAX_CPU_ISA", "");
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
    for (const char* value : {"AVX2", "AVX512_CORE_BF16", "avx512_core_fp16"}) {
      const EnvironmentVariable limit(name, value);
      EXPECT_STRNE(preferred_kernels().name, "amx") << name << " " << value;
    }
    for (const char* value : {"ALL", "AVX512_CORE_AMX", "avx10_1_512_amx"}) {
      const EnvironmentVariable limit(name, value);
      EXPECT_EQ(preferred_kernels().bf16_gemm != nullptr, amx_is_available()) << name << " " << value;
    }
  }
}

TEST(PreferredKernels, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  const EnvironmentVariable limit("SAESCOPE_MAX_CPU_ISA", "mmx");
  try {
    preferred_kernels();
    FAIL() << "mmx was taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.detail().expected, ::testing::HasSubstr(runnable_kernels().back()->name));
    EXPECT_EQ(error.detail().found, "mmx");
  }
}

}  // namespace
}  // namespace saescope
