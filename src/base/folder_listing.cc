#include "base/folder_listing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>
#include <vector>

namespace saescope {

namespace fs = std::filesystem;

std::string list_folder(const fs::path& folder) {
  constexpr std::size_t kShown = 8;
  std::error_code error;
  if (!fs::exists(folder, error)) return "no such folder";
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;
    names.push_back(entry.path().filename().string() + (entry.is_directory(ignored) ? "/" : ""));
  }
  if (error) return error.message();
  if (names.empty()) return "an empty folder";
  std::sort(names.begin(), names.end());
  const std::size_t more = names.size() > kShown ? names.size() - kShown : 0;
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

}  // namespace saescope
