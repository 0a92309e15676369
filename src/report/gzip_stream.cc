#include "report/gzip_stream.h"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include "base/error.h"

namespace saescope {

GzipBuffer::GzipBuffer(const std::filesystem::path& path)
    : path_(path.string()), buffer_(std::size_t{256} << 10) {
  errno = 0;
  file_.reset(gzopen(path.c_str(), "rb"));
  if (file_) return;
  throw InputError({.what = "cannot open",
                    .where = path_,
                    .expected = {},
                    .found = std::generic_category().message(errno),
                    .hint = "check the path and its permissions"});
}

GzipBuffer::int_type GzipBuffer::underflow() {
  const int count = gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int error = Z_OK;
  const char* const reason = gzerror(file_.get(), &error);
  // A file that ends in the middle gives what it has and this error.
  if (count < 0 || error == Z_BUF_ERROR) {
    throw InputError({.what = "the file is damaged or cut short",
                      .where = path_,
                      .expected = "a complete gzip file, or plain text",
                      .found = error == Z_ERRNO ? std::generic_category().message(errno) : reason,
                      .hint = "download it again"});
  }
  if (count == 0) return traits_type::eof();
  setg(buffer_.data(), buffer_.data(), buffer_.data() + count);
  return traits_type::to_int_type(*gptr());
}

}  // namespace saescope
