#include "engine/cache_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/atomic_file.h"
#include "base/environment.h"
#include "hub/digest.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr auto kAbandoned = std::chrono::hours(7 * 24);

struct StoredFile {
  fs::file_time_type used;
  fs::path path;
  uint64_t size;
};

std::vector<StoredFile> files_below(const fs::path& folder) {
  std::vector<StoredFile> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) {
      files.push_back({entry.last_write_time(error), entry.path(), entry.file_size(error)});
    }
  }
  return files;
}

fs::path finished_mark(const fs::path& job) { return job / "finished"; }

bool is_waiting(const fs::path& job) {
  std::error_code error;
  if (fs::exists(finished_mark(job), error)) return false;
  const auto limit = fs::file_time_type::clock::now() - kAbandoned;
  const std::vector<StoredFile> files = files_below(job);
  return std::any_of(files.begin(), files.end(), [&](const StoredFile& file) { return file.used > limit; });
}

/// Empty where no job is waiting.
fs::path waiting_job(const fs::path& store) {
  std::error_code error;
  for (const auto& job : fs::directory_iterator(jobs_folder(store), error)) {
    if (is_waiting(job.path())) return job.path();
  }
  return {};
}

}  // namespace

std::optional<fs::path> usual_store() {
  const auto cache = user_cache_folder();
  return cache ? std::optional(*cache / "activations") : std::nullopt;
}

fs::path jobs_folder(const fs::path& store) { return store / "jobs"; }

void mark_finished(const fs::path& job) { write_note(finished_mark(job), ""); }

void mark_unfinished(const fs::path& job) {
  std::error_code error;
  fs::remove(finished_mark(job), error);
}

std::string places_key(const std::vector<fs::path>& files) {
  std::string key;
  for (const fs::path& file : files) {
    struct stat status = {};
    ::stat(file.c_str(), &status);
    key += fmt::format("{}\n{}\n{}.{:09}\n", fs::canonical(file).string(), status.st_size,
                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return key;
}

fs::path activations_folder(const fs::path& store, const std::string& model,
                            const std::vector<std::string>& numbers) {
  const std::string key = fmt::format("{}\n{}\n{}", kActivationsFormat, fmt::join(numbers, "\n"), model);
  return store / sha256_of(key).substr(0, 32);
}

void trim_store(const fs::path& store, uint64_t limit, Progress& progress) {
  std::vector<StoredFile> files = files_below(store);
  uint64_t total = 0;
  for (const StoredFile& file : files) total += file.size;
  if (total <= limit) return;
  if (const fs::path job = waiting_job(store); !job.empty()) {
    progress.info(fmt::format("activation cache: it has {}, but nothing is removed while {} is not finished",
                              format_bytes(total), job.string()));
    return;
  }
  std::sort(files.begin(), files.end(),
            [](const StoredFile& a, const StoredFile& b) { return a.used < b.used; });
  uint64_t removed = 0;
  std::error_code error;
  for (auto file = files.begin(); file != files.end() && total > limit; ++file) {
    if (!fs::remove(file->path, error)) continue;
    total -= file->size;
    removed += file->size;
  }
  if (removed > 0) {
    progress.info(
        fmt::format("activation cache: removed {} that were used longest ago", format_bytes(removed)));
  }
}

}  // namespace saescope
