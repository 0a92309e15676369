#pragma once

#include <chrono>

#include "base/context.h"
#include "hub/http_client.h"
#include "hub/hub.h"

namespace saescope {

/// How long a request is worth trying.
struct Patience {
  int retries;                             ///< further tries after a failure that may pass
  std::chrono::milliseconds longest_wait;  ///< that a server may ask for
  std::chrono::seconds stall_timeout{0};   ///< as HttpRequest's
};

/// Counts failures that may pass and waits between them: twice as long each time, or as long as the
/// server asks.
class Retry {
 public:
  Retry(const HubSettings& settings, const Context& context, Patience patience)
      : settings_(settings), context_(context), patience_(patience) {}
  Retry(const HubSettings& settings, const Context& context)
      : Retry(settings, context, patience_for_required(settings)) {}

  /// For what a run cannot do without.
  static Patience patience_for_required(const HubSettings& settings);

  /// Waits before the next try. Call it inside the handler that caught `error`.
  /// @throws the error itself where it will not pass, or has come too often, or where the server asks for
  ///         too long a wait; Interrupted
  void wait_or_rethrow(const NetworkError& error);
  /// What `once` returns in the end, with wait_or_rethrow between its tries.
  template <typename Once>
  auto run(Once once) {
    while (true) {
      try {
        return once();
      } catch (const NetworkError& error) {
        wait_or_rethrow(error);
      }
    }
  }
  /// Starts counting anew, after a try that got on.
  void reset() { failures_ = 0; }

 private:
  const HubSettings& settings_;
  const Context& context_;
  Patience patience_;
  int failures_ = 0;
};

}  // namespace saescope
