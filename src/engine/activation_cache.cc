#include "engine/activation_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "engine/cache_folder.h"
#include "engine/checked_tensors.h"
#include "hub/digest.h"
#include "tensor/float16.h"
#include "tensor/read_ahead.h"

namespace saescope {
namespace {

// Of the limit, this part may be added before old files are looked for.
constexpr uint64_t kLooksAtLimit = 16;

constexpr const char* kKeys = "keys";

std::string layer_name(std::size_t layer) { return fmt::format("layer_{}", layer); }

/// Ends the digest.
PrefixKey key_of(Digest digest) {
  const std::string hex = digest.finish();
  return {std::stoull(hex.substr(0, 16), nullptr, 16), std::stoull(hex.substr(16, 16), nullptr, 16)};
}

void add_ids(Digest& digest, std::span<const int32_t> ids) {
  digest.update({reinterpret_cast<const char*>(ids.data()), ids.size_bytes()});
}

}  // namespace

PrefixKey prefix_key(std::span<const int32_t> ids) {
  Digest digest = Digest::sha256();
  add_ids(digest, ids);
  return key_of(std::move(digest));
}

std::vector<PrefixKey> prefix_keys(std::span<const int32_t> ids) {
  std::vector<PrefixKey> keys;
  Digest digest = Digest::sha256();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    add_ids(digest, ids.subspan(i, 1));
    keys.push_back(key_of(digest.copy()));
  }
  return keys;
}

ActivationCache::ActivationCache(std::filesystem::path folder, std::size_t hidden, Settings settings,
                                 Progress& progress)
    : folder_(std::move(folder)), hidden_(hidden), settings_(std::move(settings)), progress_(progress) {
  refresh();
}

void ActivationCache::refresh() {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() == ".safetensors" && !known_.contains(entry.path())) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const std::filesystem::path& path : paths) {
    open_file(path);
  }
}

