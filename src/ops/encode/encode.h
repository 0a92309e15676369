#pragma once

#include <cstddef>

#include "ops/backend.h"
#include "ops/encode/encoder_parameters.h"

namespace saescope {

/// norm(x) − input_bias in the backend's memory: what every class multiplies with its weight. @param x [rows,
/// d]
Array prepare_input(const EncoderParameters& parameters, MatrixView<const float> x, Backend& backend);

/// Backend::encode over `linear_tiles`: blocks of features one after the other, so that the rows × features
/// matrix never exists.
void encode_in_tiles(MatrixView<const float> x, const BoundEncoder& encoder, Backend& backend,
                     const FeatureSink& sink);

/// Bytes held while `rows` rows are encoded with all features.
std::size_t encode_bytes(const EncoderParameters& parameters, std::size_t rows, const Backend& backend);

}  // namespace saescope
