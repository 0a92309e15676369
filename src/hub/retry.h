#pragma once

#include <chrono>

#include "base/context.h"
#include "hub/http_client.h"
#include "hub/hub.h"

namespace saescope {

/// Counts failures that may pass and waits between them: twice as long each time, or as long as the
/// server asks.
class Retry {
 public:
  /// @param most further tries
  Retry(const HubSettings& settings, const Context& context, int most)
      : settings_(settings), context_(context), most_(most) {}
  Retry(const HubSettings& settings, const Context& context) : Retry(settings, context, settings.retries) {}

  /// Waits before the next try. Call it inside the handler that caught `error`.
  /// @throws the error itself where it will not pass, or has come too often, or where the server
  /// asks for
  ///         more than a few minutes; Interrupted
  void wait_or_rethrow(const NetworkError& error);
  /// Starts counting anew, after a try that got on.
  void reset() { failures_ = 0; }

 private:
  const HubSettings& settings_;
  const Context& context_;
  int most_;
  int failures_ = 0;
};

}  // namespace saescope
