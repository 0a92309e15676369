#include "engine/activation_cache.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <system_error>

#include "base/atomic_file.h"
#include "base/environment.h"
#include "base/error.h"
#include "hub/digest.h"

namespace saescope {
namespace {

// Part of every folder's name: a change of the numbers or of the files' layout makes old entries unfindable.
constexpr std::string_view kFormat = "saescope activations 3";

// Of the limit, this part may be added before old files are looked for.
constexpr uint64_t kLooksAtLimit = 16;

std::string_view as_text(const void* data, std::size_t bytes) {
  return {static_cast<const char*>(data), bytes};
}

std::string layer_name(std::size_t layer) { return fmt::format("layer_{}", layer); }

/// Checksum of every tensor of a file, by name.
std::string checksum(const NamedTensors& tensors) {
  Digest digest = Digest::sha256();
  for (const auto& [name, view] : tensors) {
    digest.update(name);
    digest.update(
        as_text(view.data, static_cast<std::size_t>(*storage_bytes(view.dtype, element_count(view.shape)))));
  }
  return digest.finish();
}

template <typename T>
TensorView dense_view(DType dtype, const T* data, uint64_t rows, uint64_t cols) {
  return {dtype, {rows, cols}, {cols, 1}, reinterpret_cast<const std::byte*>(data)};
}

std::optional<std::filesystem::path> cache_root() {
  const auto cache = user_cache_folder();
  return cache ? std::optional(*cache / "activations") : std::nullopt;
}

}  // namespace

PrefixKey prefix_key(std::span<const int32_t> ids) {
  Digest digest = Digest::sha256();
  digest.update(as_text(ids.data(), ids.size_bytes()));
  const std::string hex = digest.finish();
  return {std::stoull(hex.substr(0, 16), nullptr, 16), std::stoull(hex.substr(16, 16), nullptr, 16)};
}

ActivationCache::ActivationCache(std::filesystem::path folder, std::size_t hidden, uint64_t limit,
                                 Progress& progress)
    : folder_(std::move(folder)), hidden_(hidden), limit_(limit), progress_(progress) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::filesystem::path& path : paths) open_file(path);
}

