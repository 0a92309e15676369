#include "ops/cpu/bf16_gemm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/environment.h"
#include "ops/cpu/grow_buffer.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

using dnnl::memory;

/// Everything a prepared primitive depends on; pointers are given at execution.
using Problem = GemmProblem<BFloat16>;
using Key = std::tuple<std::size_t, std::size_t, std::size_t, std::size_t, std::size_t, bool, bool,
                       std::size_t, bool>;

Key key_of(const Problem& p) {
  return {p.m, p.n, p.k, p.lda, p.ldb, p.b_rows_are_outputs, p.bias != nullptr, p.ldc, p.accumulate};
}

memory::dim dim(std::size_t size) { return static_cast<memory::dim>(size); }

/// The one place where the 2.x and 3.x interfaces of oneDNN differ.
dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const memory::desc& a,
                                      const memory::desc& b, const memory::desc& bias, const memory::desc& c,
                                      const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, a, b, bias, c, attributes};
#else
  return {dnnl::matmul::desc(a, b, bias, c), attributes, engine};
#endif
}

#if defined(__x86_64__)
/// oneDNN's instruction sets are bit sets: a larger one has the bits of those it includes. They have names
/// for x86 alone; on other processors the same bits mean something else.
bool includes(dnnl::cpu_isa isa, dnnl::cpu_isa part) {
  return (static_cast<unsigned>(isa) & static_cast<unsigned>(part)) == static_cast<unsigned>(part);
}

constexpr auto kInstructionSets = std::to_array<std::pair<dnnl::cpu_isa, const char*>>({
    {dnnl::cpu_isa::sse41, "sse41"},
    {dnnl::cpu_isa::avx, "avx"},
    {dnnl::cpu_isa::avx2, "avx2"},
    {dnnl::cpu_isa::avx512_core, "avx512_core"},
    {dnnl::cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
    {dnnl::cpu_isa::avx512_core_bf16, "avx512_core_bf16"},
    {dnnl::cpu_isa::avx512_core_amx, "avx512_core_amx"},
});

/// Values of the user's ONEDNN_MAX_CPU_ISA, in 2.x and 3.x, below what is set here.
constexpr auto kLowerLimits =
    std::to_array<std::string_view>({"sse41", "avx", "avx2", "avx2_vnni", "avx2_vnni_2", "avx512_mic",
                                     "avx512_mic_4ops", "avx512_core", "avx512_core_vnni"});

/// The instruction set that oneDNN uses, never AMX: its GEMM cuts k there by the numbers of rows and outputs,
/// so a row's bits would depend on the others (seen with 2.6.3 from 700 k on). A limit replaces the
/// environment's, which cannot be asked for, since asking oneDNN anything fixes what holds by then.
dnnl::cpu_isa instruction_set() {
  static const dnnl::cpu_isa effective = [] {
    const bool is_lower = std::find(kLowerLimits.begin(), kLowerLimits.end(),
                                    Bf16Gemm::environment_limit()) != kLowerLimits.end();
    if (!is_lower) dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16);
    return dnnl::get_effective_cpu_isa();
  }();
  return effective;
}
#endif

// A primitive holds some hundred kilobytes of code and data, and row counts vary with the prompts of each
// wave: a bound, a little above the shapes of one wave, keeps a long run's memory flat. The library's own
// cache has the same one.
constexpr std::size_t kMaxPrepared = 32;

struct Prepared {
  memory::desc a, b, bias, c, scratchpad;
  dnnl::matmul primitive;
};

Prepared prepare(const dnnl::engine& engine, const Problem& p) {
  constexpr auto kBF16 = memory::data_type::bf16;
  constexpr auto kF32 = memory::data_type::f32;
  const memory::dims b_strides =
      p.b_rows_are_outputs ? memory::dims{1, dim(p.ldb)} : memory::dims{dim(p.ldb), 1};
  Prepared prepared;
  prepared.a = memory::desc({dim(p.m), dim(p.k)}, kBF16, memory::dims{dim(p.lda), 1});
  prepared.b = memory::desc({dim(p.k), dim(p.n)}, kBF16, b_strides);
  prepared.c = memory::desc({dim(p.m), dim(p.n)}, kF32, memory::dims{dim(p.ldc), 1});
  if (p.bias != nullptr) prepared.bias = memory::desc({1, dim(p.n)}, kF32, memory::dims{dim(p.n), 1});
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(
      dnnl::scratchpad_mode::user);  // the library's own is not for several threads
  if (p.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
  const auto description = describe(engine, prepared.a, prepared.b, prepared.bias, prepared.c, attributes);
  prepared.scratchpad = description.scratchpad_desc();
  prepared.primitive = dnnl::matmul(description);
  return prepared;
}

}  // namespace

