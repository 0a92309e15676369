#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "engine/opened_model.h"
#include "tensor/read_ahead.h"

namespace saescope {

/// A layer at which the model is read, and what is read of SAEs there, asked for when a wave begins; null:
/// nothing.
struct LayerReads {
  std::size_t layer;
  std::function<ReadAhead::Step()> encoders = nullptr;
};

/// Adds what is read of an SAE's encoder for some of its features.
void add_encoder(ReadAhead::Step& step, const OpenedSource& source, IndexRange features);

/// What a layer's matrices are read from, but for those that the backend's device has by now.
ReadAhead::Step layer_weights(const Checkpoint& checkpoint, std::size_t layer, const Backend& backend);

/// Reads what a wave needs of a model and its SAEs ahead of the computation: layer by layer, and behind a
/// tapped layer the encoders of its SAEs. What a device keeps of earlier waves is left out.
class WaveReadAhead {
 public:
  /// @param model must outlive this, as the backend @param layers ascending
  WaveReadAhead(const OpenedModel& model, const Backend& backend, std::vector<LayerReads> layers)
      : model_(model), backend_(backend), layers_(std::move(layers)) {}

  /// @param computes whether the wave runs the model at all; where everything is cached only SAEs are read
  void begin_wave(bool computes);
  void reach_layer(std::size_t layer);
  void reach_encoders(std::size_t layer);

 private:
  const OpenedModel& model_;
  const Backend& backend_;
  std::vector<LayerReads> layers_;
  std::map<std::size_t, std::size_t> step_of_layer_;
  std::map<std::size_t, std::size_t> step_of_encoders_;
  ReadAhead read_ahead_;
};

}  // namespace saescope
