#include "app/cache_folder.h"

#include "app/environment.h"
#include "base/error.h"

namespace saescope {

std::filesystem::path user_cache_folder() {
  // The XDG base directory specification: a relative value counts as unset.
  if (const auto xdg = process_environment("XDG_CACHE_HOME");
      xdg && std::filesystem::path(*xdg).is_absolute()) {
    return std::filesystem::path(*xdg) / "saescope";
  }
  const auto home = process_environment("HOME");
  if (!home || home->empty()) {
    throw InputError({.what = "no cache folder", .expected = "XDG_CACHE_HOME or HOME in the environment"});
  }
  return std::filesystem::path(*home) / ".cache" / "saescope";
}

}  // namespace saescope
