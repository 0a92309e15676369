#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "formats/safetensors.h"
#include "tensor/buffer.h"

namespace saescope {

/// Arrays of an `.npz` file.
struct NpzArrays {
  NamedTensors arrays;  ///< views into the file, or into `unpacked`
  std::shared_ptr<const Buffer<std::byte>>
      unpacked;  ///< the contents of compressed entries; null where none is
};

/// Reads the arrays of these names from what `numpy.savez` or `numpy.savez_compressed` wrote: a zip archive
/// of `.npy` entries (numpy/lib/format.py, versions 1 to 3). Only these are unpacked. Names that are not
/// there are left out.
/// @throws InputError on a damaged archive or header, and on arrays that are not little-endian floats or
/// integers
NpzArrays parse_npz(std::span<const std::byte> bytes, const std::string& where,
                    std::span<const std::string_view> names);

/// The array of an `.npy` file, a view into it. @throws InputError as parse_npz
TensorView parse_npy(std::span<const std::byte> bytes, const std::string& where);

}  // namespace saescope
