#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/error.h"
#include "ops/torch/torch_backend.h"

namespace saescope::testing_support {

/// The device of PyTorch that tests run on: SAESCOPE_TEST_DEVICE ("cuda", "cuda:1"), else torch-cpu.
inline TorchDeviceName torch_test_device() {
  const std::string name = environment_text("SAESCOPE_TEST_DEVICE");
  if (!name.starts_with("cuda")) return {};
  return {.is_gpu = true, .index = name.size() > 5 ? std::stoi(name.substr(5)) : 0};
}

/// Where PyTorch lies: as a run finds it, or where the benchmarks have theirs (tools/bench_python.sh).
/// @throws InputError where there is none
inline std::filesystem::path find_torch_for_tests() {
  const auto cache = user_cache_folder();
  const std::filesystem::path bench = cache.value_or("") / "bench/python/bin/python";
  return find_torch([&](const std::string& name) -> std::optional<std::string> {
    const auto value = process_environment(name);
    if (name == "SAESCOPE_PYTHON" && !value && std::filesystem::exists(bench)) return bench.string();
    return value;
  });
}

/// The backend on that device. Null where this machine has no PyTorch; `reason` then says so.
inline std::unique_ptr<TorchBackend> make_torch_backend(std::string& reason, int threads = 2,
                                                        uint64_t kept_bytes = TorchBackend::kUsuallyKept) {
  try {
    const TorchDeviceName device = torch_test_device();
    return std::make_unique<TorchBackend>(load_torch(find_torch_for_tests(), device.is_gpu), device, threads,
                                          kept_bytes);
  } catch (const InputError& error) {
    reason = error.what();
    return nullptr;
  }
}

}  // namespace saescope::testing_support
