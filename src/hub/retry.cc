#include "hub/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace saescope {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestBackoff{60'000};
constexpr milliseconds kSlice{50};  // how soon a cancelled run is noticed

void sleep_cancellable(milliseconds wait, const CancelToken& cancel) {
  const auto end = std::chrono::steady_clock::now() + wait;
  cancel.check();
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::min(kSlice, wait));
    cancel.check();
  }
}

}  // namespace

Patience Retry::patience_for_required(const HubSettings& settings) {
  constexpr milliseconds kLongestRetryAfter{300'000};
  return {settings.retries, kLongestRetryAfter};
}

void Retry::wait_or_rethrow(const NetworkError& error) {
  if (!error.transient() || failures_ >= patience_.retries) throw;
  const int doublings = std::min(failures_, 16);
  milliseconds wait = std::min(settings_.backoff * (int64_t{1} << doublings), kLongestBackoff);
  if (error.retry_after()) {
    wait = *error.retry_after();
    if (wait > patience_.longest_wait) throw;
  }
  ++failures_;
  const ErrorDetail& detail = error.detail();
  context_.progress->info(fmt::format("{}: {}; trying again in {} ({} of {})", detail.where,
                                      detail.found.empty() ? detail.what : detail.found,
                                      format_seconds(std::chrono::duration<double>(wait).count()), failures_,
                                      patience_.retries));
  sleep_cancellable(wait, *context_.cancel);
}

}  // namespace saescope
