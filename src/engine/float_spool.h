#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>

namespace saescope {

/// Floats set aside on disk until they are written in their final order, so that memory does not grow
/// with the number of prompts. The file has no name: it vanishes with the process.
class FloatSpool {
 public:
  /// @param folder where the outputs go; made where it is missing @throws RunError
  explicit FloatSpool(const std::filesystem::path& folder);
  /// @throws RunError when the disk is full
  void append(std::span<const float> values);
  void rewind();
  /// Fills `values` with the next ones. @throws RunError where they cannot be read
  void read(std::span<float> values);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::filesystem::path folder_;
};

}  // namespace saescope
