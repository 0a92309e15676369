#include "hub/test_bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace saescope {

TestBucket::TestBucket()
    : server_(nullptr, [this](const HubRequest& request, ServerConnection& connection) {
        answer(request, connection);
      }) {}

std::string TestBucket::address() const { return fmt::format("http://127.0.0.1:{}", server_.port()); }

void TestBucket::add(const std::string& path, std::string bytes) {
  const std::lock_guard lock(mutex_);
  objects_["/" + path] = std::move(bytes);
}

void TestBucket::set_hook(Hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

std::vector<HubRequest> TestBucket::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void TestBucket::forget_requests() {
  const std::lock_guard lock(mutex_);
  requests_.clear();
}

void TestBucket::answer(const HubRequest& request, ServerConnection& connection) {
  BucketReply reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    const auto object = objects_.find(request.target);
    if (object == objects_.end()) {
      reply.status = missing_;
    } else {
      reply.body = object->second;
      reply.etag = fmt::format("{:032x}", std::hash<std::string>()(object->second));
    }
    if (hook_) hook_(request, reply);
  }
  std::string head;
  const std::string range = request.header("range");
  const std::string same = request.header("if-range");
  if (reply.status == 200 && !range.empty() && (same.empty() || same == "\"" + reply.etag + "\"")) {
    const std::size_t from = std::stoul(range.substr(std::string("bytes=").size()));
    head = fmt::format("Content-Range: bytes {}-{}/{}\r\n", from, reply.body.size() - 1, reply.body.size());
    reply.body.erase(0, from);
    reply.status = 206;
  }
  if (!reply.etag.empty()) head += fmt::format("ETag: \"{}\"\r\n", reply.etag);
  if (!reply.without_length) head += fmt::format("Content-Length: {}\r\n", reply.body.size());
  connection.send(fmt::format("HTTP/1.1 {} Answer\r\nConnection: close\r\n{}\r\n", reply.status, head));
  if (request.method == "HEAD") return;
  connection.send(reply.body.substr(0, reply.drop_after.value_or(reply.body.size())));
}

}  // namespace saescope
