#include "engine/checked_tensors.h"

#include <algorithm>

#include "base/atomic_file.h"
#include "hub/digest.h"

namespace saescope {
namespace {

constexpr const char* kChecksum = "sha256";

std::string checksum_of(const NamedTensors& tensors) {
  Digest digest = Digest::sha256();
  for (const auto& [name, view] : tensors) {
    digest.update(name);
    digest.update(bytes_of(view));
  }
  return digest.finish();
}

}  // namespace

std::string_view bytes_of(const TensorView& view) {
  const auto size = static_cast<std::size_t>(*storage_bytes(view.dtype, element_count(view.shape)));
  return {reinterpret_cast<const char*>(view.data), size};
}

std::string CheckedTensors::checksum() const {
  NamedTensors by_name;
  for (const TensorToWrite& tensor : tensors) by_name.emplace(tensor.name, tensor.view);
  return checksum_of(by_name);
}

uint64_t CheckedTensors::write(const std::filesystem::path& path, const std::string& checksum) const {
  std::map<std::string, std::string> all = metadata;
  all[kChecksum] = checksum;
  // The format wants every number at a multiple of its size.
  std::vector<TensorToWrite> ordered = tensors;
  std::stable_sort(ordered.begin(), ordered.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    return layout_of(a.view.dtype).block_bytes > layout_of(b.view.dtype).block_bytes;
  });
  AtomicFile file(path);
  file.write(safetensors_header(ordered, all));
  uint64_t bytes = 0;
  for (const TensorToWrite& tensor : ordered) {
    file.write(bytes_of(tensor.view));
    bytes += bytes_of(tensor.view).size();
  }
  file.commit();
  return bytes;
}

bool has_its_checksum(const SafetensorsFile& file) {
  const auto stored = file.metadata.find(kChecksum);
  return stored != file.metadata.end() && stored->second == checksum_of(file.tensors);
}

}  // namespace saescope
