#pragma once

#include <cstdint>
#include <filesystem>

namespace saescope {

/// Processors of this machine that are in operation, at least 1.
int machine_processors();

/// Processors that this process may use, at least 1: those that it may be scheduled on
/// (sched_getaffinity(2)), and no more than the quotas of its control groups pay for, rounded up. @param root
/// as in read_cgroup_limits
int usable_processors(const std::filesystem::path& root = "/");

/// Bytes of memory that this process may use: the machine's, and no more than its control groups allow; the
/// largest number where the system does not say. @param root as in read_cgroup_limits
uint64_t usable_memory(const std::filesystem::path& root = "/");

}  // namespace saescope
