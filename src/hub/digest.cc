#include "hub/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <span>
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

std::string hexadecimal(std::span<const unsigned char> bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) hex += fmt::format("{:02x}", byte);
  return hex;
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
  return hexadecimal(std::span(raw).first(length));
}

std::string sha256_of(std::string_view text) {
  Digest digest = Digest::sha256();
  digest.update(text);
  return digest.finish();
}

std::string quick_fingerprint(std::string_view bytes) {
  constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // lengths are int
  constexpr std::array<unsigned char, 16> kKey{1};
  constexpr std::array<unsigned char, 12> kNonce{};
  std::array<unsigned char, 16> tag{};
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  EVP_CIPHER_CTX* const gcm = context.get();
  int written = 0;
  require(gcm != nullptr &&
          EVP_EncryptInit_ex(gcm, EVP_aes_128_gcm(), nullptr, kKey.data(), kNonce.data()) == 1);
  for (std::size_t done = 0; done < bytes.size(); done += kMostAtOnce) {
    const std::string_view part = bytes.substr(done, kMostAtOnce);
    // What is authenticated without being encrypted is hashed alone.
    require(EVP_EncryptUpdate(gcm, nullptr, &written, reinterpret_cast<const unsigned char*>(part.data()),
                              static_cast<int>(part.size())) == 1);
  }
  require(EVP_EncryptFinal_ex(gcm, tag.data(), &written) == 1 &&
          EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data()) == 1);
  return hexadecimal(tag);
}

}  // namespace saescope
