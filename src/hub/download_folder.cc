#include "hub/download_folder.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "hub/hub.h"

namespace saescope {

namespace fs = std::filesystem;

void create_writable_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0) {
    error = std::error_code(errno, std::generic_category());
  }
  if (!error) return;
  throw FolderError({.what = "cannot create or write the folder files are downloaded to",
                     .where = folder.string(),
                     .found = error.message(),
                     .hint = "choose a folder you may write, or change its permissions"});
}

void remove_stale(const fs::path& keep, const std::string& prefix) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(keep.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (name.starts_with(prefix) && name.ends_with(".incomplete") && entry.path() != keep) {
      fs::remove(entry.path(), ignored);
    }
  }
}

}  // namespace saescope
