#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hub/test_certificates.h"

namespace saescope {

/// What a client sent.
struct HubRequest {
  std::string method;
  std::string target;                          ///< as sent; absolute where the server is used as a proxy
  std::map<std::string, std::string> headers;  ///< by lower-case name

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

/// The server's end of one connection, TLS or plain.
class ServerConnection {
 public:
  virtual ~ServerConnection() = default;
  /// @return bytes read, 0 at the end or on failure
  virtual std::size_t receive(char* data, std::size_t size) = 0;
  /// @return false once the client is gone
  virtual bool send(std::string_view bytes) = 0;
};

/// Listens on 127.0.0.1 at a free port; one thread, one request and one answer for each connection, so that a
/// test decides at which byte a connection ends.
class SocketServer {
 public:
  using Handler = std::function<void(const HubRequest&, ServerConnection&)>;

  /// @param tls null for plain HTTP
  SocketServer(SslContext tls, Handler handler);
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  /// Waits for the connections' threads; a handler that sleeps should look at stopping(). Called once.
  void stop();
  uint16_t port() const { return port_; }
  bool stopping() const { return stopping_.load(); }

 private:
  void accept_all();
  void serve(int socket);

  SslContext tls_;
  Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace saescope
