// Instructions and layouts as in the Intel 64 and IA-32 Architectures Software Developer's Manual (volume 1,
// "Programming with Intel Advanced Matrix Extensions"; volume 2, TDPBF16PS) and in Intel's Optimization
// Reference Manual ("Intel Advanced Matrix Extensions").
#include "ops/cpu/amx_gemm.h"

#include <algorithm>

namespace saescope {
namespace {

// A tile register holds 16 rows of 64 bytes. A register block is 2 × 2 tiles of sums: 32 rows × 32 outputs,
// to which two tiles of a and two of b add 32 k.
constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTileDepth = 32;
constexpr std::size_t kTile = kTileRows * kTileDepth;  // elements of a and b
constexpr std::size_t kTileSums = 256;
constexpr std::size_t kBlock = 2 * kTileRows;

// A panel of b (32 outputs × about 512 k, 32 KiB) stays in the first-level cache while rows pass over it from
// the second one, which holds the same k of 512 rows (512 KiB). Their sums with 1024 outputs (2 MiB) are
// asked for in time. Of the sizes tried, halves and doubles of each, none was faster.
constexpr std::size_t kDepthAtOnce = 512;
constexpr std::size_t kRowsAtOnce = 512;
constexpr std::size_t kOutputsAtOnce = 1024;

std::size_t round_up(std::size_t size, std::size_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

std::size_t rows_at_once(std::size_t m) {
  const std::size_t parts = std::max<std::size_t>(1, (m + kRowsAtOnce - 1) / kRowsAtOnce);
  return round_up((m + parts - 1) / parts, kBlock);
}

std::size_t depth_at_once(std::size_t k) {
  const std::size_t parts = std::max<std::size_t>(1, (k + kDepthAtOnce / 2) / kDepthAtOnce);
  return round_up((k + parts - 1) / parts, kTileDepth);
}

/// Whether b's tiles are used for other rows, too.
bool keeps_tiles(std::size_t m) { return m > rows_at_once(m); }

/// Elements of an AmxGemmWorkspace.
struct WorkspaceSizes {
  std::size_t outputs, rows, sums;
};

WorkspaceSizes workspace_sizes(std::size_t m, std::size_t n, std::size_t k) {
  const std::size_t rows = rows_at_once(m);
  const std::size_t outputs = round_up(n, kBlock);
  return {keeps_tiles(m) ? outputs * round_up(k, kTileDepth) : kBlock * depth_at_once(k),
          rows * depth_at_once(k), rows * std::min(kOutputsAtOnce, outputs)};
}

}  // namespace

std::size_t amx_workspace_bytes(std::size_t m, std::size_t n, std::size_t k) {
  const WorkspaceSizes sizes = workspace_sizes(m, n, k);
  return (sizes.outputs + sizes.rows) * sizeof(BFloat16) + sizes.sums * sizeof(float);
}

}  // namespace saescope

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "ops/cpu/bf16_gemm.h"
#include "ops/cpu/grow_buffer.h"

// As an option of the whole file it would hold for library code that is compiled inline here too, and the
// linker may keep that copy for all.
#define SAESCOPE_AMX [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]]

namespace saescope {
namespace {

/// The lowest `count` of a register's lanes.
uint32_t lanes(std::size_t count) { return count >= 32 ? ~0u : (1u << count) - 1; }

/// What is multiplied at once: rows in strips of 32, outputs in panels of 32.
struct Part {
  std::size_t first_row, rows;
  std::size_t first_output, outputs;
};

/// The part's rows of a as tiles: [strips][depth / 32][2][16 rows][32 k], zeros where a ends.
SAESCOPE_AMX void tile_rows(const GemmProblem<BFloat16>& p, const Part& part, std::size_t first_k,
                            std::size_t depth, BFloat16* tiles) {
  constexpr std::size_t kRowsAhead = 4;  // pieces of rows are too short for the processor's own prefetching
  for (std::size_t r = 0; r < part.rows; ++r) {
    const BFloat16* row = p.a + (part.first_row + r) * p.lda;
    const std::size_t end_k = part.first_row + r < p.m ? p.k : 0;
    BFloat16* place = tiles + r / kBlock * kBlock * depth + r % kBlock * kTileDepth;
    for (std::size_t k = first_k; k < first_k + depth; k += kTileDepth, place += 2 * kTile) {
      _mm512_store_si512(place, _mm512_maskz_loadu_epi16(k < end_k ? lanes(end_k - k) : 0, row + k));
      _mm_prefetch(row + kRowsAhead * p.lda + k, _MM_HINT_T0);
    }
  }
}

/// One tile of b, [16 pairs of k][16 outputs][2], from 16 rows of 32 k: pairs are transposed in blocks of
/// 4 × 4, a register holding such a block of rows 0 to 3, one of rows 4 to 7 and so on.
SAESCOPE_AMX void transpose_pairs(const BFloat16* rows, std::size_t ld, BFloat16* tile) {
  for (std::size_t quarter = 0; quarter < 4; ++quarter) {
    __m512i row[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const BFloat16* first = rows + i * ld + quarter * 8;
      const auto load = [&](std::size_t r) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(first + r * ld));
      };
      row[i] = _mm512_castsi128_si512(load(0));
      row[i] = _mm512_inserti32x4(row[i], load(4), 1);
      row[i] = _mm512_inserti32x4(row[i], load(8), 2);
      row[i] = _mm512_inserti32x4(row[i], load(12), 3);
    }
    const __m512i low01 = _mm512_unpacklo_epi32(row[0], row[1]);
    const __m512i high01 = _mm512_unpackhi_epi32(row[0], row[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(row[2], row[3]);
    const __m512i high23 = _mm512_unpackhi_epi32(row[2], row[3]);
    BFloat16* pairs = tile + quarter * 4 * kTileDepth;
    _mm512_store_si512(pairs, _mm512_unpacklo_epi64(low01, low23));
    _mm512_store_si512(pairs + kTileDepth, _mm512_unpackhi_epi64(low01, low23));
    _mm512_store_si512(pairs + 2 * kTileDepth, _mm512_unpacklo_epi64(high01, high23));
    _mm512_store_si512(pairs + 3 * kTileDepth, _mm512_unpackhi_epi64(high01, high23));
  }
}

/// A tile of b, stored as [n, k], zeros where b ends.
SAESCOPE_AMX void tile_of_rows(const GemmProblem<BFloat16>& p, std::size_t first_n, std::size_t first_k,
                               BFloat16* tile) {
  const std::size_t outputs = first_n < p.n ? std::min(p.n - first_n, kTileRows) : 0;
  const BFloat16* rows = p.b + first_n * p.ldb + first_k;
  if (outputs == kTileRows && p.k - first_k >= kTileDepth) return transpose_pairs(rows, p.ldb, tile);
  alignas(64) std::array<BFloat16, kTile> copy = {};
  for (std::size_t n = 0; n < outputs; ++n) {
    _mm512_store_si512(copy.data() + n * kTileDepth,
                       _mm512_maskz_loadu_epi16(lanes(p.k - first_k), rows + n * p.ldb));
  }
  transpose_pairs(copy.data(), kTileDepth, tile);
}

/// A tile of b, stored as [k, n].
SAESCOPE_AMX void tile_of_columns(const GemmProblem<BFloat16>& p, std::size_t first_n, std::size_t first_k,
                                  BFloat16* tile) {
  const auto mask = static_cast<__mmask16>(first_n < p.n ? lanes(p.n - first_n) : 0);
  for (std::size_t k = first_k; k < first_k + kTileDepth; k += 2, tile += kTileDepth) {
    const BFloat16* row = p.b + k * p.ldb + first_n;
    const __m256i even = _mm256_maskz_loadu_epi16(k < p.k ? mask : 0, row);
    const __m256i odd = _mm256_maskz_loadu_epi16(k + 1 < p.k ? mask : 0, row + p.ldb);
    _mm512_store_si512(tile, _mm512_or_si512(_mm512_cvtepu16_epi32(even),
                                             _mm512_slli_epi32(_mm512_cvtepu16_epi32(odd), 16)));
  }
}

/// 32 outputs of b as tiles: [depth / 32][2][16 pairs of k][16 outputs][2].
SAESCOPE_AMX void tile_outputs(const GemmProblem<BFloat16>& p, std::size_t first_n, std::size_t first_k,
                               std::size_t depth, BFloat16* tiles) {
  for (std::size_t k = first_k; k < first_k + depth; k += kTileDepth) {
    for (std::size_t n = first_n; n < first_n + kBlock; n += kTileRows, tiles += kTile) {
      p.b_rows_are_outputs ? tile_of_rows(p, n, k, tiles) : tile_of_columns(p, n, k, tiles);
    }
  }
}

/// What LDTILECFG reads: eight tiles of 16 rows × 64 bytes.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  std::array<uint8_t, 14> reserved = {};
  std::array<uint16_t, 16> row_bytes = {64, 64, 64, 64, 64, 64, 64, 64};
  std::array<uint8_t, 16> rows = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfiguration kTiles;

/// sums [2][2][16][16] = or += 32 rows of a · 32 outputs of b. Rows are read past the first-level cache,
/// which has room for b. Meanwhile the sums behind these are asked for and, with each 32 k, `lines` of what
/// is next.
SAESCOPE_AMX void multiply_block(const BFloat16* a, const BFloat16* b, std::size_t depth, bool adds,
                                 float* sums, const BFloat16* next, std::size_t lines) {
  constexpr std::size_t kStride = 64;
  if (adds) {
    _tile_loadd(0, sums, kStride);
    _tile_loadd(1, sums + kTileSums, kStride);
    _tile_loadd(2, sums + 2 * kTileSums, kStride);
    _tile_loadd(3, sums + 3 * kTileSums, kStride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const float* next_sums = sums + 4 * kTileSums;
  for (std::size_t k = 0; k < depth; k += kTileDepth, a += 2 * kTile, b += 2 * kTile) {
    _tile_stream_loadd(4, a, kStride);
    _tile_stream_loadd(5, a + kTile, kStride);
    _tile_loadd(6, b, kStride);
    _tile_loadd(7, b + kTile, kStride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    for (std::size_t i = 0; i < 4; ++i, next_sums += kTileRows) _mm_prefetch(next_sums, _MM_HINT_T0);
    for (std::size_t i = 0; i < lines; ++i, next += kTileDepth) _mm_prefetch(next, _MM_HINT_T1);
  }
  _tile_stored(0, sums, kStride);
  _tile_stored(1, sums + kTileSums, kStride);
  _tile_stored(2, sums + 2 * kTileSums, kStride);
  _tile_stored(3, sums + 3 * kTileSums, kStride);
}

/// work.sums, [panels][strips][2][2][16][16]. @param tiles of the part's outputs, written with the first rows
SAESCOPE_AMX void sum_part(const GemmProblem<BFloat16>& p, const Part& part, BFloat16* tiles,
                           AmxGemmWorkspace& work) {
  const std::size_t most_depth = depth_at_once(p.k);
  const std::size_t strips = part.rows / kBlock;
  const std::size_t lines = (kBlock + strips - 1) / strips;  // a panel's are asked for in so many blocks
  for (std::size_t k = 0; k < p.k; k += most_depth) {
    const std::size_t depth = std::min(most_depth, round_up(p.k - k, kTileDepth));
    tile_rows(p, part, k, depth, work.rows.data());
    float* sums = work.sums.data();
    for (std::size_t n = 0; n < part.outputs; n += kBlock) {
      if (part.first_row == 0) tile_outputs(p, part.first_output + n, k, depth, tiles);
      // Compilers do not know that tile registers are filled from memory.
      std::atomic_signal_fence(std::memory_order_seq_cst);
      const BFloat16* next = tiles + kBlock * depth;
      for (std::size_t s = 0; s < strips; ++s, sums += 4 * kTileSums, next += lines * depth) {
        multiply_block(work.rows.data() + s * kBlock * depth, tiles, depth, k > 0, sums, next, lines);
      }
      if (keeps_tiles(p.m)) tiles += kBlock * depth;
    }
  }
}

/// c = sums (+ bias) (+ c).
SAESCOPE_AMX void store_part(const GemmProblem<BFloat16>& p, const Part& part, const float* sums) {
  const std::size_t end_row = std::min(part.first_row + part.rows, p.m);
  const std::size_t end_output = std::min(part.first_output + part.outputs, p.n);
  for (std::size_t row = part.first_row; row < end_row; ++row) {
    const std::size_t r = row - part.first_row;
    const float* place = sums + r / kTileRows * 2 * kTileSums + r % kTileRows * kTileRows;
    for (std::size_t n = part.first_output; n < end_output; n += kTileRows) {
      const std::size_t tile = (n - part.first_output) / kTileRows;
      const auto mask = static_cast<__mmask16>(lanes(end_output - n));
      __m512 sum = _mm512_load_ps(place + tile / 2 * part.rows * kBlock + tile % 2 * kTileSums);
      float* c = p.c + row * p.ldc + n;
      if (p.bias != nullptr) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, p.bias + n));
      if (p.accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, c));
      _mm512_mask_storeu_ps(c, mask, sum);
    }
  }
}

bool processor_has_tiles() {
  constexpr unsigned kSystemSavesState = 1u << 27;            // OSXSAVE, in ecx of leaf 1
  constexpr unsigned kTilesOfBFloat16 = 1u << 24 | 1u << 22;  // AMX-TILE and AMX-BF16, in edx of leaf 7
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSystemSavesState) == 0) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  return (d & kTilesOfBFloat16) == kTilesOfBFloat16 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0;
}

/// Linux keeps tiles from processes that have not asked for them, since every thread's state grows by 8 KiB.
bool system_grants_tiles() {
  constexpr uint64_t kTileState = 1u << 17 | 1u << 18;         // configuration and data, in XCR0
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM of asm/prctl.h
  return (_xgetbv(0) & kTileState) == kTileState &&
         ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool amx_is_available() {
  static const bool has = processor_has_tiles() && system_grants_tiles();
  const std::string limit = Bf16Gemm::environment_limit();
  return has && (limit.empty() || limit == "all" || limit == "default" || limit.find("amx") != limit.npos);
}

SAESCOPE_AMX void amx_gemm(const GemmProblem<BFloat16>& p, AmxGemmWorkspace& work) {
  const WorkspaceSizes sizes = workspace_sizes(p.m, p.n, p.k);
  grow_buffer(work.outputs, sizes.outputs);
  grow_buffer(work.rows, sizes.rows);
  grow_buffer(work.sums, sizes.sums);
  _tile_loadconfig(&kTiles);
  const std::size_t rows = rows_at_once(p.m);
  for (std::size_t row = 0; row < p.m; row += rows) {
    for (std::size_t n = 0; n < p.n; n += kOutputsAtOnce) {
      const Part part = {row, std::min(rows, round_up(p.m - row, kBlock)), n,
                         std::min(kOutputsAtOnce, round_up(p.n - n, kBlock))};
      sum_part(p, part, work.outputs.data() + (keeps_tiles(p.m) ? n * round_up(p.k, kTileDepth) : 0), work);
      store_part(p, part, work.sums.data());
    }
  }
  _tile_release();
}

}  // namespace saescope
#else
bool saescope::amx_is_available() { return false; }
#endif
