#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "tensor/tensor_view.h"

namespace saescope {

/// Tensors of one file by name.
using NamedTensors = std::map<std::string, TensorView, std::less<>>;

struct SafetensorsFile {
  NamedTensors tensors;
  std::map<std::string, std::string> metadata;  ///< the header's `__metadata__`
};

/// Parses a file of the safetensors format. The views point into `bytes`. Tensors of dtypes that the program
/// has no use for (F64, FP8, …) are left out of `tensors`, their extents are checked all the same.
/// @param where the file's name, for messages
/// @throws InputError on anything the format does not allow: header length, JSON, duplicate names,
/// shapes whose size overflows or differs from the offsets, offsets that overlap or leave
/// the file.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const std::string& where);

/// A tensor to be written, its elements contiguous.
struct TensorToWrite {
  std::string name;
  TensorView view;
};

/// The header (length prefix included, padded to 8 bytes) of a file that holds these tensors one
/// after the other in the given order; the caller writes the data behind it.
std::string safetensors_header(const std::vector<TensorToWrite>& tensors,
                               const std::map<std::string, std::string>& metadata);

}  // namespace saescope
