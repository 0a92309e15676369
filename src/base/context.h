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
    const int signal = signal_.load(std::memory_order_relaxed);
    if (signal != 0 && holds_.load(std::memory_order_relaxed) == 0) throw Interrupted(signal);
  }

  /// While one exists, check() passes: for blocks of work of which a half is worth nothing.
  class Hold {
   public:
    explicit Hold(const CancelToken& token) : token_(token) { ++token_.holds_; }
    ~Hold() { --token_.holds_; }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    const CancelToken& token_;
  };

 private:
  std::atomic<int> signal_ = 0;
  mutable std::atomic<int> holds_ = 0;
};

/// What every long operation is handed instead of globals.
struct Context {
  int threads = 1;
  Progress* progress = nullptr;         ///< never null
  const CancelToken* cancel = nullptr;  ///< never null
};

}  // namespace saescope
