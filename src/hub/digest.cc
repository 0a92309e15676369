#include "hub/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <utility>

#include "base/error.h"

namespace saescope {
namespace {

struct ContextDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

/// Only a broken or restricted (FIPS) OpenSSL gets here.
void require(bool done) {
  if (!done) {
    throw RunError({.what = "OpenSSL cannot compute a checksum",
                    .hint = "check the OpenSSL configuration of this machine"});
  }
}

}  // namespace

struct Digest::State {
  std::unique_ptr<EVP_MD_CTX, ContextDeleter> context{EVP_MD_CTX_new()};

  explicit State(const EVP_MD* kind) {
    require(context != nullptr && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1);
  }
};

Digest::Digest(std::unique_ptr<State> state) : state_(std::move(state)) {}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

Digest Digest::sha256() { return Digest(std::make_unique<State>(EVP_sha256())); }

Digest Digest::git_blob(uint64_t size) {
  Digest digest(std::make_unique<State>(EVP_sha1()));
  digest.update(fmt::format("blob {}", size));
  digest.update(std::string_view("\0", 1));
  return digest;
}

void Digest::update(std::string_view bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Digest Digest::copy() const {
  auto state = std::make_unique<State>(EVP_MD_CTX_get0_md(state_->context.get()));
  require(EVP_MD_CTX_copy_ex(state->context.get(), state_->context.get()) == 1);
  return Digest(std::move(state));
}

std::string Digest::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(state_->context.get(), raw.data(), &length) == 1);
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", raw.at(i));
  return hex;
}

}  // namespace saescope
