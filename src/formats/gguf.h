#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formats/safetensors.h"

namespace saescope {

/// A metadata value. Integers of every width become int64 (uint64 values past its range are refused).
using GgufValue = std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                               std::vector<double>, std::vector<std::string>>;

struct GgufFile {
  uint32_t version = 0;
  std::map<std::string, GgufValue, std::less<>> metadata;
  /// Shapes in row-major order, outermost first (the file stores them the other way round), so that a linear
  /// weight is [out, in] as in safetensors. Tensors of types the program cannot read are listed in
  /// `unsupported` (name → ggml type name or number) and become an error only when needed.
  NamedTensors tensors;
  std::map<std::string, std::string, std::less<>> unsupported;
  std::string where;

  /// A required metadata value of type T (bool, int64_t, double, std::string or a vector of these).
  /// @throws InputError naming key, expected and found type.
  template <typename T>
  const T& require(std::string_view key) const;
  /// The value where the key is there, nothing where it is absent. @throws InputError on another type.
  template <typename T>
  const T* find(std::string_view key) const;
};

/// Parses a GGUF file, version 2 or 3, little endian. The views point into `bytes`.
/// @throws InputError on anything malformed.
GgufFile parse_gguf(std::span<const std::byte> bytes, const std::string& where);

}  // namespace saescope
