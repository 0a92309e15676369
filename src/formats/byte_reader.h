#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace saescope {

static_assert(std::endian::native == std::endian::little, "files are mapped, not converted");

/// Reads little-endian numbers and texts one after the other and never past the end of the bytes.
class ByteReader {
 public:
  /// @param where the file's name, for messages
  ByteReader(std::span<const std::byte> bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return bytes_.size() - position_; }
  const std::string& where() const { return where_; }

  /// The next `length` bytes. @param what their meaning, for messages
  /// @throws InputError where fewer are left.
  std::span<const std::byte> take(uint64_t length, std::string_view what) {
    if (length > remaining()) fail_short(length, what);
    const auto part = bytes_.subspan(position_, length);
    position_ += length;
    return part;
  }

  template <typename T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

  std::string_view text(uint64_t length, std::string_view what) {
    const auto part = take(length, what);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

 private:
  [[noreturn]] void fail_short(uint64_t length, std::string_view what) const;

  std::span<const std::byte> bytes_;
  uint64_t position_ = 0;
  std::string where_;
};

}  // namespace saescope
