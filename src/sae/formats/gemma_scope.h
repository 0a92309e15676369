#pragma once

#include "sae/formats/sae_format.h"

namespace saescope {

/// Gemma Scope (Lieberum et al. 2024): a folder `layer_L/width_W/average_l0_N` with `params.npz`. JumpReLU:
/// z = W x + b, max(z, 0) where z > threshold; the decoder's bias is not subtracted. The layer stands in the
/// path.
extern const SaeFormat kGemmaScope1;

/// Gemma Scope 2: `params.safetensors` with names in lower case, and `config.json`, which may be missing; the
/// same arithmetic. Transcoders are refused.
extern const SaeFormat kGemmaScope2;

}  // namespace saescope
