#include "base/nameless_file.h"

#include <fcntl.h>

#include <cerrno>

namespace saescope {

int open_nameless_file(const std::filesystem::path& folder, int access) {
#ifdef O_TMPFILE
  return ::open(folder.c_str(), O_TMPFILE | access | O_CLOEXEC, 0666);
#else
  errno = EOPNOTSUPP;
  return -1;
#endif
}

}  // namespace saescope
