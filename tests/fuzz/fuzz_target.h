#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "base/error.h"

namespace saescope::testing {

/// Runs one input of a fuzzer. An InputError or a RunError is the right answer to a malformed file;
/// any other exception ends the process, and the sanitizers see views that leave the bytes.
template <typename Run>
int run_fuzz_input(const uint8_t* data, std::size_t size, const Run& run) {
  try {
    run(std::as_bytes(std::span(data, size)));
  } catch (const InputError&) {
    return 0;
  } catch (const RunError&) {
    return 0;
  }
  return 0;
}

/// As run_fuzz_input, for a format that is text.
template <typename Run>
int run_fuzz_text(const uint8_t* data, std::size_t size, const Run& run) {
  return run_fuzz_input(data, size, [&](std::span<const std::byte> bytes) {
    run(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  });
}

/// What must hold of whatever a parser accepted; where it does not, that is a finding.
inline void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace saescope::testing
