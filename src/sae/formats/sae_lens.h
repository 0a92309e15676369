#pragma once

#include "sae/formats/sae_format.h"

namespace saescope {

/// SAEs that SAELens saved: a folder with `cfg.json` and `sae_weights.safetensors` (SAELens 6's
/// `SAE.load_from_disk`; the configurations of earlier versions as its `handle_pre_6_0_config` reads them).
/// Architectures standard, jumprelu, topk and gated; what is no SAE of the residual stream is refused by
/// name.
extern const SaeFormat kSaeLens;

}  // namespace saescope
