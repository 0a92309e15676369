#include "engine/wave_read_ahead.h"

#include <functional>
#include <memory>

namespace saescope {
namespace {

using Files = std::vector<std::shared_ptr<const MappedFile>>;

/// Adds bytes where they lie in a file: pages of a mapping alone may be taken out of the process.
void add_bytes(ReadAhead::Step& step, std::span<const std::byte> bytes, const Files& files) {
  for (const auto& file : files) {
    const std::span<const std::byte> all = file->bytes();
    const bool inside = std::greater_equal<>()(bytes.data(), all.data()) &&
                        std::less_equal<>()(bytes.data() + bytes.size(), all.data() + all.size());
    if (inside) step.push_back(bytes);
  }
}

void add_tensor(ReadAhead::Step& step, const TensorView& view, const Files& files) {
  add_bytes(step,
            {view.data, static_cast<std::size_t>(*storage_bytes(view.dtype, element_count(view.shape)))},
            files);
}

}  // namespace

ReadAhead::Step layer_weights(const Checkpoint& checkpoint, std::size_t layer, const Backend& backend) {
  ReadAhead::Step step;
  for (const TensorSpec& spec : checkpoint.model.config.architecture->tensors) {
    if (spec.kind != TensorSpec::Kind::kMatrix) continue;
    const Weight& weight = checkpoint.model.weights.layers[layer].matrix(spec.weight);
    if (!backend.holds(weight)) add_tensor(step, weight, checkpoint.files);
  }
  return step;
}

void add_encoder(ReadAhead::Step& step, const OpenedSource& source, IndexRange features) {
  const TensorView& weight = source.sae.encoder.weight;
  if (features.size() == source.sae.encoder.dict_size) return add_tensor(step, weight, source.sae.files);
  const auto bytes_of_row = [&](std::size_t elements) {
    return static_cast<std::size_t>(storage_bytes(weight.dtype, elements).value_or(0));
  };
  const bool transposed = weight.is_transposed();
  const std::size_t d = source.sae.encoder.activation_dim;
  // Of a matrix that lies transposed, a piece of each of its rows.
  const std::size_t row = bytes_of_row(transposed ? source.sae.encoder.dict_size : d);
  const std::size_t pieces = transposed ? d : 1;
  const std::size_t begin = transposed ? bytes_of_row(features.begin) : features.begin * row;
  const std::size_t size = transposed ? bytes_of_row(features.size()) : features.size() * row;
  for (std::size_t i = 0; i < pieces && size > 0; ++i) {
    add_bytes(step, {weight.data + i * row + begin, size}, source.sae.files);
  }
}

void WaveReadAhead::begin_wave(bool computes) {
  std::vector<ReadAhead::Step> steps;
  std::size_t next_layer = 0;
  for (const auto& [layer, encoders] : layers_) {
    for (; computes && next_layer <= layer; ++next_layer) {
      step_of_layer_[next_layer] = steps.size();
      steps.push_back(layer_weights(model_.checkpoint, next_layer, backend_));
    }
    step_of_encoders_[layer] = steps.size();
    steps.push_back(encoders ? encoders() : ReadAhead::Step());
  }
  read_ahead_.start(std::move(steps));
}

void WaveReadAhead::reach_layer(std::size_t layer) { read_ahead_.reach(step_of_layer_.at(layer)); }

void WaveReadAhead::reach_encoders(std::size_t layer) { read_ahead_.reach(step_of_encoders_.at(layer)); }

}  // namespace saescope