struct Bf16Gemm::Impl {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<Key, Prepared> prepared;
  Buffer<std::byte> scratchpad;
};

Bf16Gemm::Bf16Gemm() {
  if (!is_available()) return;  // which limits oneDNN, before anything else of it
  impl_ = std::make_unique<Impl>();
  dnnl::set_primitive_cache_capacity(static_cast<int>(kMaxPrepared));
}
Bf16Gemm::~Bf16Gemm() = default;

void Bf16Gemm::run(const Problem& p) {
  if (p.m == 1 || p.n == 1) return run_widened(p);
  if (impl_->prepared.size() >= kMaxPrepared) impl_->prepared.clear();
  const Key key = key_of(p);
  auto found = impl_->prepared.find(key);
  if (found == impl_->prepared.end()) {
    found = impl_->prepared.emplace(key, prepare(impl_->engine, p)).first;
  }
  const Prepared& prepared = found->second;
  grow_buffer(impl_->scratchpad, prepared.scratchpad.get_size());
  // oneDNN's interface takes mutable pointers; it only writes to the destination.
  const auto wrap = [&](const memory::desc& desc, const void* data) {
    return memory(desc, impl_->engine, const_cast<void*>(data));
  };
  std::unordered_map<int, memory> arguments = {
      {DNNL_ARG_SRC, wrap(prepared.a, p.a)},
      {DNNL_ARG_WEIGHTS, wrap(prepared.b, p.b)},
      {DNNL_ARG_DST, wrap(prepared.c, p.c)},
      {DNNL_ARG_SCRATCHPAD, wrap(prepared.scratchpad, impl_->scratchpad.data())}};
  if (p.bias != nullptr) arguments.emplace(DNNL_ARG_BIAS, wrap(prepared.bias, p.bias));
  prepared.primitive.execute(impl_->stream, arguments);
  impl_->stream.wait();
}

/// A single row has no distance to the next one, and oneDNN may choose another implementation for it, with
/// other bits. For a single output oneDNN 3.7 takes the rows of c for dense, wherever the next one lies.
void Bf16Gemm::run_widened(const Problem& p) {
  Problem wide = p;
  wide.m = std::max<std::size_t>(p.m, 2);
  wide.n = std::max<std::size_t>(p.n, 2);
  std::vector<BFloat16> rows;
  if (p.m == 1) {
    rows.resize(2 * p.k);
    std::copy_n(p.a, p.k, rows.data());
    wide.a = rows.data();
    wide.lda = p.k;
  }
  std::vector<BFloat16> outputs;
  std::vector<float> bias(p.bias != nullptr ? wide.n : 0);
  if (p.n == 1) {
    outputs.resize(2 * p.k);
    for (std::size_t i = 0; i < p.k; ++i) outputs[i] = p.b[p.b_rows_are_outputs ? i : i * p.ldb];
    wide.b = outputs.data();
    wide.ldb = p.k;
    wide.b_rows_are_outputs = true;
    if (p.bias != nullptr) bias[0] = p.bias[0];
    if (p.bias != nullptr) wide.bias = bias.data();
  }
  if (p.n == 1) wide.ldc = wide.n;
  std::vector<float> results(wide.m * wide.ldc);
  for (std::size_t r = 0; r < (p.accumulate ? p.m : 0); ++r) {
    std::copy_n(p.c + r * p.ldc, p.n, results.data() + r * wide.ldc);
  }
  wide.c = results.data();
  run(wide);
  for (std::size_t r = 0; r < p.m; ++r) {
    std::copy_n(results.data() + r * wide.ldc, p.n, p.c + r * p.ldc);
  }
}

bool Bf16Gemm::is_available() {
#if defined(__x86_64__)
  // With AMX only where others of this process used oneDNN before and fixed its limit.
  return includes(instruction_set(), dnnl::cpu_isa::avx512_core_bf16) &&
         !includes(instruction_set(), dnnl::cpu_isa::avx512_core_amx);
#else
  return false;
#endif
}

std::string Bf16Gemm::environment_limit() {
  std::string limit = environment_text("ONEDNN_MAX_CPU_ISA");
  if (limit.empty()) limit = environment_text("DNNL_MAX_CPU_ISA");
  std::transform(limit.begin(), limit.end(), limit.begin(), [](unsigned char c) { return std::tolower(c); });
  return limit;
}

std::string Bf16Gemm::description() {
  const dnnl_version_t* version = dnnl_version();
#if defined(__x86_64__)
  const char* best = "no vector instructions that it knows";
  for (const auto& [isa, name] : kInstructionSets) {
    if (includes(instruction_set(), isa)) best = name;
  }
#else
  const char* best = "unused on this processor";
#endif
  return fmt::format("oneDNN {}.{}.{}, {}", version->major, version->minor, version->patch, best);
}

}  // namespace saescope
