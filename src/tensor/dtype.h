#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace saescope {

/// Element types of tensors in model and SAE files. The quantised ones are ggml's block formats.
enum class DType {
  kF32,
  kF16,
  kBF16,
  kI64,
  kI32,
  kBool,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ2_K,
  kQ3_K,
  kQ4_K,
  kQ5_K,
  kQ6_K,
  kIQ4_NL,
  kIQ4_XS,
  kMXFP4,
};

/// How a dtype is stored: `block_elements` elements in `block_bytes` bytes (1 element for plain types).
struct DTypeLayout {
  std::string_view name;
  uint32_t block_elements;
  uint32_t block_bytes;
};

DTypeLayout layout_of(DType dtype);
inline std::string_view name_of(DType dtype) { return layout_of(dtype).name; }
inline bool is_quantized(DType dtype) { return layout_of(dtype).block_elements > 1; }
/// F32, F16 or BF16.
inline bool is_plain_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16;
}

/// Bytes of `elements` elements stored one after the other; nothing where they do not fill whole
/// blocks or 64 bits do not hold the size.
std::optional<uint64_t> storage_bytes(DType dtype, uint64_t elements);

}  // namespace saescope
