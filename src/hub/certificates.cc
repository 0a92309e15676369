#include "hub/certificates.h"

#include <array>
#include <system_error>

namespace saescope {
namespace {

constexpr std::array kPlaces = {
    "etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Alpine
    "etc/pki/tls/certs/ca-bundle.crt",                   // RHEL, Fedora
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // the file that the one above leads to
    "etc/ssl/ca-bundle.pem",                             // openSUSE
    "var/lib/ca-certificates/ca-bundle.pem",             // the file that the one above leads to
    "etc/ssl/cert.pem",                                  // Alpine
    "etc/ssl/certs",                                     // hashed files alone
};

}  // namespace

std::filesystem::path find_system_certificates(const std::filesystem::path& root) {
  for (const char* place : kPlaces) {
    std::error_code error;
    if (std::filesystem::path path = root / place; std::filesystem::exists(path, error)) return path;
  }
  return {};
}

}  // namespace saescope
