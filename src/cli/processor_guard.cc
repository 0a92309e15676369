// Compiled for any processor of the architecture, and calls nothing of the program or of a C++ library: a
// function that is inline there may have been compiled for more.
#include <string.h>
#include <unistd.h>

#include "cli/built_for.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace {

void print(const char* text) {
  // There is nobody to tell of a failure.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, strlen(text));
}

void require(bool needed, bool present, const char* name) {
  if (!needed || present) return;
  print("error: this processor lacks ");
  print(name);
  print(
      ", which this build of run_sae_analysis needs; on x86-64 it runs where AVX2 and FMA are (Intel since "
      "2013, AMD "
      "since 2015), unless compiler options asked for more: then build it again on this machine without "
      "them\n");
  _exit(1);
}

/// Before the first constructor of the program: without it, a processor without an instruction ends the
/// program with SIGILL and no word.
[[gnu::constructor(101)]] void require_processor() {
  const saescope::InstructionSets& needs = saescope::kBuiltFor;
#if defined(__x86_64__)
  __builtin_cpu_init();
  require(needs.avx2, __builtin_cpu_supports("avx2"), "AVX2");
  require(needs.fma, __builtin_cpu_supports("fma"), "FMA");
  require(needs.avx512f, __builtin_cpu_supports("avx512f"), "AVX-512F");
  require(needs.avx512bw, __builtin_cpu_supports("avx512bw"), "AVX-512BW");
  require(needs.avx512dq, __builtin_cpu_supports("avx512dq"), "AVX-512DQ");
  require(needs.avx512vl, __builtin_cpu_supports("avx512vl"), "AVX-512VL");
#elif defined(__aarch64__)
  require(needs.sve, (getauxval(AT_HWCAP) & HWCAP_SVE) != 0, "SVE");
#endif
}

}  // namespace
