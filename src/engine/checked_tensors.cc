#include "engine/checked_tensors.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "hub/digest.h"

namespace saescope {
namespace {

std::string key_of(const std::string& tensor) { return "checksum of " + tensor; }

}  // namespace

std::string_view bytes_of(const TensorView& view) {
  const auto size = static_cast<std::size_t>(*storage_bytes(view.dtype, element_count(view.shape)));
  return {reinterpret_cast<const char*>(view.data), size};
}

std::string CheckedTensors::add_checksums() {
  std::string all;
  for (const TensorToWrite& tensor : tensors) {
    const std::string& one = metadata[key_of(tensor.name)] = quick_fingerprint(bytes_of(tensor.view));
    all += tensor.name + one;
  }
  return quick_fingerprint(all);
}

uint64_t CheckedTensors::write(const std::filesystem::path& path) const {
  // The format wants every number at a multiple of its size.
  std::vector<TensorToWrite> ordered = tensors;
  std::stable_sort(ordered.begin(), ordered.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    return layout_of(a.view.dtype).block_bytes > layout_of(b.view.dtype).block_bytes;
  });
  AtomicFile file(path);
  file.write(safetensors_header(ordered, metadata));
  uint64_t bytes = 0;
  for (const TensorToWrite& tensor : ordered) {
    file.write(bytes_of(tensor.view));
    bytes += bytes_of(tensor.view).size();
  }
  file.commit();
  return bytes;
}

bool has_its_checksum(const SafetensorsFile& file, const std::string& tensor) {
  const auto view = file.tensors.find(tensor);
  const auto stored = file.metadata.find(key_of(tensor));
  return view != file.tensors.end() && stored != file.metadata.end() &&
         stored->second == quick_fingerprint(bytes_of(view->second));
}

bool has_its_checksums(const SafetensorsFile& file) {
  return std::all_of(file.tensors.begin(), file.tensors.end(),
                     [&](const auto& tensor) { return has_its_checksum(file, tensor.first); });
}

}  // namespace saescope
