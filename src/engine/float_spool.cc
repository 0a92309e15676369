#include "engine/float_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <system_error>

#include "base/error.h"
#include "base/nameless_file.h"

namespace saescope {

FloatSpool::FloatSpool(const std::filesystem::path& folder) : folder_(folder) {
  std::error_code ignored;  // what is missing then is told below
  std::filesystem::create_directories(folder, ignored);
  int fd = open_nameless_file(folder, O_RDWR);
  if (fd < 0) {
    std::string name = (folder / ".saescope-spool.XXXXXX").string();
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) throw system_error("cannot create a temporary file in this folder", folder.string());
    ::unlink(name.c_str());
  }
  file_.reset(::fdopen(fd, "w+b"));
  if (!file_) {
    ::close(fd);
    throw system_error("cannot open a temporary file in this folder", folder.string());
  }
}

void FloatSpool::append(std::span<const float> values) {
  if (std::fwrite(values.data(), sizeof(float), values.size(), file_.get()) != values.size()) {
    throw system_error("cannot write a temporary file in this folder", folder_.string(),
                       "free space on this disk and run again");
  }
  size_ += values.size();
}

void FloatSpool::rewind() {
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0) {
    throw system_error("cannot write a temporary file in this folder", folder_.string(),
                       "free space on this disk and run again");
  }
}

void FloatSpool::clear() {
  if (std::fflush(file_.get()) != 0 || std::fseek(file_.get(), 0, SEEK_SET) != 0 ||
      ::ftruncate(fileno(file_.get()), 0) != 0) {
    throw system_error("cannot empty a temporary file in this folder", folder_.string());
  }
  size_ = 0;
}

void FloatSpool::read(std::span<float> values) {
  if (std::fread(values.data(), sizeof(float), values.size(), file_.get()) != values.size()) {
    throw system_error("cannot read back a temporary file of this folder", folder_.string());
  }
}

}  // namespace saescope
