#include "base/cgroup.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {
namespace {

/// A hierarchy of groups as /proc/self/mountinfo shows it (proc_pid_mountinfo(5)).
struct Mount {
  std::string root;   ///< the group that the mount shows
  std::string point;  ///< where
  bool is_v2 = false;
  std::string controllers;  ///< of version 1, among other options: "rw,cpu,cpuacct"
};

/// This process's group in a hierarchy, a line of /proc/self/cgroup.
struct Membership {
  std::string controllers;  ///< empty in version 2
  std::string path;
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool lists(std::string_view names, std::string_view name) {
  const auto parts = split(names, ',');
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

/// Blanks and backslashes in mountinfo's paths are octal: "\040".
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int code = 0;
    if (text[i] == '\\' && i + 4 <= text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      plain += static_cast<char>(code);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<Mount> read_mounts(const std::filesystem::path& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t middle = line.find(" - ");
    if (middle == std::string::npos) continue;
    const auto before = split(std::string_view(line).substr(0, middle), ' ');
    const auto after = split(std::string_view(line).substr(middle + 3), ' ');
    if (before.size() < 5 || after.empty()) continue;
    if (after[0] != "cgroup" && after[0] != "cgroup2") continue;
    mounts.push_back({unescape(before[3]), unescape(before[4]), after[0] == "cgroup2",
                      after.size() > 2 ? after[2] : std::string()});
  }
  return mounts;
}

std::vector<Membership> read_memberships(const std::filesystem::path& root) {
  std::vector<Membership> memberships;
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    memberships.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return memberships;
}

/// The folders of the mount's own group and of those below it, down to the process's. A path outside of what
/// is mounted (a container may see its host's path) leaves the mount's own group.
std::vector<std::filesystem::path> group_folders(const std::filesystem::path& root, const Mount& mount,
                                                 const std::string& path) {
  std::vector<std::filesystem::path> folders = {root / std::filesystem::path(mount.point).relative_path()};
  const std::filesystem::path below = std::filesystem::path(path).lexically_relative(mount.root);
  if (std::find(below.begin(), below.end(), "..") != below.end()) return folders;
  for (const std::filesystem::path& name : below) folders.push_back(folders.back() / name);
  return folders;
}

/// The numbers of a small file's first line; "max" and what is no number end them.
std::vector<int64_t> read_numbers(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<int64_t> numbers;
  for (int64_t number = 0; file >> number;) numbers.push_back(number);
  return numbers;
}

template <typename T>
void lower(std::optional<T>& limit, T value) {
  limit = limit ? std::min(*limit, value) : value;
}

void apply_quota(int64_t quota, int64_t period, CgroupLimits& limits) {
  if (quota > 0 && period > 0) lower(limits.processors, quota / period + (quota % period != 0 ? 1 : 0));
}

void apply_memory(const std::filesystem::path& file, CgroupLimits& limits) {
  const auto bytes = read_numbers(file);
  if (!bytes.empty() && bytes[0] >= 0) lower(limits.memory, static_cast<uint64_t>(bytes[0]));
}

void apply_v2(const std::filesystem::path& folder, CgroupLimits& limits) {
  const auto quota = read_numbers(folder / "cpu.max");
  if (quota.size() == 2) apply_quota(quota[0], quota[1], limits);
  apply_memory(folder / "memory.max", limits);
  apply_memory(folder / "memory.high", limits);  // beyond it the kernel holds the group up
}

void apply_v1(const std::filesystem::path& folder, const Mount& mount, CgroupLimits& limits) {
  if (lists(mount.controllers, "cpu")) {
    const auto quota = read_numbers(folder / "cpu.cfs_quota_us");
    const auto period = read_numbers(folder / "cpu.cfs_period_us");
    if (!quota.empty() && !period.empty()) apply_quota(quota[0], period[0], limits);
  }
  if (lists(mount.controllers, "memory")) apply_memory(folder / "memory.limit_in_bytes", limits);
}

/// Whether a line of /proc/self/cgroup speaks of this hierarchy.
bool belongs(const Membership& membership, const Mount& mount) {
  if (mount.is_v2) return membership.controllers.empty();
  const auto names = split(membership.controllers, ',');
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return lists(mount.controllers, name); });
}

}  // namespace

CgroupLimits read_cgroup_limits(const std::filesystem::path& root) {
  CgroupLimits limits;
  const auto memberships = read_memberships(root);
  for (const Mount& mount : read_mounts(root)) {
    for (const Membership& membership : memberships) {
      if (!belongs(membership, mount)) continue;
      for (const auto& folder : group_folders(root, mount, membership.path)) {
        mount.is_v2 ? apply_v2(folder, limits) : apply_v1(folder, mount, limits);
      }
    }
  }
  return limits;
}

}  // namespace saescope
