#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/progress.h"
#include "formats/safetensors.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// Names what a tapped activation depends on besides the model: the token ids up to and with its
/// position. The first 128 bits of their SHA-256.
struct PrefixKey {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const PrefixKey&) const = default;
};
PrefixKey prefix_key(std::span<const int32_t> ids);
struct PrefixKeyHash {
  std::size_t operator()(const PrefixKey& key) const { return key.low; }
};
/// The key of each position: that of the ids up to and with it.
std::vector<PrefixKey> prefix_keys(std::span<const int32_t> ids);

/// The tapped activations of earlier runs of one model, so that another threshold, another trainer or a
/// run that was killed need no forward pass. One safetensors file for each wave: `keys` [rows, 2] I64 and
/// `layer_{L}` [rows, hidden] F32 or BF16, with a checksum of both in the metadata. Files that are damaged
/// are reported, removed and computed again.
class ActivationCache {
 public:
  struct Settings {
    std::filesystem::path store;    ///< what the limit is for
    std::optional<uint64_t> limit;  ///< bytes that the files of all models may take
    bool needed = false;            ///< whether what cannot be stored ends the run
    DType dtype = DType::kF32;      ///< of the rows on disk; kBF16 where they are rounded to it already
  };

  /// @param folder of one model and number type @param hidden size of an activation
  ActivationCache(std::filesystem::path folder, std::size_t hidden, Settings settings, Progress& progress);

  /// Looks for files that have come since; on a shared file system those of other machines are seen late.
  void refresh();

  /// Whether a file is there that says it holds the activations of this prefix for all of these layers
  /// (ascending).
  bool lists(const PrefixKey& key, std::span<const std::size_t> layers) const;
  /// The same of a file that was read and is whole.
  bool contains(const PrefixKey& key, std::span<const std::size_t> layers);
  /// Precondition: `contains`. @param row [hidden]
  void read(const PrefixKey& key, std::size_t layer, std::span<float> row) const;

  /// Takes what was read since the last call out of the process's memory.
  void release();

  /// Adds a wave's rows, and makes room where they are too many. A disk that is full or read-only is reported
  /// once and costs only the saving, unless they are needed. @throws RunError where they are
  /// @param activations for each layer [keys, hidden]
  void store(std::span<const PrefixKey> keys, std::span<const std::size_t> layers,
             std::span<const MatrixView<const float>> activations);

 private:
  struct File {
    MappedFile mapped;
    SafetensorsFile parsed;
    std::set<std::size_t> checked = {};  ///< layers
    bool usable = true;
  };
  /// Where a row lies.
  struct Place {
    uint32_t file;
    uint32_t row;
  };
  void open_file(const std::filesystem::path& path);
  const std::byte* find(const PrefixKey& key, std::size_t layer) const;
  void check(File& file, std::size_t layer);
  void discard(File& file, const std::string& reason);

  std::filesystem::path folder_;
  std::size_t hidden_;
  Settings settings_;
  uint64_t stored_ = 0;  ///< bytes since the limit was last looked at
  Progress& progress_;
  std::set<std::filesystem::path> known_;
  std::deque<File> files_;
  std::set<std::size_t> read_;  ///< files since the last release
  std::unordered_multimap<PrefixKey, Place, PrefixKeyHash> places_;
};

}  // namespace saescope
