#pragma once

#include "sae/formats/sae_format.h"

namespace saescope {

/// SAEs of EleutherAI's sparsify: a folder `layers.L` with `cfg.json` and `sae.safetensors`
/// (`SparseCoder.encode`, which subtracts b_dec where SAELens does not). Activations topk and groupmax;
/// transcoders are refused.
extern const SaeFormat kSparsify;

}  // namespace saescope
