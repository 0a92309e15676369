#include "output/activations_file.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "formats/safetensors.h"

namespace saescope {
namespace {

TensorToWrite tensor(std::string name, DType dtype, Shape shape) {
  return {std::move(name), TensorView{.dtype = dtype, .shape = std::move(shape), .strides = {}}};
}

/// What has no padding, as the bytes that it has in memory: little-endian, as everywhere here.
template <typename T>
std::string_view bytes_of(const T* values, std::size_t count) {
  return {reinterpret_cast<const char*>(values), count * sizeof(T)};
}

}  // namespace

uint64_t write_activations(Results& results, const std::map<std::string, std::string>& metadata,
                           AtomicFile& file) {
  std::vector<TensorToWrite> tensors;
  std::set<std::string> models;
  for (const KeptActivations& kept : results.activations) {
    const uint64_t prompts = kept.prompts().size();
    if (models.insert(kept.model()).second) {
      tensors.push_back(tensor(kept.model() + ".prompt_idx", DType::kI64, {prompts}));
    }
    tensors.push_back(tensor(fmt::format("{}.layer_{}.{}", kept.model(), kept.layer(), kept.token()),
                             DType::kF32, {prompts, kept.hidden()}));
  }
  file.write(safetensors_header(tensors, metadata));
  models.clear();
  uint64_t rows = 0;
  for (KeptActivations& kept : results.activations) {
    if (models.insert(kept.model()).second) {
      const std::vector<int64_t> indices(kept.prompts().begin(), kept.prompts().end());
      file.write(bytes_of(indices.data(), indices.size()));
    }
    kept.for_each([&](std::span<const float> row) { file.write(bytes_of(row.data(), row.size())); });
    rows += kept.prompts().size();
  }
  return rows;
}

}  // namespace saescope
