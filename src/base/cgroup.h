#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace saescope {

/// What the control groups of this process allow it (cgroups(7), versions 1 and 2): the smallest limit of its
/// own group and of every group above that is visible. Containers and batch systems set them.
struct CgroupLimits {
  std::optional<int64_t> processors;  ///< by the quota of processor time, rounded up: at least 1
  std::optional<uint64_t> memory;     ///< bytes
};

/// Files that are missing, unreadable or malformed set no limit.
/// @param root where proc and the groups' file systems are mounted, other than / in tests
CgroupLimits read_cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace saescope
