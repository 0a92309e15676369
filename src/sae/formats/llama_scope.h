#pragma once

#include "sae/formats/sae_format.h"

namespace saescope {

/// Llama Scope (He et al. 2024): a folder with `hyperparams.json` and `checkpoints/final.safetensors`. With
/// s = √d / norm.in and n = ‖decoder column‖ · norm.out / norm.in, the authors' code (OpenMOSS'
/// Language-Model-SAEs, `from_config`) gives a = n · (W x + b / s) where a > θ; SAELens gives a = s · (W x +
/// b / s) where a > θ · s. The entry's `sae_reading` chooses. Both are folded in float32.
extern const SaeFormat kLlamaScope;

/// Llama Scope R1: `config.json` and `sae_weights.safetensors`, with a threshold for each feature and the
/// norms among the tensors. The authors' code (llamascopium) gives a = W x + b / s where n · a > θ; SAELens
/// gives a = s · W x + b where a > θ, and s = 1 where the norms are not there.
extern const SaeFormat kLlamaScopeR1;

}  // namespace saescope
