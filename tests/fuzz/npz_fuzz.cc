#include "formats/npz.h"

#include <array>

#include "formats/touch_testing.h"
#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static constexpr std::array<std::string_view, 3> kNames = {"W_enc", "b_enc", "threshold"};
  return saescope::testing::run_fuzz_input(data, size, [](std::span<const std::byte> bytes) {
    const saescope::NpzArrays arrays = saescope::parse_npz(bytes, "fuzz", kNames);
    saescope::testing::touch(arrays.arrays);
  });
}
