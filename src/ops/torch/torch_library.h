#pragma once

#include <filesystem>
#include <string>

#include "base/environment.h"
#include "ops/torch/torch_api.h"

namespace saescope {

/// PyTorch's libraries as they are loaded into this process, for as long as it lives.
struct TorchLibrary {
  TorchApi api;
  std::string version;           ///< "2.13.0+cpu", as its version.py says
  std::filesystem::path folder;  ///< of the libraries
};

/// The folder of PyTorch's libraries: that of SAESCOPE_TORCH (PyTorch's own folder or its lib), else of the
/// Python that is active: SAESCOPE_PYTHON, the one beside this executable, python3, python. Python is asked
/// where the package lies; PyTorch is not imported.
/// @throws InputError where there is none, with what was looked at
std::filesystem::path find_torch(const Environment& environment = process_environment);

/// Loads the libraries, those for GPUs where one is wanted, and looks up their functions. Has to come before
/// anything else uses a GPU in this process: it chooses by environment variables that products of float32
/// stay float32 and that results repeat.
/// @throws InputError where they do not load, or are older than kOldestTorch
TorchLibrary load_torch(const std::filesystem::path& folder, bool for_gpu);

}  // namespace saescope
