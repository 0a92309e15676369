#include "formats/npz.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "formats/byte_reader.h"
#include "formats/zip_archive.h"

namespace saescope {
namespace {

constexpr std::size_t kAlignment = 64;

/// The literal of a Python dict that an `.npy` header is: three keys, in any order.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const std::string& where) : text_(text), rest_(text), where_(where) {}

  std::string descr;
  bool fortran_order = false;
  Shape shape;

  void read() {
    expect('{');
    for (int keys = 0; !take('}'); ++keys) {
      if (keys == kKeys) fail();
      read_entry(quoted());
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty() || seen_ != kAllKeys) fail();
  }

 private:
  static constexpr int kKeys = 3;
  static constexpr unsigned kAllKeys = 7;

  [[noreturn]] void fail() const {
    throw InputError({.what = "the header of an array cannot be read",
                      .where = where_,
                      .expected = "a dict of descr, fortran_order and shape",
                      .found = std::string(text_.substr(0, std::min<std::size_t>(text_.size(), 100)))});
  }

  void skip_spaces() {
    const std::size_t end = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(std::min(end, rest_.size()));
  }
  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }
  bool take_word(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string quoted() {
    skip_spaces();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) fail();
    const std::size_t end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) fail();
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  void read_entry(const std::string& key) {
    expect(':');
    if (key == "descr") {
      mark(1);
      descr = quoted();
    } else if (key == "fortran_order") {
      mark(2);
      fortran_order = take_word("True");
      if (!fortran_order && !take_word("False")) fail();
    } else if (key == "shape") {
      mark(4);
      read_shape();
    } else {
      fail();
    }
  }

  void mark(unsigned key) {
    if ((seen_ & key) != 0) fail();
    seen_ |= key;
  }

  void read_shape() {
    constexpr std::size_t kMostAxes = 32;  // numpy's
    expect('(');
    while (!take(')')) {
      skip_spaces();
      uint64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc() || shape.size() == kMostAxes) fail();
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      shape.push_back(extent);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  std::string_view rest_;
  const std::string& where_;
  unsigned seen_ = 0;
};

std::optional<DType> dtype_of(std::string_view descr) {
  constexpr std::array<std::pair<std::string_view, DType>, 4> kTypes = {
      {{"<f4", DType::kF32}, {"<f2", DType::kF16}, {"<i4", DType::kI32}, {"<i8", DType::kI64}}};
  const auto found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) { return type.first == descr; });
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

/// In Fortran order the first axis is the dense one.
std::vector<uint64_t> strides_of(const Shape& shape, bool fortran_order) {
  if (!fortran_order) return contiguous_strides(shape);
  std::vector<uint64_t> strides(shape.size());
  uint64_t step = 1;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    strides[axis] = step;
    step *= std::max<uint64_t>(shape[axis], 1);
  }
  return strides;
}

/// The bytes of an array of this shape; nothing where 64 bits do not hold them.
std::optional<uint64_t> byte_size(const Shape& shape, DType type) {
  std::optional<uint64_t> bytes = layout_of(type).block_bytes;
  for (const uint64_t extent : shape) {
    if (bytes) bytes = checked_mul(*bytes, extent);
  }
  return bytes;
}

/// Entries are small multiples of what is stored of them, so sums of them stay far from 64 bits.
uint64_t padded(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

TensorView parse_npy(std::span<const std::byte> bytes, const std::string& where) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  constexpr std::string_view kWhat = "header of an array";
  ByteReader reader(bytes, where);
  if (reader.text(kMagic.size(), kWhat) != kMagic) {
    throw InputError(
        {.what = "not an array of numpy", .where = where, .expected = "a file that begins with \\x93NUMPY"});
  }
  const auto version = reader.number<uint8_t>(kWhat);
  reader.take(1, kWhat);  // minor version
  if (version < 1 || version > 3) {
    throw InputError({.what = "unknown version of the .npy format",
                      .where = where,
                      .expected = "1, 2 or 3",
                      .found = std::to_string(version)});
  }
  const uint64_t length = version == 1 ? reader.number<uint16_t>(kWhat) : reader.number<uint32_t>(kWhat);
  HeaderReader header(reader.text(length, kWhat), where);
  header.read();
  const auto type = dtype_of(header.descr);
  if (!type) {
    throw InputError({.what = "an array of a type that is not read",
                      .where = where,
                      .expected = "little-endian <f4, <f2, <i4 or <i8",
                      .found = header.descr});
  }
  const auto size = byte_size(header.shape, *type);
  if (!size || *size != reader.remaining()) {
    throw InputError({.what = "the size of an array is not that of its shape",
                      .where = where,
                      .expected = fmt::format("{} of {}", name_of(*type), to_string(header.shape)),
                      .found = fmt::format("{} bytes", reader.remaining()),
                      .hint = "the file is damaged or was not downloaded completely; get it again"});
  }
  const auto data = reader.take(*size, "array");
  std::vector<uint64_t> strides = strides_of(header.shape, header.fortran_order);
  return {*type, std::move(header.shape), std::move(strides), data.data()};
}

NpzArrays parse_npz(std::span<const std::byte> bytes, const std::string& where,
                    std::span<const std::string_view> names) {
  const auto entries = parse_zip_entries(bytes, where);
  std::vector<std::pair<std::string_view, const ZipEntry*>> wanted;
  uint64_t unpacked_bytes = 0;
  for (const std::string_view name : names) {
    const auto entry = entries.find(std::string(name) + ".npy");
    if (entry == entries.end()) continue;
    wanted.emplace_back(name, &entry->second);
    if (!entry->second.deflated) continue;
    unpacked_bytes += padded(entry->second.bytes);
  }
  NpzArrays result;
  auto unpacked = std::make_shared<Buffer<std::byte>>(unpacked_bytes);
  std::size_t place = 0;
  for (const auto& [name, entry] : wanted) {
    std::span<const std::byte> contents = entry->stored;
    if (entry->deflated) {
      const auto room = unpacked->span().subspan(place, entry->bytes);
      inflate_zip_entry(*entry, room, where);
      contents = room;
      place += padded(entry->bytes);
    }
    result.arrays.emplace(name, parse_npy(contents, fmt::format("{}: {}.npy", where, name)));
  }
  if (unpacked_bytes > 0) result.unpacked = std::move(unpacked);
  return result;
}

}  // namespace saescope
