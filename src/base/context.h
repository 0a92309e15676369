#pragma once

#include <atomic>

#include "base/error.h"
#include "base/progress.h"

namespace saescope {

/// Set from a signal handler; long loops look at it between blocks of work.
class CancelToken {
 public:
  void request(int signal) { signal_.store(signal, std::memory_order_relaxed); }
  bool requested() const { return signal_.load(std::memory_order_relaxed) != 0; }
  /// Throws Interrupted once a signal has arrived.
  void check() const {
    if (const int signal = signal_.load(std::memory_order_relaxed)) throw Interrupted(signal);
  }

 private:
  std::atomic<int> signal_ = 0;
};

/// What every long operation is handed instead of globals.
struct Context {
  int threads = 1;
  Progress* progress = nullptr;         ///< never null
  const CancelToken* cancel = nullptr;  ///< never null
};

}  // namespace saescope
