#pragma once

#include <cstddef>
#include <map>

#include "engine/opened_model.h"
#include "tensor/read_ahead.h"

namespace saescope {

/// Reads what a wave needs of a model and its SAEs ahead of the computation: layer by layer, and behind a
/// tapped layer the encoders of its SAEs.
class WaveReadAhead {
 public:
  /// @param model must outlive this
  explicit WaveReadAhead(const OpenedModel& model) : model_(model) {}

  /// @param computes whether the wave runs the model at all; where everything is cached only SAEs are read
  void begin_wave(bool computes);
  void reach_layer(std::size_t layer);
  void reach_encoders(std::size_t layer);

 private:
  const OpenedModel& model_;
  std::map<std::size_t, std::size_t> step_of_layer_;
  std::map<std::size_t, std::size_t> step_of_encoders_;
  ReadAhead read_ahead_;
};

}  // namespace saescope
