#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hub/socket_server.h"

namespace saescope {

/// What a bucket answers to one request; a test's hook may change it.
struct BucketReply {
  int status = 200;
  std::string body = {};
  std::string etag = {};                       ///< without quotes; empty: no such header
  std::optional<std::size_t> drop_after = {};  ///< ends the connection after so many bytes of the body
  bool without_length = false;
};

/// A bucket of public objects on 127.0.0.1, as S3 serves them: objects by path, ranges, and 403 for what is
/// not there (a bucket that may not be listed). Keeps a log of what it was asked.
class TestBucket {
 public:
  using Hook = std::function<void(const HubRequest&, BucketReply&)>;

  TestBucket();
  ~TestBucket() { server_.stop(); }

  std::string address() const;
  /// @param path without a slash at its beginning
  void add(const std::string& path, std::string bytes);
  void set_missing_status(int status) { missing_ = status; }
  void set_hook(Hook hook);
  std::vector<HubRequest> requests() const;
  void forget_requests();

 private:
  void answer(const HubRequest& request, ServerConnection& connection);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  std::vector<HubRequest> requests_;
  Hook hook_;
  int missing_ = 403;
  SocketServer server_;
};

}  // namespace saescope
