#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace saescope {

/// A running checksum of a file, in the two kinds the hub names files by.
class Digest {
 public:
  /// SHA-256 of the bytes: the etag of an LFS file.
  static Digest sha256();
  /// SHA-1 of git's blob object (`blob {size}\0` and the bytes): the etag of a regular file.
  /// @param size bytes that will follow
  static Digest git_blob(uint64_t size);

  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void update(std::string_view bytes);
  /// One that goes on from here by itself.
  Digest copy() const;
  /// Lower-case hexadecimal. Ends the object's use.
  std::string finish();

 private:
  struct State;
  explicit Digest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The SHA-256 of a text, hexadecimal.
std::string sha256_of(std::string_view text);

/// 128 bits of gigabytes, hexadecimal, at five times the speed of SHA-256: GMAC (NIST SP 800-38D) under a key
/// that everybody knows. Different bytes differ in it, unless somebody made them not to.
std::string quick_fingerprint(std::string_view bytes);

}  // namespace saescope
