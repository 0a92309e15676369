#include "base/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <fstream>
#include <string>
#include <thread>

#include "base/usable_resources.h"

namespace saescope {
namespace {

using ::testing::Optional;

/// A folder that stands for / and is removed in the end.
class FakeRoot {
 public:
  FakeRoot() {
    std::string name = (std::filesystem::temp_directory_path() / "cgroup_test_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  const std::filesystem::path& path() const { return path_; }
  CgroupLimits limits() const { return read_cgroup_limits(path_); }

 private:
  std::filesystem::path path_;
};

constexpr const char* kV2Mount = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kV1Mounts =
    "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 25 0:30 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory\n";
constexpr const char* kV1Groups = "4:memory:/job\n3:cpu,cpuacct:/job/step\n1:name=systemd:/init\n";

TEST(Cgroup, WithoutGroupsThereIsNoLimit) {
  const FakeRoot root;
  EXPECT_EQ(root.limits().processors, std::nullopt);
  EXPECT_EQ(root.limits().memory, std::nullopt);
}

TEST(Cgroup, Version2LimitsTheGroup) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/user.slice/job\n");
  root.write("sys/fs/cgroup/user.slice/job/cpu.max", "250000 100000\n");
  root.write("sys/fs/cgroup/user.slice/job/memory.max", "1073741824\n");
  EXPECT_THAT(root.limits().processors, Optional(3)) << "2.5 processors keep three threads busy";
  EXPECT_THAT(root.limits().memory, Optional(1073741824u));
}

TEST(Cgroup, Version2WithoutLimitsSaysMax) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/job\n");
  root.write("sys/fs/cgroup/job/cpu.max", "max 100000\n");
  root.write("sys/fs/cgroup/job/memory.max", "max\n");
  EXPECT_EQ(root.limits().processors, std::nullopt);
  EXPECT_EQ(root.limits().memory, std::nullopt);
}

TEST(Cgroup, TheSmallestLimitAboveTheGroupBinds) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/slurm/job/step\n");
  root.write("sys/fs/cgroup/slurm/job/step/cpu.max", "800000 100000\n");
  root.write("sys/fs/cgroup/slurm/job/cpu.max", "400000 100000\n");
  root.write("sys/fs/cgroup/slurm/memory.max", "2000\n");
  root.write("sys/fs/cgroup/slurm/memory.high", "1000\n");
  root.write("sys/fs/cpu.max", "100 100000\n");  // above the mount: not a group
  EXPECT_THAT(root.limits().processors, Optional(4));
  EXPECT_THAT(root.limits().memory, Optional(1000u));
}

TEST(Cgroup, Version1LimitsByControllerAndMinusOneIsNone) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV1Mounts);
  root.write("proc/self/cgroup", kV1Groups);
  root.write("sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_quota_us", "-1\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/job/step/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "50000\n");
  root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "4096\n");
  EXPECT_THAT(root.limits().processors, Optional(3));
  EXPECT_THAT(root.limits().memory, Optional(4096u));
}

