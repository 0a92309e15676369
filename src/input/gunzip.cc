#include "input/gunzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <new>
#include <utility>

#include "base/error.h"

namespace saescope {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr int kGzipOnly = 15 + 16;  ///< zlib's windowBits: the largest window, a gzip header and no other

}  // namespace

void GunzipBuffer::EndStream::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

GunzipBuffer::GunzipBuffer(std::streambuf& packed, std::string file)
    : packed_(packed), file_(std::move(file)), packed_bytes_(kPieceBytes), text_(kPieceBytes) {
  const std::streamsize size = packed_.sgetn(packed_bytes_.data(), std::ssize(packed_bytes_));
  packed_size_ = static_cast<uint64_t>(size);
  if (size < 2 || packed_bytes_[0] != '\x1F' || packed_bytes_[1] != '\x8B') {
    setg(packed_bytes_.data(), packed_bytes_.data(), packed_bytes_.data() + size);
    return;
  }
  auto stream = std::make_unique<z_stream>();
  stream->next_in = reinterpret_cast<Bytef*>(packed_bytes_.data());
  stream->avail_in = static_cast<uInt>(size);
  if (inflateInit2(stream.get(), kGzipOnly) != Z_OK) throw std::bad_alloc();
  stream_.reset(stream.release());
}

GunzipBuffer::int_type GunzipBuffer::underflow() {
  if (gptr() != egptr()) return traits_type::to_int_type(*gptr());
  const std::size_t size =
      stream_ ? unpack() : static_cast<std::size_t>(packed_.sgetn(text_.data(), std::ssize(text_)));
  setg(text_.data(), text_.data(), text_.data() + size);
  return size == 0 ? traits_type::eof() : traits_type::to_int_type(text_.front());
}

/// Fills text_ as far as one piece of the file reaches. @return its bytes; 0 at the end of the file
std::size_t GunzipBuffer::unpack() {
  stream_->next_out = reinterpret_cast<Bytef*>(text_.data());
  stream_->avail_out = static_cast<uInt>(text_.size());
  while (stream_->avail_out == text_.size()) {
    if (!inside_member_ && !begin_member()) return 0;
    if (!fill()) fail("the compressed file ends too early", "the end of the file");
    switch (inflate(stream_.get(), Z_NO_FLUSH)) {
      case Z_OK:
        break;
      case Z_STREAM_END:
        inside_member_ = false;
        break;
      case Z_MEM_ERROR:
        throw std::bad_alloc();
      default:
        fail("the compressed file is damaged", stream_->msg == nullptr ? "no gzip data" : stream_->msg);
    }
  }
  return text_.size() - stream_->avail_out;
}

/// @return whether there are bytes to unpack
bool GunzipBuffer::fill() {
  if (stream_->avail_in > 0) return true;
  const std::streamsize size = packed_.sgetn(packed_bytes_.data(), std::ssize(packed_bytes_));
  packed_size_ += static_cast<uint64_t>(size);
  stream_->next_in = reinterpret_cast<Bytef*>(packed_bytes_.data());
  stream_->avail_in = static_cast<uInt>(size);
  return size > 0;
}

/// Skips padding. @return whether something follows it
bool GunzipBuffer::begin_member() {
  while (fill()) {
    for (; stream_->avail_in > 0; ++stream_->next_in, --stream_->avail_in) {
      if (*stream_->next_in == 0) continue;
      inflateReset(stream_.get());
      inside_member_ = true;
      return true;
    }
  }
  return false;
}

void GunzipBuffer::fail(const char* what, std::string reason) const {
  throw InputError(
      {.what = what,
       .where = file_,
       .expected = "gzip data, each member whole and with the right checksum",
       .found = fmt::format("{} (byte {} of the file)", reason, packed_size_ - stream_->avail_in),
       .hint = "fetch the file again"});
}

}  // namespace saescope