void ActivationCache::open_file(const std::filesystem::path& path) {
  File file;
  try {
    file.mapped = MappedFile(path);
  } catch (const InputError&) {
    return;  // removed meanwhile, or not visible in full yet: the next refresh tries again
  }
  known_.insert(path);
  try {
    file.parsed = parse_safetensors(file.mapped.bytes(), path.string());
    const auto keys = file.parsed.tensors.find(kKeys);
    if (keys == file.parsed.tensors.end() || keys->second.dtype != DType::kI64 ||
        keys->second.shape.size() != 2 || keys->second.shape[1] != 2) {
      throw InputError({.what = "no tensor `keys`", .where = path.string()});
    }
    if (!has_its_checksum(file.parsed, kKeys)) {
      throw InputError({.what = "the checksum of `keys` does not match", .where = path.string()});
    }
    const TensorView view = keys->second;
    files_.push_back(std::move(file));
    for (std::size_t row = 0; row < view.shape[0]; ++row) {
      PrefixKey key;
      std::memcpy(&key, view.data + row * sizeof key, sizeof key);
      places_.emplace(key, Place{static_cast<uint32_t>(files_.size() - 1), static_cast<uint32_t>(row)});
    }
  } catch (const Error& failure) {
    progress_.warn(fmt::format("a damaged file of the activation cache is removed: {}", failure.what()));
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
}

void ActivationCache::discard(File& file, const std::string& reason) {
  file.usable = false;
  progress_.warn(fmt::format("a damaged file of the activation cache is removed: {}: {}",
                             file.mapped.path().string(), reason));
  std::error_code ignored;
  std::filesystem::remove(file.mapped.path(), ignored);
}

/// A layer's rows are read and compared with their checksum when the first of them is asked for.
void ActivationCache::check(File& file, std::size_t layer) {
  const std::string name = layer_name(layer);
  const auto tensor = file.parsed.tensors.find(name);
  if (!file.usable || tensor == file.parsed.tensors.end() || !file.checked.insert(layer).second) return;
  const Shape expected = {file.parsed.tensors.at(kKeys).shape[0], hidden_};
  const TensorView& view = tensor->second;
  if (view.dtype != settings_.dtype || view.shape != expected) {
    return discard(file, fmt::format("tensor {} is {} {}", name, name_of(view.dtype), to_string(view.shape)));
  }
  if (!has_its_checksum(file.parsed, name))
    return discard(file, fmt::format("the checksum of {} does not match", name));
  std::error_code ignored;  // recently used: trimmed last
  std::filesystem::last_write_time(file.mapped.path(), std::filesystem::file_time_type::clock::now(),
                                   ignored);
}

/// @return the row's first number; null where no usable file has it
const std::byte* ActivationCache::find(const PrefixKey& key, std::size_t layer) const {
  const auto row_bytes = static_cast<std::size_t>(*storage_bytes(settings_.dtype, hidden_));
  const auto [begin, end] = places_.equal_range(key);
  for (auto place = begin; place != end; ++place) {
    const File& file = files_[place->second.file];
    const auto tensor = file.parsed.tensors.find(layer_name(layer));
    if (!file.usable || tensor == file.parsed.tensors.end()) continue;
    return tensor->second.data + place->second.row * row_bytes;
  }
  return nullptr;
}

void ActivationCache::read(const PrefixKey& key, std::size_t layer, std::span<float> row) const {
  const std::byte* const stored = find(key, layer);
  if (settings_.dtype == DType::kF32) {
    std::memcpy(row.data(), stored, row.size_bytes());
    return;
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    BFloat16 value;
    std::memcpy(&value, stored + i * sizeof value, sizeof value);
    row[i] = to_float(value);
  }
}

bool ActivationCache::lists(const PrefixKey& key, std::span<const std::size_t> layers) const {
  return std::all_of(layers.begin(), layers.end(),
                     [&](std::size_t layer) { return find(key, layer) != nullptr; });
}

bool ActivationCache::contains(const PrefixKey& key, std::span<const std::size_t> layers) {
  const auto [begin, end] = places_.equal_range(key);
  for (auto place = begin; place != end; ++place) {
    read_.insert(place->second.file);
    for (const std::size_t layer : layers) check(files_[place->second.file], layer);
  }
  return lists(key, layers);
}

void ActivationCache::release() {
  for (const std::size_t file : read_) release_pages(files_[file].mapped.bytes());
  read_.clear();
}

void ActivationCache::store(std::span<const PrefixKey> keys, std::span<const std::size_t> layers,
                            std::span<const MatrixView<const float>> activations) {
  if (keys.empty()) return;
  CheckedTensors file;
  file.metadata = {{"format", std::string(kActivationsFormat)}};
  file.tensors.push_back(
      {kKeys, dense_tensor(DType::kI64, keys.data(), {keys.size(), sizeof(PrefixKey) / sizeof(uint64_t)})});
  std::deque<std::vector<BFloat16>> rounded;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::span rows(activations[i].data, keys.size() * hidden_);
    const Shape shape = {keys.size(), hidden_};
    if (settings_.dtype == DType::kBF16) {
      auto& values = rounded.emplace_back(rows.size());
      std::transform(rows.begin(), rows.end(), values.begin(), to_bfloat16);
      file.tensors.push_back({layer_name(layers[i]), dense_tensor(DType::kBF16, values.data(), shape)});
    } else {
      file.tensors.push_back({layer_name(layers[i]), dense_tensor(DType::kF32, rows.data(), shape)});
    }
  }
  try {
    const std::string name = file.add_checksums();
    stored_ += file.write(folder_ / (name + ".safetensors"));
    if (!settings_.limit || stored_ < *settings_.limit / kLooksAtLimit) return;
    trim_store(settings_.store, *settings_.limit, progress_);
    stored_ = 0;
  } catch (const RunError& failure) {
    if (settings_.needed) throw;
    const ErrorDetail& detail = failure.detail();  // without the file's name: the same for every wave
    progress_.warn(fmt::format("activations are not cached: {}: {}", folder_.parent_path().string(),
                               detail.found.empty() ? detail.what : detail.found));
  }
}

}  // namespace saescope
