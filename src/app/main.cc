#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>

#include "app/program.h"
#include "base/error.h"
#include "tensor/lost_pages.h"

namespace {

saescope::CancelToken cancel;

/// The first signal asks the run to end between two blocks of work; the second ends it at once.
extern "C" void on_signal(int signal) {
  if (cancel.requested()) _exit(128 + signal);
  cancel.request(signal);
}

void install_signal_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed stdout is a write error like any other
  saescope::report_lost_pages();
}

int fail(int exit_code, const char* message) {
  fmt::print(stderr, "error: {}\n", message);
  return exit_code;
}

/// oneDNN allocates the memory in which it packs a matrix anew for each product. Kept on the heap it costs
/// nothing; by default glibc would give it back each time, and the system would clear its pages again.
/// (The program's own large arrays do not come from the heap.)
void keep_scratch_on_the_heap() {
#ifdef __GLIBC__
  constexpr int kLargestOnHeap = 32 << 20;  // the most that glibc takes
  mallopt(M_MMAP_THRESHOLD, kLargestOnHeap);
  mallopt(M_TRIM_THRESHOLD, 2 * kLargestOnHeap);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  install_signal_handlers();
  keep_scratch_on_the_heap();
  try {
    return saescope::run_program(argc, argv, cancel);
  } catch (const saescope::Interrupted& interrupted) {
    fmt::print(stderr, "interrupted; outputs of earlier runs are as they were\n");
    return interrupted.exit_code();
  } catch (const saescope::Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory\n  hint:     lower --memory-limit or --batch-tokens");
  } catch (const std::exception& error) {
    return fail(1, error.what());
  }
}
