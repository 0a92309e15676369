#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "hub/http_headers.h"
#include "hub/hub.h"

namespace saescope {

/// The network or the server failed. A transient failure may pass when asked again.
class NetworkError : public RunError {
 public:
  NetworkError(ErrorDetail detail, bool transient,
               std::optional<std::chrono::seconds> retry_after = std::nullopt)
      : RunError(std::move(detail)), transient_(transient), retry_after_(retry_after) {}
  bool transient() const { return transient_; }
  /// How long the server wants to be left alone.
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  bool transient_;
  std::optional<std::chrono::seconds> retry_after_;
};

struct HttpResponse {
  std::string url;  ///< what answered
  int status = 0;
  HttpHeaders headers;
};

struct HttpRequest {
  enum class Method { kGet, kHead };
  Method method = Method::kGet;
  std::string url;
  std::vector<std::string> headers;  ///< whole lines, `Name: value`
  /// A connection that brings nothing for so long is dropped; 0: the settings' time.
  std::chrono::seconds stall_timeout{0};
  /// Called once the head of the response is there, before its body. @return whether the body is wanted.
  std::function<bool(const HttpResponse&)> on_response;
  /// Called with each piece of a wanted body, in order.
  std::function<void(std::string_view)> on_body;
};

/// One HTTP exchange at a time through libcurl: connections are reused, proxies come from the
/// environment, TLS certificates are always verified, redirects are left to the caller. What the
/// callbacks throw passes through.
class HttpClient {
 public:
  HttpClient(const HubSettings& settings, const Context& context);
  ~HttpClient();

  /// @throws NetworkError; Interrupted soon after the run is cancelled
  HttpResponse send(const HttpRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saescope
