#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

struct z_stream_s;

namespace saescope {

/// The text of a file that may be compressed with gzip (RFC 1952), which its first two bytes tell; any other
/// file is handed on as it is. Several members one after the other make one text, zeros behind them are
/// padding, as for gzip. Memory is bounded, whatever the file unpacks to. Reading throws InputError with the
/// file on a stream that ends too early or is damaged, checksum and length included. Read through the
/// buffer's own functions: an istream's swallow exceptions.
class GunzipBuffer final : public std::streambuf {
 public:
  /// @param packed outlives this. @param file names it in messages
  GunzipBuffer(std::streambuf& packed, std::string file);

 protected:
  int_type underflow() override;

 private:
  struct EndStream {
    void operator()(z_stream_s* stream) const;
  };

  std::size_t unpack();
  bool fill();
  bool begin_member();
  [[noreturn]] void fail(const char* what, std::string reason) const;

  std::streambuf& packed_;
  std::string file_;
  std::vector<char> packed_bytes_;
  std::vector<char> text_;
  std::unique_ptr<z_stream_s, EndStream> stream_;  ///< none where the file is plain text
  uint64_t packed_size_ = 0;                       ///< bytes read of the file so far
  bool inside_member_ = false;
};

}  // namespace saescope
