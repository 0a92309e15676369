#include "formats/safetensors.h"

#include "formats/touch_testing.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_input(data, size, [](std::span<const std::byte> bytes) {
    saescope::testing::touch(saescope::parse_safetensors(bytes, "fuzz").tensors);
  });
}
