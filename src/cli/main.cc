#include <unistd.h>

#include <csignal>

#include "base/process_memory.h"
#include "cli/program.h"
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

}  // namespace

int main(int argc, char** argv) {
  install_signal_handlers();
  saescope::keep_scratch_on_the_heap();
  try {
    return saescope::run_program(argc, argv, cancel);
  } catch (...) {
    return saescope::report_failure(argc, argv);
  }
}
