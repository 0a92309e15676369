#include "base/output_target.h"

#include <sys/stat.h>

#include <charconv>
#include <string>
#include <system_error>

#include "base/error.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// "/dev/fd/63" and its kind, which stand for an open file and not for one to be opened.
std::optional<int> named_descriptor(const fs::path& path) {
  const std::string text = path.lexically_normal().string();
  if (text == "/dev/stdout") return 1;
  if (text == "/dev/stderr") return 2;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!text.starts_with(folder)) continue;
    int number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + folder.size(), end, number);
    if (error == std::errc() && rest == end && number >= 0) return number;
  }
  return std::nullopt;
}

bool is_link(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error));
}

}  // namespace

OutputTarget find_output_target(const fs::path& path) {
  OutputTarget target{path, false, named_descriptor(path)};
  constexpr int kMostLinks = 40;  // as Linux follows
  for (int links = 0; !target.descriptor && is_link(target.path); ++links) {
    std::error_code error;
    const fs::path next = fs::read_symlink(target.path, error);
    if (error || links == kMostLinks) {
      throw InputError({.what = "cannot follow the link",
                        .where = path.string(),
                        .expected = "a path of a file to write",
                        .found = error ? error.message() : "too many links"});
    }
    target.path = (target.path.parent_path() / next).lexically_normal();
    target.descriptor = named_descriptor(target.path);
  }
  struct stat status = {};
  const bool exists = ::stat(target.path.c_str(), &status) == 0;
  target.stream = target.descriptor || (exists && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
  return target;
}

bool lead_to_one_file(const fs::path& a, const fs::path& b) {
  if (a.empty() || b.empty()) return false;
  struct stat first = {};
  struct stat second = {};
  if (::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0) {
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }
  std::error_code error;
  const auto place = [&](const fs::path& path) {
    try {
      return fs::weakly_canonical(fs::absolute(find_output_target(path).path), error);
    } catch (const InputError&) {
      return fs::absolute(path);  // a circle of links, which whatever opens it reports
    }
  };
  const fs::path left = place(a);
  const fs::path right = place(b);
  return !error && left == right;
}

}  // namespace saescope
