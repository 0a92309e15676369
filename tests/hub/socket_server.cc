#include "hub/socket_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <sstream>
#include <stdexcept>

namespace saescope {
namespace {

constexpr std::size_t kMaxHead = std::size_t{64} * 1024;
constexpr int kPollMilliseconds = 50;

class PlainConnection final : public ServerConnection {
 public:
  explicit PlainConnection(int socket) : socket_(socket) {}
  std::size_t receive(char* data, std::size_t size) override {
    const ssize_t count = ::recv(socket_, data, size, 0);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  bool send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

 private:
  int socket_;
};

class TlsConnection final : public ServerConnection {
 public:
  TlsConnection(SSL_CTX* context, int socket) : ssl_(SSL_new(context)) {
    SSL_set_fd(ssl_.get(), socket);
    open_ = SSL_accept(ssl_.get()) == 1;
  }
  std::size_t receive(char* data, std::size_t size) override {
    std::size_t count = 0;
    return open_ && SSL_read_ex(ssl_.get(), data, size, &count) == 1 ? count : 0;
  }
  bool send(std::string_view bytes) override {
    std::size_t count = 0;
    return bytes.empty() || (open_ && SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count) == 1);
  }

 private:
  struct Deleter {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Deleter> ssl_;
  bool open_ = false;
};

HubRequest parse_head(const std::string& head) {
  HubRequest request;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> request.method >> request.target;
  while (std::getline(lines, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t begin = line.find_first_not_of(' ', colon + 1);
    const std::size_t end = line.find_last_not_of(" \r");
    if (begin != std::string::npos) request.headers[name] = line.substr(begin, end - begin + 1);
  }
  return request;
}

std::optional<HubRequest> read_request(ServerConnection& connection) {
  std::string head;
  std::array<char, 4096> block{};
  while (head.find("\r\n\r\n") == std::string::npos) {
    const std::size_t count = connection.receive(block.data(), block.size());
    if (count == 0 || head.size() > kMaxHead) return std::nullopt;
    head.append(block.data(), count);
  }
  return parse_head(head);
}

}  // namespace

SocketServer::SocketServer(SslContext tls, Handler handler)
    : tls_(std::move(tls)), handler_(std::move(handler)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets whose client has left
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
      ::getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

SocketServer::~SocketServer() { ::close(listener_); }

void SocketServer::stop() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& worker : workers_) worker.join();
}

void SocketServer::accept_all() {
  while (!stopping()) {
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPollMilliseconds) <= 0) continue;
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) workers_.emplace_back([this, socket] { serve(socket); });
  }
}

void SocketServer::serve(int socket) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  std::unique_ptr<ServerConnection> connection;
  if (tls_) {
    connection = std::make_unique<TlsConnection>(tls_.get(), socket);
  } else {
    connection = std::make_unique<PlainConnection>(socket);
  }
  if (const auto request = read_request(*connection)) handler_(*request, *connection);
  connection.reset();
  ::close(socket);
}

}  // namespace saescope
