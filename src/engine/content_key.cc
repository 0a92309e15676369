#include "engine/content_key.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "hub/digest.h"
#include "tensor/read_ahead.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = std::size_t{64} << 20;
constexpr std::size_t kHeader = std::size_t{64} << 10;
constexpr std::size_t kSample = 4096;
constexpr std::size_t kSamples = 1024;
constexpr std::size_t kHexOfSha256 = 64;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The SHA-256 that a blob of the hub's cache (`blobs/{etag}`) is called by; empty where it is none.
std::string blob_name(const fs::path& place) {
  std::error_code error;
  const fs::path file = fs::canonical(place, error);
  const std::string name = file.filename().string();
  const bool hexadecimal = name.find_first_not_of("0123456789abcdef") == std::string::npos;
  const bool is_blob = file.parent_path().filename() == "blobs" && name.size() == kHexOfSha256 && hexadecimal;
  return is_blob ? name : std::string();
}

/// Where it is noted what the file held when it looked as it does now; empty where it is not there.
fs::path note_of(const fs::path& place, const fs::path& store) {
  struct stat status = {};
  std::error_code error;
  const fs::path file = fs::canonical(place, error);
  if (error || ::stat(file.c_str(), &status) != 0) return {};
  const std::string look = fmt::format("{}\n{} {} {}.{:09} {}.{:09}", file.string(), status.st_ino,
                                       status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                                       status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
  return store / "contents" / sha256_of(look).substr(0, 32);
}

/// Chunks are read on all threads; their digests' digest names the whole.
std::string key_of_content(std::span<const std::byte> bytes, const Context& context) {
  const std::size_t chunks = (bytes.size() + kChunk - 1) / kChunk;
  std::vector<std::string> digests(chunks);
#pragma omp parallel for num_threads(context.threads) schedule(dynamic)
  for (std::size_t i = 0; i < chunks; ++i) {
    if (context.cancel->requested()) continue;
    const auto chunk = bytes.subspan(i * kChunk, std::min(kChunk, bytes.size() - i * kChunk));
    bring_in(chunk);
    digests[i] = quick_fingerprint(as_text(chunk));
    release_pages(chunk);
  }
  context.cancel->check();
  std::string all = fmt::format("{} bytes", bytes.size());
  for (const std::string& digest : digests) all += digest;
  return sha256_of(all);
}

}  // namespace

std::optional<std::string> known_content_key(const fs::path& place, const fs::path& store) {
  if (std::string blob = blob_name(place); !blob.empty()) return blob;
  const fs::path note = note_of(place, store);
  if (note.empty()) return std::nullopt;
  try {
    const std::string key = read_file(note, kHexOfSha256);
    if (key.size() == kHexOfSha256) return key;
  } catch (const InputError&) {
    // Nobody has read it yet.
  }
  return std::nullopt;
}

std::string content_key(const MappedFile& file, const fs::path& place, const fs::path& store,
                        const Context& context) {
  if (auto known = known_content_key(place, store)) return *std::move(known);
  const fs::path note = note_of(place, store);
  std::string key = key_of_content(file.bytes(), context);
  file.require_unchanged();
  try {
    if (!note.empty()) write_note(note, key);
  } catch (const RunError&) {
    // The next process reads the file again.
  }
  return key;
}

std::string sampled_key(const MappedFile& file) {
  const auto bytes = file.bytes();
  if (bytes.size() <= kChunk) return sha256_of(as_text(bytes));
  const SinglePages pages(bytes);  // a file system that reads megabytes around each would read all of it
  Digest digest = Digest::sha256();
  digest.update(fmt::format("{}\n", bytes.size()));
  digest.update(as_text(bytes.first(std::min(kHeader, bytes.size()))));
  for (std::size_t i = 1; i <= kSamples && bytes.size() > kHeader; ++i) {
    const std::size_t end = bytes.size() * i / kSamples;
    const std::size_t begin = end > kSample ? end - kSample : 0;
    digest.update(as_text(bytes.subspan(begin, end - begin)));
  }
  release_pages(bytes);
  return digest.finish();
}

}  // namespace saescope
