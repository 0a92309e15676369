#include "ops/torch/torch_library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "base/error.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInstallHint =
    "install PyTorch 2.11 or later (pip install torch), or name its folder with SAESCOPE_TORCH; without a "
    "GPU use "
    "--device cpu";

/// What a program writes to its standard output; nothing where it does not run or fails.
std::optional<std::string> output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; failed == 0 && (size = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  if (failed != 0 || waitpid(child, &status, 0) != child || status != 0) return std::nullopt;
  return text;
}

/// The folder of libraries below PyTorch's own, or that folder itself; empty where there are none.
fs::path libraries_of(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::path& place : {folder / "lib", folder, folder / "torch" / "lib"}) {
    if (fs::exists(place / "libtorch_cpu.so", ignored)) return place;
  }
  return {};
}

/// Pythons in the order in which they are asked.
std::vector<std::string> pythons(const Environment& environment) {
  std::vector<std::string> names;
  if (const auto named = environment("SAESCOPE_PYTHON"); named && !named->empty()) names.push_back(*named);
  std::error_code ignored;
  const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path() / "python3";
  if (fs::exists(beside, ignored)) names.push_back(beside.string());
  names.insert(names.end(), {"python3", "python"});
  return names;
}

/// Of "…\n__version__ = '2.13.0+cpu'\n…".
std::string version_of(const fs::path& libraries) {
  std::ifstream file(libraries.parent_path() / "version.py");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("__version__")) continue;
    const auto first = line.find_first_of("'\"");
    const auto last = line.find_last_of("'\"");
    if (first != std::string::npos && first < last) return line.substr(first + 1, last - first - 1);
  }
  return "of an unknown version";
}

/// Float32 stays float32 (no TF32), and cuBLAS works with one fixed piece of memory, so that results repeat.
/// Read when CUDA is first used.
void choose_exact_products() {
  setenv("NVIDIA_TF32_OVERRIDE", "0", 1);
  setenv("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "0", 1);
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
}

void* open_library(const fs::path& path) {
  if (void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL)) return library;
  const char* const reason = dlerror();
  throw InputError(
      {.what = "PyTorch's libraries do not load",
       .where = path.string(),
       .found = reason == nullptr ? "no reason given" : reason,
       .hint = "whether python -c 'import torch' works says more; SAESCOPE_TORCH names another PyTorch"});
}

template <typename Function>
bool look_up(void* library, const char* name, Function*& function) {
  // POSIX: a pointer to an object holds one to a function (dlsym(3)).
  function = reinterpret_cast<Function*>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

fs::path find_torch(const Environment& environment) {
  if (const auto named = environment("SAESCOPE_TORCH"); named && !named->empty()) {
    const fs::path libraries = libraries_of(*named);
    if (!libraries.empty()) return libraries;
    throw InputError({.what = "SAESCOPE_TORCH does not name a PyTorch",
                      .where = *named,
                      .expected = "PyTorch's folder or its lib, with libtorch_cpu.so",
                      .hint = kInstallHint});
  }
  std::string asked;
  for (const std::string& python : pythons(environment)) {
    const auto answer = output_of({python, "-c",
                                   "import importlib.util as u; s = u.find_spec('torch'); "
                                   "print(s.submodule_search_locations[0] if s else '')"});
    asked += (asked.empty() ? "" : ", ") + python + (answer ? " (has no torch)" : " (does not run)");
    if (!answer) continue;
    const fs::path libraries = libraries_of(answer->substr(0, answer->find('\n')));
    if (!libraries.empty()) return libraries;
  }
  throw InputError({.what = "no PyTorch was found, which computes on a GPU",
                    .expected = "a Python with the package torch",
                    .found = asked,
                    .hint = kInstallHint});
}

TorchLibrary load_torch(const fs::path& folder, bool for_gpu) {
  choose_exact_products();
  TorchLibrary library{.api = {}, .version = version_of(folder), .folder = folder};
  void* const core = open_library(folder / "libtorch_cpu.so");
  std::error_code ignored;
  // It brings in what a build for GPUs has besides.
  if (for_gpu && fs::exists(folder / "libtorch.so", ignored)) open_library(folder / "libtorch.so");
  std::string missing;
#define SAESCOPE_LOOK_UP(name, ...) \
  if (!look_up(core, #name, library.api.name)) missing = #name;
  SAESCOPE_TORCH_FUNCTIONS(SAESCOPE_LOOK_UP)
#undef SAESCOPE_LOOK_UP
  if (!missing.empty() || library.api.aoti_torch_abi_version() < kOldestTorch) {
    throw InputError({.what = "PyTorch is too old",
                      .where = folder.string(),
                      .expected = "2.11 or later",
                      .found = library.version + (missing.empty() ? "" : ", which lacks " + missing),
                      .hint = kInstallHint});
  }
#define SAESCOPE_LOOK_UP(name, ...) look_up(core, #name, library.api.name);
  SAESCOPE_TORCH_LATER_FUNCTIONS(SAESCOPE_LOOK_UP)
#undef SAESCOPE_LOOK_UP
  return library;
}

}  // namespace saescope