TEST(Cgroup, HybridSystemsHaveBothVersions) {
  const FakeRoot root;
  root.write("proc/self/mountinfo",
             std::string(kV1Mounts) + "35 25 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  root.write("proc/self/cgroup", std::string(kV1Groups) + "0::/job\n");
  root.write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  root.write("sys/fs/cgroup/unified/job/memory.max", "4096\n");
  EXPECT_THAT(root.limits().memory, Optional(4096u));
}

TEST(Cgroup, AContainerSeesItsGroupAsTheMountsRoot) {
  const FakeRoot root;
  root.write("proc/self/mountinfo",
             "40 30 0:29 /docker/abc /sys/fs/cgroup/my\\040cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
  root.write("proc/self/cgroup", "3:cpu,cpuacct:/docker/abc\n");
  root.write("sys/fs/cgroup/my cpu/cpu.cfs_quota_us", "200000\n");
  root.write("sys/fs/cgroup/my cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_THAT(root.limits().processors, Optional(2));
}

TEST(Cgroup, GroupsBelowTheMountsRootLimitToo) {
  const FakeRoot root;
  root.write("proc/self/mountinfo",
             "40 30 0:29 /pods/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
             "41 30 0:30 /pods/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  root.write("proc/self/cgroup", "3:cpu:/pods/abc/step/task\n2:memory:/pods/abc/step\n");
  root.write("sys/fs/cgroup/cpu/step/task/cpu.cfs_quota_us", "200000\n");
  root.write("sys/fs/cgroup/cpu/step/task/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "4096\n");
  root.write("sys/fs/cgroup/memory/step/memory.limit_in_bytes", "8192\n");
  EXPECT_THAT(root.limits().processors, Optional(2));
  EXPECT_THAT(root.limits().memory, Optional(4096u));
}

TEST(Cgroup, AMountFromOutsideOfTheNamespaceLeavesTheMountsOwnGroup) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", "30 24 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  root.write("sys/fs/cgroup/cpu.max", "100000 100000\n");
  for (const char* path : {"/", "/job"}) {
    root.write("proc/self/cgroup", std::string("0::") + path + "\n");
    EXPECT_THAT(root.limits().processors, Optional(1)) << path;
  }
}

TEST(Cgroup, APathOutsideOfTheMountLeavesTheMountsOwnGroup) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  root.write("sys/elsewhere/cpu.max", "100000 100000\n");  // not a group
  for (const char* path : {"/", "/../../elsewhere", "/gone/with/the/host"}) {
    root.write("proc/self/cgroup", std::string("0::") + path + "\n");
    EXPECT_THAT(root.limits().processors, Optional(2)) << path;
  }
}

TEST(Cgroup, MalformedFilesSetNoLimit) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", std::string("nonsense\n\n - cgroup2\n") + kV2Mount);
  root.write("proc/self/cgroup", "nonsense\n::\n0::/job\n");
  root.write("sys/fs/cgroup/job/cpu.max", "200000\n");
  root.write("sys/fs/cgroup/job/memory.max", "-5 lots\n");
  EXPECT_EQ(root.limits().processors, std::nullopt);
  EXPECT_EQ(root.limits().memory, std::nullopt);
}

TEST(Cgroup, GroupsMountedAtTheTopOfTheFileSystemAreReadThere) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", "30 24 0:26 / / rw - cgroup2 cgroup2 rw\n");
  root.write("proc/self/cgroup", "0::/job\n");
  root.write("job/cpu.max", "100000 100000\n");
  EXPECT_THAT(root.limits().processors, Optional(1));
}

TEST(Cgroup, FilesThatCannotBeReadSetNoLimit) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/job\n");
  std::filesystem::create_directories(root.path() / "sys/fs/cgroup/job/cpu.max");
  std::filesystem::create_directories(root.path() / "sys/fs/cgroup/job/memory.max");
  EXPECT_EQ(root.limits().processors, std::nullopt);
  EXPECT_EQ(root.limits().memory, std::nullopt);
  const FakeRoot folders_alone;
  std::filesystem::create_directories(folders_alone.path() / "proc/self/mountinfo");
  std::filesystem::create_directories(folders_alone.path() / "proc/self/cgroup");
  EXPECT_EQ(folders_alone.limits().processors, std::nullopt);
}

TEST(Cgroup, AQuotaOfLessThanOneProcessorKeepsOneBusy) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/job\n");
  root.write("sys/fs/cgroup/job/cpu.max", "50000 100000\n");
  EXPECT_THAT(root.limits().processors, Optional(1));
}

TEST(UsableResources, AQuotaIsRoundedUpToWholeProcessorsAndToOneAtLeast) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/job\n");
  root.write("sys/fs/cgroup/job/cpu.max", "5000 100000\n");
  EXPECT_EQ(usable_processors(root.path()), 1);
  root.write("sys/fs/cgroup/job/cpu.max", "99900000 100000\n");
  EXPECT_EQ(usable_processors(root.path()), usable_processors("/nowhere"));
}

TEST(UsableResources, AGroupsMemoryBindsWhereItIsLessThanTheMachines) {
  const FakeRoot root;
  root.write("proc/self/mountinfo", kV2Mount);
  root.write("proc/self/cgroup", "0::/job\n");
  root.write("sys/fs/cgroup/job/memory.max", "4096\n");
  EXPECT_EQ(usable_memory(root.path()), 4096u);
  root.write("sys/fs/cgroup/job/memory.max", "9223372036854771712\n");
  EXPECT_EQ(usable_memory(root.path()), usable_memory("/nowhere"));
}

TEST(UsableResources, OnlyTheProcessorsThatTheProcessIsBoundToCount) {
  int counted = 0;
  std::thread([&counted] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    counted = usable_processors("/nowhere");
  }).join();
  EXPECT_EQ(counted, 1);
}

}  // namespace
}  // namespace saescope
