#include "ops/torch/torch_weights.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ops/weight_rows.h"
#include "tensor/float16.h"

namespace saescope {
namespace {

/// One row of a weight, or one column where it lies transposed, as the device gets it.
class RowLoader {
 public:
  /// @param rounds whether values are rounded to bfloat16
  RowLoader(const TensorView& weight, DType dtype, bool rounds, std::size_t size)
      : weight_(weight), dtype_(dtype), rounds_(rounds), floats_(size) {}

  void load(std::size_t row, std::byte* destination) {
    if (weight_.dtype == dtype_ && weight_.strides[1] == 1 && (dtype_ == DType::kBF16 || !rounds_)) {
      const std::size_t size = layout_of(dtype_).block_bytes;
      std::memcpy(destination, weight_.data + row * weight_.strides[0] * size, floats_.size() * size);
      return;
    }
    load_weight_rows(weight_, row, 1, floats_.data());
    if (dtype_ == DType::kBF16) {
      auto* const rounded = reinterpret_cast<BFloat16*>(destination);
      std::transform(floats_.begin(), floats_.end(), rounded, [](float value) { return to_bfloat16(value); });
      return;
    }
    if (rounds_) {
      std::transform(floats_.begin(), floats_.end(), floats_.begin(),
                     [](float value) { return to_float(to_bfloat16(value)); });
    }
    std::memcpy(destination, floats_.data(), floats_.size() * sizeof(float));
  }

 private:
  const TensorView& weight_;
  DType dtype_;
  bool rounds_;
  std::vector<float> floats_;
};

bool lies_transposed(const TensorView& weight) { return !weight.is_contiguous() && weight.strides[0] == 1; }

/// Outputs [first, first + count) of a weight that lies transposed, seen the way it lies: [inputs, count].
TensorView seen_as_it_lies(const TensorView& weight, std::size_t first, std::size_t count) {
  TensorView view = weight_outputs(weight, first, count);
  std::swap(view.shape[0], view.shape[1]);
  std::swap(view.strides[0], view.strides[1]);
  return view;
}

}  // namespace

TorchWeights::TorchWeights(const TorchDevice& device, const ProductExtents& extents, uint64_t kept_bytes,
                           int threads)
    : device_(device),
      extents_(extents),
      threads_(threads),
      has_bf16_(device.is_gpu() && device.sums_bf16_in_f32()),
      kept_limit_(kept_bytes),
      reserve_(device.free_bytes().value_or(0) / 4) {}

TorchWeights::~TorchWeights() { stop_keeping(); }

Weight TorchWeights::bind(const TensorView& view) {
  auto kept = std::make_shared<TorchWeight>();
  known_.push_back(kept);
  Weight weight(view);
  weight.device = std::move(kept);
  return weight;
}

bool TorchWeights::holds(const Weight& weight) {
  const auto* const kept = static_cast<const TorchWeight*>(weight.device.get());
  return kept != nullptr && !kept->tiles.empty() &&
         std::all_of(kept->tiles.begin(), kept->tiles.end(),
                     [](const TorchTensor& tile) { return tile.exists(); });
}

std::size_t TorchWeights::tile_outputs(const TensorView& weight, DType dtype) const {
  return product_type(dtype) == DType::kBF16 ? weight.shape[0] : extents_.outputs;
}

TorchTensor TorchWeights::tile(const Weight& weight, DType dtype, std::size_t first) {
  const std::size_t outputs = tile_outputs(weight, dtype);
  auto* const kept = static_cast<TorchWeight*>(weight.device.get());
  if (kept == nullptr) return load(weight, dtype, first);
  if (kept->dtype != dtype) drop_tiles(*kept);
  kept->dtype = dtype;
  kept->tiles.resize((weight.shape[0] + outputs - 1) / outputs);
  TorchTensor& place = kept->tiles[first / outputs];
  if (place.exists()) return place.same();
  TorchTensor loaded = load(weight, dtype, first);
  const uint64_t bytes = outputs * weight.shape[1] * layout_of(product_type(dtype)).block_bytes;
  if (may_keep(bytes)) {
    place = loaded.same();
    kept_ += bytes;
    kept->bytes += bytes;
  }
  return loaded;
}

bool TorchWeights::may_keep(uint64_t bytes) const {
  if (!keeps_) return false;
  const auto free = device_.free_bytes();
  return free ? *free >= reserve_ : kept_ + bytes <= kept_limit_;
}

void TorchWeights::stop_keeping() {
  for (const auto& weak : known_) {
    if (const auto weight = weak.lock()) drop_tiles(*weight);
  }
  keeps_ = false;
}

void TorchWeights::drop_tiles(TorchWeight& weight) {
  weight.tiles.clear();
  kept_ -= std::exchange(weight.bytes, 0);
}

/// The other one of the two, once the device has read what was in it.
TorchWeights::Staging& TorchWeights::next_staging(std::size_t elements, DType dtype) {
  Staging& staging = staging_[turn_++ % staging_.size()];
  staging.sent.wait();
  if (staging.elements < elements || staging.dtype != dtype) {
    staging = {};  // which it stays where there is no memory
    staging.memory = device_.empty_staging({static_cast<int64_t>(elements)}, dtype);
    staging.elements = elements;
    staging.dtype = dtype;
  }
  return staging;
}

TorchTensor TorchWeights::load(const TensorView& weight, DType dtype, std::size_t first) {
  const std::size_t outputs = tile_outputs(weight, dtype);
  const std::size_t count = std::min<std::size_t>(outputs, weight.shape[0] - first);
  const std::size_t inputs = weight.shape[1];
  const DType type = product_type(dtype);
  const bool transposed = lies_transposed(weight);
  const TensorView source =
      transposed ? seen_as_it_lies(weight, first, count) : weight_outputs(weight, first, count);
  const std::size_t row_bytes = source.shape[1] * layout_of(type).block_bytes;
  Staging& staging = next_staging(count * inputs, type);
  std::byte* const memory = staging.memory.data();
#pragma omp parallel num_threads(threads_)
  {
    RowLoader loader(source, type, dtype == DType::kBF16, source.shape[1]);
#pragma omp for schedule(static)
    for (std::size_t row = 0; row < source.shape[0]; ++row) loader.load(row, memory + row * row_bytes);
  }
  const auto [o, n, i] =
      std::array{static_cast<int64_t>(outputs), static_cast<int64_t>(count), static_cast<int64_t>(inputs)};
  TorchTensor tile = device_.empty({o, i}, type);
  if (count < outputs) tile.set_zero();
  const TorchTensor part = tile.view({n, i}, {i, 1});
  if (transposed) {
    // Turned on the device, so that a weight's products do not depend on how it lies in the file.
    const TorchTensor sent = device_.empty({i, n}, type);
    sent.copy_from(staging.memory.view({i, n}, {n, 1}));
    part.copy_from(sent.view({n, i}, {1, n}));
  } else {
    part.copy_from(staging.memory.view({n, i}, {i, 1}));
  }
  staging.sent = device_.mark();
  return tile;
}

}  // namespace saescope
