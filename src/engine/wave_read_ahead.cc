#include "engine/wave_read_ahead.h"

#include <functional>
#include <memory>

namespace saescope {
namespace {

using Files = std::vector<std::shared_ptr<const MappedFile>>;

/// Adds a tensor's bytes where they lie in a file: pages of a mapping alone may be taken out of the process.
void add_bytes(ReadAhead::Step& step, const TensorView& view, const Files& files) {
  const auto size =
      static_cast<std::size_t>(storage_bytes(view.dtype, element_count(view.shape)).value_or(0));
  for (const auto& file : files) {
    const std::span<const std::byte> all = file->bytes();
    const bool inside = std::greater_equal<>()(view.data, all.data()) &&
                        std::less_equal<>()(view.data + size, all.data() + all.size());
    if (inside) step.emplace_back(view.data, size);
  }
}

ReadAhead::Step weights_of(const Checkpoint& checkpoint, std::size_t layer) {
  ReadAhead::Step step;
  for (const TensorSpec& spec : checkpoint.model.config.architecture->tensors) {
    if (spec.kind != TensorSpec::Kind::kMatrix) continue;
    add_bytes(step, checkpoint.model.weights.layers[layer].matrix(spec.weight), checkpoint.files);
  }
  return step;
}

/// Chosen features' rows are few and scattered; they are read when they are gathered.
ReadAhead::Step encoders_of(const std::deque<OpenedSource>& sources) {
  ReadAhead::Step step;
  for (const OpenedSource& source : sources) {
    const EncoderParameters& encoder = source.sae.encoder;
    if (source.plan->universal || needs_whole_row(encoder.function)) {
      add_bytes(step, encoder.weight, source.sae.files);
    }
  }
  return step;
}

}  // namespace

void WaveReadAhead::begin_wave(bool computes) {
  const auto& layers = model_.prepared.plan.layers;
  std::vector<ReadAhead::Step> steps;
  std::size_t next_layer = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto tapped = static_cast<std::size_t>(layers[i].layer);
    for (; computes && next_layer <= tapped; ++next_layer) {
      step_of_layer_[next_layer] = steps.size();
      steps.push_back(weights_of(model_.checkpoint, next_layer));
    }
    step_of_encoders_[tapped] = steps.size();
    steps.push_back(encoders_of(model_.layers[i]));
  }
  read_ahead_.start(std::move(steps));
}

void WaveReadAhead::reach_layer(std::size_t layer) { read_ahead_.reach(step_of_layer_.at(layer)); }

void WaveReadAhead::reach_encoders(std::size_t layer) { read_ahead_.reach(step_of_encoders_.at(layer)); }

}  // namespace saescope
