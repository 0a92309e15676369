#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

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
  /// Takes everything out again.
  void clear();
  uint64_t size() const { return size_; }  ///< floats that were appended

  /// Calls visit(values) with all of them, block by block.
  template <typename Visit>
  void for_each_block(Visit&& visit) {
    constexpr uint64_t kBlock = 1 << 16;
    std::vector<float> block;
    rewind();
    for (uint64_t left = size_; left > 0; left -= block.size()) {
      block.resize(static_cast<std::size_t>(std::min(left, kBlock)));
      read(block);
      visit(std::span<const float>(block));
    }
  }
  /// Fills `values` with the next ones. @throws RunError where they cannot be read
  void read(std::span<float> values);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  std::filesystem::path folder_;
  uint64_t size_ = 0;
};

}  // namespace saescope
