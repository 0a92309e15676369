#include "formats/gguf.h"

#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return saescope::testing::run_fuzz_input(data, size, [](std::span<const std::byte> bytes) {
    return saescope::parse_gguf(bytes, "fuzz").tensors;
  });
}
