#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>

#include "formats/safetensors.h"

namespace saescope {

/// A state dict saved with `torch.save`: tensors and plain Python numbers by key.
struct TorchStateDict {
  NamedTensors tensors;  ///< strided views into the archive's stored (uncompressed) entries
  std::map<std::string, std::variant<bool, int64_t, double>, std::less<>> scalars;
};

/// Reads a torch zip archive (`torch.save` since 1.6) whose pickle holds a state dict. The pickle
/// is interpreted with an allow-list of opcodes and globals (collections.OrderedDict,
/// torch._utils._rebuild_tensor_v2, torch._utils._rebuild_parameter, torch.*Storage …); nothing of
/// it is ever executed. Of a training checkpoint the state dict inside is read, and names lose the
/// `module.` and `_orig_mod.` that wrappers put in front of all of them. The views point into `bytes`.
/// @throws InputError on any opcode, global or structure outside the list (named in the message),
/// on
///         compressed or encrypted entries, and on strides or offsets that leave their storage.
TorchStateDict parse_torch_archive(std::span<const std::byte> bytes, const std::string& where);

}  // namespace saescope
