#include "ops/weight_rows.h"

#include "tensor/float16.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

template <typename T>
void load_strided(const TensorView& weight, std::size_t first, std::size_t count, float* destination) {
  const T* data = reinterpret_cast<const T*>(weight.data);
  const std::size_t in = weight.shape[1];
  for (std::size_t r = 0; r < count; ++r) {
    for (std::size_t c = 0; c < in; ++c) {
      destination[r * in + c] = to_float(data[(first + r) * weight.strides[0] + c * weight.strides[1]]);
    }
  }
}

}  // namespace

void load_weight_rows(const TensorView& weight, std::size_t first, std::size_t count, float* destination) {
  const std::size_t in = weight.shape[1];
  if (weight.is_contiguous()) {
    const DTypeLayout layout = layout_of(weight.dtype);
    const std::size_t row_bytes = in / layout.block_elements * layout.block_bytes;
    dequantize(weight.dtype, weight.data + first * row_bytes, count * in, destination);
    return;
  }
  switch (weight.dtype) {
    case DType::kF32:
      return load_strided<float>(weight, first, count, destination);
    case DType::kF16:
      return load_strided<Float16>(weight, first, count, destination);
    case DType::kBF16:
      return load_strided<BFloat16>(weight, first, count, destination);
    default:
      return;  // excluded by Backend::linear's checks
  }
}

TensorView weight_outputs(const TensorView& weight, std::size_t first, std::size_t count) {
  const DTypeLayout layout = layout_of(weight.dtype);
  TensorView view = weight;
  view.shape[0] = count;
  view.data += first * weight.strides[0] / layout.block_elements * layout.block_bytes;
  return view;
}

}  // namespace saescope
