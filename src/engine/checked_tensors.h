#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/safetensors.h"

namespace saescope {

/// A tensor over numbers in memory, its elements contiguous. @param data must outlive the view's use
template <typename T>
TensorView dense_tensor(DType dtype, const T* data, Shape shape) {
  return TensorView::dense(dtype, std::move(shape), reinterpret_cast<const std::byte*>(data));
}

/// The bytes of a tensor whose elements are contiguous.
std::string_view bytes_of(const TensorView& view);

/// A file of the program's own in which numbers wait for a later run: safetensors, with a checksum of each
/// tensor in the metadata. It appears whole or not at all.
struct CheckedTensors {
  std::vector<TensorToWrite> tensors;
  std::map<std::string, std::string> metadata = {};

  /// Adds the checksums to the metadata. @return hexadecimal, differs for different tensors
  std::string add_checksums();
  /// Precondition: add_checksums. @return bytes of the tensors
  /// @throws RunError where the disk is full or cannot be written
  uint64_t write(const std::filesystem::path& path) const;
};

/// Whether a tensor of a file is what was written.
bool has_its_checksum(const SafetensorsFile& file, const std::string& tensor);
/// The same of all of them.
bool has_its_checksums(const SafetensorsFile& file);

}  // namespace saescope
