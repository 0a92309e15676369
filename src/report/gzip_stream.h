#pragma once

#include <zlib.h>

#include <filesystem>
#include <memory>
#include <streambuf>
#include <string>
#include <vector>

namespace saescope {

/// The bytes of a file, decompressed where it is a gzip file (of one member or several), through zlib. A
/// damaged or truncated file is an InputError at the place where it is met.
class GzipBuffer final : public std::streambuf {
 public:
  /// @throws InputError where the file cannot be opened
  explicit GzipBuffer(const std::filesystem::path& path);

 protected:
  int_type underflow() override;

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
};

}  // namespace saescope
