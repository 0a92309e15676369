// Compiled alone, against PyTorch's headers: the declarations of ops/torch/torch_api.h are those of PyTorch.
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/inductor/aoti_torch/generated/c_shim_aten.h>
#include <torch/csrc/stable/c/shim.h>

#include <type_traits>

#include "ops/torch/torch_api.h"

namespace saescope {

#define SAESCOPE_SAME(name, ...) \
  static_assert(std::is_same_v<decltype(::name), __VA_ARGS__>, "the declaration differs from PyTorch's");
SAESCOPE_TORCH_FUNCTIONS(SAESCOPE_SAME)
#ifdef TORCH_VERSION_2_13_0
SAESCOPE_TORCH_LATER_FUNCTIONS(SAESCOPE_SAME)
#endif

}  // namespace saescope
