#include "ops/torch/torch_library.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "base/error.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A folder as PyTorch's, with libraries that are none.
class TorchLibraryTest : public ::testing::Test {
 protected:
  TorchLibraryTest() {
    std::string name = ::testing::TempDir() + "saescope_torch_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    fs::create_directories(folder_ / "lib");
    std::ofstream(folder_ / "version.py") << "__all__ = ['__version__']\n__version__ = '1.13.1+cu117'\n";
  }
  ~TorchLibraryTest() override { fs::remove_all(folder_); }

  Environment environment(std::map<std::string, std::string> variables) const {
    return [=](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
  }

  fs::path folder_;
};

TEST_F(TorchLibraryTest, TheFolderThatIsNamedCountsAndSoDoesItsLib) {
  std::ofstream(folder_ / "lib/libtorch_cpu.so") << "";
  EXPECT_EQ(find_torch(environment({{"SAESCOPE_TORCH", folder_.string()}})), folder_ / "lib");
  EXPECT_EQ(find_torch(environment({{"SAESCOPE_TORCH", (folder_ / "lib").string()}})), folder_ / "lib");
}

TEST_F(TorchLibraryTest, ANamedFolderWithoutLibrariesIsAnErrorAndNothingElseIsTaken) {
  try {
    find_torch(environment({{"SAESCOPE_TORCH", folder_.string()}}));
    FAIL() << "found";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("SAESCOPE_TORCH does not name a PyTorch"));
    EXPECT_THAT(error.what(), HasSubstr(folder_.string()));
  }
}

TEST_F(TorchLibraryTest, PythonIsAskedWhereThePackageLies) {
  std::ofstream(folder_ / "lib/libtorch_cpu.so") << "";
  const fs::path python = folder_ / "python";
  std::ofstream(python) << "#!/bin/sh\necho " << folder_.string() << "\n";
  ::chmod(python.c_str(), 0755);
  EXPECT_EQ(find_torch(environment({{"SAESCOPE_PYTHON", python.string()}})), folder_ / "lib");
}

TEST_F(TorchLibraryTest, LibrariesThatDoNotLoadAreNamedWithTheLoadersReason) {
  std::ofstream(folder_ / "lib/libtorch_cpu.so") << "not a library";
  try {
    load_torch(folder_ / "lib", false);
    FAIL() << "loaded";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("PyTorch's libraries do not load"));
    EXPECT_THAT(error.what(), HasSubstr("libtorch_cpu.so"));
  }
}

TEST_F(TorchLibraryTest, AVersionThatLacksFunctionsIsTooOldAndNamed) {
  Dl_info library{};
  ASSERT_NE(::dladdr(reinterpret_cast<const void*>(&::getenv), &library), 0);
  fs::create_symlink(fs::canonical(library.dli_fname), folder_ / "lib/libtorch_cpu.so");
  try {
    load_torch(folder_ / "lib", false);
    FAIL() << "loaded";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("PyTorch is too old"));
    EXPECT_THAT(error.what(), HasSubstr("2.11 or later"));
    EXPECT_THAT(error.what(), HasSubstr("1.13.1+cu117"));
  }
}

}  // namespace
}  // namespace saescope
