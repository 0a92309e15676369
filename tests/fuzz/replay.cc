// Runs a fuzz target over files instead of a fuzzer's inputs: its corpus and regressions as a test.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "base/atomic_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

/// A folder that is not there holds no files: a target may have no regressions yet.
std::vector<fs::path> files_below(const std::vector<fs::path>& folders) {
  std::vector<fs::path> files;
  for (const fs::path& folder : folders) {
    if (!fs::exists(folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<fs::path> files = files_below({argv + 1, argv + argc});
  for (const fs::path& file : files) {
    std::cout << file.string() << std::endl;  // flushed: the last line names the file that ends the process
    const std::string text = saescope::read_file(file);
    const std::vector<uint8_t> bytes(text.begin(), text.end());  // of exactly its size, for the sanitizers
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  if (files.empty()) std::cout << "no files to run\n";
  return files.empty() ? 1 : 0;
}
