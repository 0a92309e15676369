#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
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

/// The tapped activations of earlier runs of one model, so that another threshold, another trainer or a
/// run that was killed need no forward pass. One safetensors file for each wave: `keys` [rows, 2] I64 and
/// `layer_{L}` [rows, hidden] F32, with a checksum of both in the metadata. Files that are damaged are
/// reported, removed and computed again.
class ActivationCache {
 public:
  /// @param folder of one model and number type @param hidden size of an activation
  /// @param limit bytes that the files of all models may take
  ActivationCache(std::filesystem::path folder, std::size_t hidden, uint64_t limit, Progress& progress);

  /// Whether the activations of this prefix are there for all of these layers (ascending).
  bool contains(const PrefixKey& key, std::span<const std::size_t> layers);
  /// Precondition: `contains`. @return [hidden], valid while the cache lives
  const float* find(const PrefixKey& key, std::size_t layer) const;

  /// Adds a wave's rows, and makes room where they are too many. A disk that is full or read-only is reported
  /// once and costs only the saving.
  /// @param activations for each layer [keys, hidden]
  void store(std::span<const PrefixKey> keys, std::span<const std::size_t> layers,
             std::span<const MatrixView<const float>> activations);

 private:
  struct File {
    MappedFile mapped;
    SafetensorsFile parsed;
    bool checked = false;
    bool usable = true;
  };
  struct Place {
    std::size_t file;
    std::size_t row;
  };
  struct KeyHash {
    std::size_t operator()(const PrefixKey& key) const { return key.low; }
  };

  void open_file(const std::filesystem::path& path);
  bool check(File& file);
  void discard(File& file, const std::string& reason);

  std::filesystem::path folder_;
  std::size_t hidden_;
  uint64_t limit_;
  uint64_t stored_ = 0;  ///< bytes since the limit was last looked at
  Progress& progress_;
  std::deque<File> files_;
  std::unordered_map<PrefixKey, std::vector<Place>, KeyHash> places_;
};

/// Folder of a model's activations below the user's cache: its name is a digest of what the numbers depend
/// on (files with size and time of change, configuration, number type, processor), so that nothing stale is
/// ever found. Nothing where the account has no place for a cache.
/// @param numbers texts that the numbers depend on besides the weights
std::optional<std::filesystem::path> activation_cache_folder(
    const std::vector<std::shared_ptr<const MappedFile>>& model_files,
    const std::vector<std::string>& numbers);

/// Removes the least recently used files of all models until the cache is below `limit` bytes.
void trim_activation_cache(uint64_t limit, Progress& progress);

}  // namespace saescope
