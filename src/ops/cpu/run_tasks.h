#pragma once

#include <omp.h>

#include <atomic>
#include <cstddef>
#include <exception>

namespace saescope {

/// Calls task(worker, index) for every index below `count`, on `threads` threads; worker is the number of the
/// calling one. A thread takes the next index when it is free, so that a core which other programs slow down
/// holds up one task and not its half of the work. The first exception stops what was not started and is
/// thrown here.
template <typename Task>
void run_tasks(int threads, std::size_t count, const Task& task) {
  std::atomic<bool> failed = false;
  std::exception_ptr failure;
#pragma omp parallel num_threads(threads)
  {
    omp_set_num_threads(1);  // of this region only: what a task calls (oneDNN) stays on its thread
    const auto worker = static_cast<std::size_t>(omp_get_thread_num());
#pragma omp for schedule(dynamic)
    for (std::size_t index = 0; index < count; ++index) {
      if (failed.load(std::memory_order_relaxed)) continue;
      try {
        task(worker, index);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace saescope
