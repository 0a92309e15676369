#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>

namespace saescope {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDeleter>;

/// Makes a certificate authority, writes its certificate (PEM) to `ca_file`, and returns a TLS server's
/// context with a certificate of that authority for 127.0.0.1 and localhost.
SslContext make_server_context(const std::filesystem::path& ca_file);

}  // namespace saescope
