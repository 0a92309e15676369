#include "input/input_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "base/error.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// ".jsonl or .jsonl.gz"
std::string extension_names(const InputKind& kind) {
  return fmt::format("{}", fmt::join(kind.extensions, " or "));
}

bool belongs(const fs::path& path, const InputKind& kind) {
  const std::string name = path.filename().native();
  return name.front() != '.' && std::ranges::any_of(kind.extensions, [&](std::string_view extension) {
           return name.ends_with(extension);
         });
}

void require_regular_file(const fs::path& path, const InputKind& kind) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return;
  throw InputError(
      {.what = fmt::format("is not a file of {}", kind.noun),
       .where = path.string(),
       .expected = fmt::format("a regular {} file, or a folder that holds such files", extension_names(kind)),
       .found = error ? error.message() : "something else under this name",
       .hint = {}});
}

std::vector<fs::path> list_folder(const fs::path& folder, const InputKind& kind) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (!belongs(it->path(), kind)) continue;
    require_regular_file(it->path(), kind);
    files.push_back(it->path());
  }
  if (error) {
    throw InputError({.what = "cannot list the folder",
                      .where = folder.string(),
                      .expected = {},
                      .found = error.message(),
                      .hint = "check the path and its permissions"});
  }
  if (files.empty()) {
    throw InputError({.what = fmt::format("the folder holds no {}", kind.noun),
                      .where = folder.string(),
                      .expected = fmt::format("at least one file *{}", fmt::join(kind.extensions, " or *")),
                      .found = {},
                      .hint = std::string(kind.hint)});
  }
  std::ranges::sort(files, {}, [](const fs::path& path) { return path.filename().native(); });
  return files;
}

}  // namespace

std::vector<fs::path> list_input_files(const fs::path& path, const InputKind& kind) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError(
        {.what = fmt::format("there are no {} at this path", kind.noun),
         .where = path.string(),
         .expected = fmt::format("a {} file, or a folder that holds such files", extension_names(kind)),
         .found = "no file and no folder",
         .hint = std::string(kind.hint)});
  }
  if (fs::is_directory(status)) return list_folder(path, kind);
  if (kind.streams && (fs::is_fifo(status) || fs::is_socket(status))) return {path};
  require_regular_file(path, kind);
  return {path};
}

InputError utf16_error(const std::string& file) {
  return InputError({.what = "the file is written in UTF-16",
                     .where = file,
                     .expected = "UTF-8",
                     .hint = "save it in UTF-8 (Excel calls that \"CSV UTF-8\")"});
}

std::ifstream open_input_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (in) return in;
  throw InputError({.what = "cannot open",
                    .where = path.string(),
                    .expected = {},
                    .found = std::generic_category().message(errno),
                    .hint = "check the path and its permissions"});
}

}  // namespace saescope