void ActivationCache::open_file(const std::filesystem::path& path) {
  try {
    File file{MappedFile(path), {}, false, true};
    file.parsed = parse_safetensors(file.mapped.bytes(), path.string());
    const auto keys = file.parsed.tensors.find("keys");
    if (keys == file.parsed.tensors.end() || keys->second.dtype != DType::kI64 ||
        keys->second.shape.size() != 2 || keys->second.shape[1] != 2) {
      throw InputError({.what = "no tensor `keys`", .where = path.string()});
    }
    const TensorView view = keys->second;
    files_.push_back(std::move(file));
    for (std::size_t row = 0; row < view.shape[0]; ++row) {
      PrefixKey key;
      std::memcpy(&key, view.data + row * sizeof key, sizeof key);
      places_[key].push_back({files_.size() - 1, row});
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

/// A file is read and compared with its checksum when its first row is asked for.
bool ActivationCache::check(File& file) {
  if (file.checked) return file.usable;
  file.checked = true;
  const auto rows = file.parsed.tensors.at("keys").shape[0];
  for (const auto& [name, view] : file.parsed.tensors) {
    if (name == "keys") continue;
    if (view.dtype != DType::kF32 || view.shape != Shape{rows, hidden_}) {
      discard(file, fmt::format("tensor {} is {} {}", name, name_of(view.dtype), to_string(view.shape)));
      return false;
    }
  }
  const auto stored = file.parsed.metadata.find("sha256");
  if (stored == file.parsed.metadata.end() || stored->second != checksum(file.parsed.tensors)) {
    discard(file, "its checksum does not match");
    return false;
  }
  std::error_code ignored;  // recently used: trimmed last
  std::filesystem::last_write_time(file.mapped.path(), std::filesystem::file_time_type::clock::now(),
                                   ignored);
  return true;
}

const float* ActivationCache::find(const PrefixKey& key, std::size_t layer) const {
  const auto places = places_.find(key);
  if (places == places_.end()) return nullptr;
  for (const Place& place : places->second) {
    const File& file = files_[place.file];
    const auto tensor = file.parsed.tensors.find(layer_name(layer));
    if (!file.usable || tensor == file.parsed.tensors.end()) continue;
    return reinterpret_cast<const float*>(tensor->second.data) + place.row * hidden_;
  }
  return nullptr;
}

bool ActivationCache::contains(const PrefixKey& key, std::span<const std::size_t> layers) {
  const auto places = places_.find(key);
  if (places == places_.end()) return false;
  for (const Place& place : places->second) check(files_[place.file]);
  return std::all_of(layers.begin(), layers.end(),
                     [&](std::size_t layer) { return find(key, layer) != nullptr; });
}

void ActivationCache::store(std::span<const PrefixKey> keys, std::span<const std::size_t> layers,
                            std::span<const MatrixView<const float>> activations) {
  if (keys.empty()) return;
  std::vector<TensorToWrite> tensors = {{"keys", dense_view(DType::kI64, keys.data(), keys.size(), 2)}};
  NamedTensors by_name = {{"keys", tensors.front().view}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    tensors.push_back(
        {layer_name(layers[i]), dense_view(DType::kF32, activations[i].data, keys.size(), hidden_)});
    by_name.emplace(tensors.back().name, tensors.back().view);
  }
  const std::string sum = checksum(by_name);
  try {
    AtomicFile file(folder_ / (sum.substr(0, 32) + ".safetensors"));
    file.write(safetensors_header(tensors, {{"sha256", sum}, {"format", std::string(kFormat)}}));
    for (const TensorToWrite& tensor : tensors) {
      const auto bytes = *storage_bytes(tensor.view.dtype, element_count(tensor.view.shape));
      file.write(as_text(tensor.view.data, static_cast<std::size_t>(bytes)));
      stored_ += bytes;
    }
    file.commit();
    if (stored_ < limit_ / kLooksAtLimit) return;
    trim_activation_cache(limit_, progress_);
    stored_ = 0;
  } catch (const RunError& failure) {
    const ErrorDetail& detail = failure.detail();  // without the file's name: the same for every wave
    progress_.warn(fmt::format("activations are not cached: {}: {}", folder_.parent_path().string(),
                               detail.found.empty() ? detail.what : detail.found));
  }
}

std::optional<std::filesystem::path> activation_cache_folder(
    const std::vector<std::shared_ptr<const MappedFile>>& model_files,
    const std::vector<std::string>& numbers) {
  const auto root = cache_root();
  if (!root) return std::nullopt;
  Digest digest = Digest::sha256();
  digest.update(fmt::format("{}\n{}\n", kFormat, fmt::join(numbers, "\n")));
  for (const auto& file : model_files) {
    struct stat status = {};
    ::stat(file->path().c_str(), &status);
    digest.update(fmt::format("{}\n{}\n{}.{:09}\n", std::filesystem::canonical(file->path()).string(),
                              status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
  }
  return *root / digest.finish().substr(0, 32);
}

void trim_activation_cache(uint64_t limit, Progress& progress) {
  struct Entry {
    std::filesystem::file_time_type used;
    std::filesystem::path path;
    uint64_t size;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  const auto root = cache_root();
  if (!root) return;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*root, error)) {
    if (!entry.is_regular_file(error)) continue;
    entries.push_back({entry.last_write_time(error), entry.path(), entry.file_size(error)});
    total += entries.back().size;
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
  uint64_t removed = 0;
  for (auto entry = entries.begin(); entry != entries.end() && total > limit; ++entry) {
    if (!std::filesystem::remove(entry->path, error)) continue;
    total -= entry->size;
    removed += entry->size;
  }
  if (removed > 0)
    progress.info(
        fmt::format("activation cache: removed {} that were used longest ago", format_bytes(removed)));
}

}  // namespace saescope
