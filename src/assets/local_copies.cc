#include "assets/local_copies.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

#include "base/atomic_file.h"
#include "base/error.h"
#include "hub/digest.h"
#include "hub/file_lock.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = std::size_t{16} << 20;

/// The original's name behind a digest of where it lies and how it looks.
std::string name_of_copy(const fs::path& file) {
  struct stat status = {};
  ::stat(file.c_str(), &status);
  const std::string look = fmt::format("{}\n{}\n{}.{:09}", file.string(), status.st_size,
                                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  return sha256_of(look).substr(0, 32) + "-" + file.filename().string();
}

}  // namespace

LocalCopies::LocalCopies(fs::path folder, const Context& context)
    : folder_(std::move(folder)), context_(&context) {}

fs::path LocalCopies::of(const fs::path& file) const {
  if (folder_.empty()) return file;
  const fs::path original = fs::canonical(file);
  const fs::path copied = folder_ / name_of_copy(original);
  try {
    const FileLock lock(folder_ / ".locks" / copied.filename(), *context_);
    std::error_code error;
    if (fs::file_size(copied, error) != fs::file_size(original) || error) copy(original, copied);
    return copied;
  } catch (const RunError& failure) {
    const ErrorDetail& detail = failure.detail();  // without the file's name: the same for every file
    context_->progress->warn(fmt::format("weights are read where they lie, without local copies in {}: {}",
                                         folder_.string(),
                                         detail.found.empty() ? detail.what : detail.found));
    return file;
  }
}

void LocalCopies::copy(const fs::path& from, const fs::path& to) const {
  const auto size = fs::file_size(from);
  std::ifstream input(from, std::ios::binary);
  AtomicFile output(to);
  std::string block(std::min<std::size_t>(kBlock, size), '\0');
  context_->progress->begin_stage("local copy of " + from.filename().string(), size, ProgressUnit::kBytes);
  uint64_t done = 0;
  while (input.read(block.data(), static_cast<std::streamsize>(block.size())) || input.gcount() > 0) {
    context_->cancel->check();
    const auto count = static_cast<std::size_t>(input.gcount());
    output.write({block.data(), count});
    context_->progress->update(done += count);
  }
  context_->progress->end_stage();
  if (done != size) throw RunError({.what = "cannot read the file to its end", .where = from.string()});
  output.commit();
}

}  // namespace saescope
