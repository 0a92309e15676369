#pragma once

#include "sae/formats/sae_format.h"

namespace saescope {

/// SAEs that are one state dict saved with torch.save, without a configuration, recognised by their tensors:
/// - Goodfire (`encoder_linear.weight`): relu(W x + b);
/// - Qwen-Scope (`W_enc` [F, d]): the k largest of W x + b, then relu; k and F stand in the repository's
/// name, such as
///   SAE-Res-Qwen3-8B-Base-W64K-L0_50, or in that of a folder of the file's path;
/// - qresearch (`encoder.weight`): relu(W x + b).
/// As SAELens' loaders of these read them; none subtracts the decoder's bias.
extern const SaeFormat kBareStateDict;

}  // namespace saescope
