#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"
#include "formats/touch_testing.h"

namespace saescope::testing {

/// Parses one input of a fuzzer. An InputError is the right answer to a malformed file; any other
/// exception ends the process, and the sanitizers see views that leave the bytes.
template <typename Parse>
int run_fuzz_input(const uint8_t* data, std::size_t size, const Parse& parse) {
  try {
    touch(parse(std::as_bytes(std::span(data, size))));
  } catch (const InputError&) {
    return 0;
  }
  return 0;
}

}  // namespace saescope::testing
