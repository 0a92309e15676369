#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

// What PyTorch's handles point to; nobody outside of PyTorch knows more about them. At global scope, since
// these are its names.
struct AtenTensorOpaque;
struct StableListOpaque;
struct StringOpaque;
struct DeviceGuardOpaque;

namespace saescope {

using TorchHandle = AtenTensorOpaque*;  ///< a tensor
using TorchStatus = int32_t;            ///< 0: done
using TorchValue = uint64_t;            ///< an argument or result of an operator (StableIValue)

/// The functions of PyTorch's stable C interface that are called, with their types. They are declared here
/// and not taken from its headers so that a build needs no PyTorch; `torch_headers_check.cc` compares the
/// two. Sources: torch/csrc/inductor/aoti_torch/c/shim.h, torch/csrc/stable/c/shim.h,
/// torch/csrc/inductor/aoti_torch/generated/c_shim_aten.h (PyTorch 2.11).
#define SAESCOPE_TORCH_FUNCTIONS(F)                                                                          \
  F(aoti_torch_abi_version, uint64_t())                                                                      \
  F(aoti_torch_device_type_cpu, int32_t())                                                                   \
  F(aoti_torch_device_type_cuda, int32_t())                                                                  \
  F(aoti_torch_dtype_bfloat16, int32_t())                                                                    \
  F(aoti_torch_dtype_float16, int32_t())                                                                     \
  F(aoti_torch_dtype_float32, int32_t())                                                                     \
  F(aoti_torch_dtype_int32, int32_t())                                                                       \
  F(aoti_torch_dtype_int64, int32_t())                                                                       \
  F(aoti_torch_grad_mode_set_enabled, void(bool))                                                            \
  F(aoti_torch_new_tensor_handle, TorchStatus(TorchHandle, TorchHandle*))                                    \
  F(aoti_torch_delete_tensor_object, TorchStatus(TorchHandle))                                               \
  F(aoti_torch_get_data_ptr, TorchStatus(TorchHandle, void**))                                               \
  F(aoti_torch_get_numel, TorchStatus(TorchHandle, int64_t*))                                                \
  F(aoti_torch_empty_strided,                                                                                \
    TorchStatus(int64_t, const int64_t*, const int64_t*, int32_t, int32_t, int32_t, TorchHandle*))           \
  F(aoti_torch_empty_strided_pinned,                                                                         \
    TorchStatus(int64_t, const int64_t*, const int64_t*, int32_t, int32_t, int32_t, TorchHandle*))           \
  F(aoti_torch_create_tensor_from_blob, TorchStatus(void*, int64_t, const int64_t*, const int64_t*, int64_t, \
                                                    int32_t, int32_t, int32_t, TorchHandle*))                \
  F(aoti_torch__reinterpret_tensor,                                                                          \
    TorchStatus(TorchHandle, int64_t, const int64_t*, const int64_t*, int64_t, TorchHandle*))                \
  F(aoti_torch_scalar_to_tensor_float32, TorchStatus(float, TorchHandle*))                                   \
  F(aoti_torch_copy_, TorchStatus(TorchHandle, TorchHandle, int32_t))                                        \
  F(aoti_torch_zero_, TorchStatus(TorchHandle))                                                              \
  F(aoti_torch_aten_amax, TorchStatus(TorchHandle, const int64_t*, int64_t, int32_t, TorchHandle*))          \
  F(aoti_torch_aten_subtract_Tensor, TorchStatus(TorchHandle, TorchHandle, double, TorchHandle*))            \
  F(aoti_torch_create_device_guard, TorchStatus(int32_t, DeviceGuardOpaque**))                               \
  F(aoti_torch_delete_device_guard, TorchStatus(DeviceGuardOpaque*))                                         \
  F(torch_new_list_reserve_size, TorchStatus(size_t, StableListOpaque**))                                    \
  F(torch_list_push_back, TorchStatus(StableListOpaque*, TorchValue))                                        \
  F(torch_new_string_handle, TorchStatus(const char*, size_t, StringOpaque**))                               \
  F(torch_call_dispatcher, TorchStatus(const char*, const char*, TorchValue*, uint64_t))

/// The same of later versions; null where they are missing.
#define SAESCOPE_TORCH_LATER_FUNCTIONS(F)                                 \
  F(torch_exception_get_what_without_backtrace, const char*()) /* 2.13 */ \
  F(torch_new_stable_ivalue, TorchStatus(TorchValue**))        /* 2.13 */

/// PyTorch's functions, as the loaded libraries have them.
struct TorchApi {
#define SAESCOPE_DECLARE(name, ...) std::add_pointer_t<__VA_ARGS__> name = nullptr;
  SAESCOPE_TORCH_FUNCTIONS(SAESCOPE_DECLARE)
  SAESCOPE_TORCH_LATER_FUNCTIONS(SAESCOPE_DECLARE)
#undef SAESCOPE_DECLARE
};

/// PyTorch as `aoti_torch_abi_version` names it: 2.11 is 0x020b000000000000.
constexpr uint64_t torch_version(uint64_t major, uint64_t minor) { return major << 56 | minor << 48; }

/// The first version that has all of SAESCOPE_TORCH_FUNCTIONS with these types.
inline constexpr uint64_t kOldestTorch = torch_version(2, 11);

}  // namespace saescope
