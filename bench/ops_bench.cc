// Every operator at the sizes of the two 8B models, and the encoder over a full-size dictionary. Counters
// give the arithmetic or memory rate, to be read as a share of BM_LibraryGemm's in the same run.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <numeric>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>

#include "analysis/feature_statistics.h"
#include "base/usable_resources.h"
#include "ops/cpu/cpu_backend.h"
#include "ops/encode/encode.h"

namespace saescope {
namespace {

constexpr std::size_t kHidden = 4096;
constexpr std::size_t kIntermediate = 14336;

int threads() { return usable_processors(); }

void fill(const Array& array) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> some(4096);
  std::generate(some.begin(), some.end(), [&] { return normal(random); });
  for (std::size_t i = 0; i < array.rows() * array.cols(); ++i) {
    const float value = some[i % some.size()];
    if (array.dtype() == DType::kBF16) {
      array.bf16().data[i] = to_bfloat16(value);
    } else {
      array.f32().data[i] = value;
    }
  }
}

Array make(Backend& backend, std::size_t rows, std::size_t cols, DType dtype) {
  Array array = backend.allocate(rows, cols, dtype);
  fill(array);
  return array;
}

TensorView as_weight(const Array& array) {
  return {array.dtype(), {array.rows(), array.cols()}, {array.cols(), 1}, array.bytes()};
}

void set_rate(benchmark::State& state, const char* name, double per_iteration) {
  state.counters[name] = benchmark::Counter(per_iteration, benchmark::Counter::kIsIterationInvariantRate,
                                            benchmark::Counter::kIs1000);
}

void set_flops(benchmark::State& state, double operations) { set_rate(state, "FLOP", operations); }

void gemm(benchmark::State& state, DType x_type, DType weight_type) {
  CpuBackend backend(threads());
  const auto rows = static_cast<std::size_t>(state.range(0));
  const Array x = make(backend, rows, kHidden, x_type);
  const Array weight = make(backend, kIntermediate, kHidden, weight_type);
  const Array y = backend.allocate(rows, kIntermediate, DType::kF32);
  for (auto _ : state) backend.linear(x, as_weight(weight), {}, y, false);
  set_flops(state, 2.0 * static_cast<double>(rows) * kHidden * kIntermediate);
}

void BM_GemmBf16(benchmark::State& state) { gemm(state, DType::kBF16, DType::kBF16); }
BENCHMARK(BM_GemmBf16)->Arg(64)->Arg(512)->Arg(1024)->Arg(4805)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_GemmF32(benchmark::State& state) { gemm(state, DType::kF32, DType::kF32); }
BENCHMARK(BM_GemmF32)->Arg(512)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The projections of an 8B model, for bench/gemm.py.
void BM_LinearF32(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto out = static_cast<std::size_t>(state.range(1));
  const auto in = static_cast<std::size_t>(state.range(2));
  CpuBackend backend(static_cast<int>(state.range(3)));
  const Array x = make(backend, rows, in, DType::kF32);
  const Array weight = make(backend, out, in, DType::kF32);
  const Array y = backend.allocate(rows, out, DType::kF32);
  for (auto _ : state) backend.linear(x, as_weight(weight), {}, y, false);
  set_flops(state, 2.0 * static_cast<double>(rows * out * in));
}
BENCHMARK(BM_LinearF32)
    ->ArgNames({"rows", "out", "in", "threads"})
    ->ArgsProduct({{512}, {4096, 1024, 14336}, {4096}, {1, 2}})
    ->ArgsProduct({{512}, {4096}, {14336}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Weights of another type than the GEMM's, converted by tile.
void BM_GemmBf16OfF32Weights(benchmark::State& state) { gemm(state, DType::kBF16, DType::kF32); }
BENCHMARK(BM_GemmBf16OfF32Weights)->Arg(1024)->Unit(benchmark::kMillisecond)->UseRealTime();

/// oneDNN's matmul of whole matrices on all threads, as a program would call it: the peak that the stages of
/// a run are compared with. (oneDNN's own interface, so that the figure does not depend on how this program
/// cuts a product up.)
void library_gemm(benchmark::State& state, dnnl::memory::data_type type, std::size_t element_bytes) {
  CpuBackend backend(threads());  // the first of a process limits oneDNN's instruction sets
  const dnnl::memory::dim m = state.range(0), k = kHidden, n = kIntermediate;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const dnnl::memory::desc a({m, k}, type, dnnl::memory::dims{k, 1});
  const dnnl::memory::desc b({k, n}, type, dnnl::memory::dims{1, k});
  const dnnl::memory::desc c({m, n}, dnnl::memory::data_type::f32, dnnl::memory::dims{n, 1});
#if DNNL_VERSION_MAJOR >= 3
  const auto describe = [&] { return dnnl::matmul::primitive_desc(engine, a, b, c); };
#else
  const auto describe = [&] { return dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, b, c), engine); };
#endif
  dnnl::matmul::primitive_desc description;
  try {
    description = describe();
  } catch (const dnnl::error& error) {
    return state.SkipWithError(error.message);  // no implementation for this processor
  }
  const dnnl::matmul matmul(description);
  const DType dtype = element_bytes == 2 ? DType::kBF16 : DType::kF32;
  const Array x = make(backend, static_cast<std::size_t>(m), kHidden, dtype);
  const Array weight = make(backend, kIntermediate, kHidden, dtype);
  const Array y = backend.allocate(static_cast<std::size_t>(m), kIntermediate, DType::kF32);
  for (auto _ : state) {
    matmul.execute(stream, {{DNNL_ARG_SRC, dnnl::memory(a, engine, x.bytes())},
                            {DNNL_ARG_WEIGHTS, dnnl::memory(b, engine, weight.bytes())},
                            {DNNL_ARG_DST, dnnl::memory(c, engine, y.bytes())}});
    stream.wait();
  }
  set_flops(state, 2.0 * static_cast<double>(m) * kHidden * kIntermediate);
}

void BM_LibraryGemmBf16(benchmark::State& state) { library_gemm(state, dnnl::memory::data_type::bf16, 2); }
BENCHMARK(BM_LibraryGemmBf16)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_LibraryGemmF32(benchmark::State& state) { library_gemm(state, dnnl::memory::data_type::f32, 4); }
BENCHMARK(BM_LibraryGemmF32)->Arg(512)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_RmsNorm(benchmark::State& state) {
  CpuBackend backend(threads());
  const Array x = make(backend, 1024, kHidden, DType::kF32);
  const Array out = backend.allocate(1024, kHidden, DType::kBF16);
  const std::vector<float> weight(kHidden, 1.0f);
  for (auto _ : state) backend.rms_norm(x, weight, 1e-5f, out);
  set_rate(state, "B", 1024.0 * kHidden * 6);
}
BENCHMARK(BM_RmsNorm)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Gate and up projection with the gating, at the rows of a large wave.
void BM_Glu(benchmark::State& state) {
  CpuBackend backend(threads());
  const auto rows = static_cast<std::size_t>(state.range(0));
  const Array x = make(backend, rows, kHidden, DType::kBF16);
  const Array gate = make(backend, kIntermediate, kHidden, DType::kBF16);
  const Array up = make(backend, kIntermediate, kHidden, DType::kBF16);
  const Array out = backend.allocate(rows, kIntermediate, DType::kBF16);
  const TensorView gate_view = as_weight(gate);
  const TensorView up_view = as_weight(up);
  for (auto _ : state) backend.glu(x, {gate_view, {}}, {up_view, {}}, GateFunction::kSilu, out);
  set_flops(state, 4.0 * static_cast<double>(rows) * kHidden * kIntermediate);
}
BENCHMARK(BM_Glu)->Arg(1024)->Arg(4805)->Unit(benchmark::kMillisecond)->UseRealTime();

/// One sequence of n tokens with Llama's heads.
void attention(benchmark::State& state, int thread_count) {
  CpuBackend backend(thread_count);
  const auto tokens = static_cast<std::size_t>(state.range(0));
  const AttentionShape shape{32, 8, 128, 0.088f};
  const Array q = make(backend, tokens, shape.heads * shape.head_dim, DType::kF32);
  const Array k = make(backend, tokens, shape.kv_heads * shape.head_dim, DType::kF32);
  const Array out = backend.allocate(tokens, shape.heads * shape.head_dim, DType::kBF16);
  std::vector<int32_t> position(tokens);
  std::iota(position.begin(), position.end(), 0);
  std::vector<int32_t> parent(tokens);
  std::iota(parent.begin(), parent.end(), -1);
  for (auto _ : state) backend.attention(q, k, k, position, {parent, position}, shape, out);
  const double pairs = static_cast<double>(tokens) * static_cast<double>(tokens + 1) / 2;
  set_flops(state, 4.0 * pairs * static_cast<double>(shape.heads * shape.head_dim));
}

void BM_Attention(benchmark::State& state) { attention(state, threads()); }
BENCHMARK(BM_Attention)->Arg(64)->Arg(512)->Arg(4096)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_AttentionThreads(benchmark::State& state) { attention(state, static_cast<int>(state.range(1))); }
BENCHMARK(BM_AttentionThreads)
    ->ArgNames({"tokens", "threads"})
    ->ArgsProduct({{4096}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// 420 rows (140 prompts, three token types) through 32,768 features, into the statistics.
void BM_UniversalEncode(benchmark::State& state) {
  constexpr std::size_t kFeatures = 32768;
  constexpr std::size_t kRows = 420;
  CpuBackend backend(threads());
  const Array weight = make(backend, kHidden, kFeatures, DType::kF32);
  EncoderParameters parameters;
  parameters.activation_dim = kHidden;
  parameters.dict_size = kFeatures;
  parameters.weight = {DType::kF32, {kFeatures, kHidden}, {1, kFeatures}, weight.bytes()};
  parameters.bias.assign(kFeatures, 0.0f);
  parameters.input_bias.assign(kHidden, 0.0f);
  parameters.function = ActivationFunction::kThreshold;
  parameters.threshold = 100;
  FeatureStatistics statistics(kFeatures, 0.01f);
  const BoundEncoder encoder = backend.bind_encoder(parameters);
  const Array x = make(backend, kRows, kHidden, DType::kF32);
  for (auto _ : state) {
    backend.encode(x.f32(), encoder, [&](std::size_t first, const FeatureBlock& block) {
      std::visit([&](const auto& part) { statistics.add(first, part); }, block);
    });
  }
  set_flops(state, 2.0 * kRows * kHidden * kFeatures);
}
BENCHMARK(BM_UniversalEncode)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace saescope
