#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/backend.h"

namespace saescope::testing_support {

/// Whether SAESCOPE_TEST_DEVICE names a device ("torch-cpu", "cuda", "cuda:1"): tests of numbers then compute
/// there, and the executables that they run as well. All tests are skipped, loudly, where this machine has no
/// PyTorch.
bool is_test_device_named();

/// That device's backend, else the processor's with two threads.
std::unique_ptr<Backend> make_test_backend();

/// What runs on the device: --device and its name; empty where none is named.
std::vector<std::string> device_arguments();

}  // namespace saescope::testing_support
