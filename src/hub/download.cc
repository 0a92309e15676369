#include "hub/download.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "hub/http_client.h"
#include "hub/hub_answer.h"
#include "hub/partial_file.h"
#include "hub/retry.h"

namespace saescope {
namespace {

/// A try that brought this much counts as getting on: long downloads may be cut many times.
constexpr uint64_t kRealProgress = 1 << 20;  // bytes

/// The progress's stage for one file. A resumed file counts what is still to come, so that rate and
/// time left are those of this run.
class DownloadStage {
 public:
  /// @param size 0: nobody knows
  DownloadStage(std::string name, uint64_t size, const Context& context)
      : name_(std::move(name)), size_(size), progress_(*context.progress) {}
  ~DownloadStage() { end(); }
  DownloadStage(const DownloadStage&) = delete;
  DownloadStage& operator=(const DownloadStage&) = delete;

  /// The download goes on from `offset`: the stage stays where that is no surprise.
  void start_at(uint64_t offset) {
    if (open_ && offset == position_) return;
    end();
    begin_ = position_ = offset;
    progress_.begin_stage(
        offset == 0 ? name_ : fmt::format("{} (resumed at {})", name_, format_bytes(offset)),
        size_ > offset ? size_ - offset : 0, ProgressUnit::kBytes);
    open_ = true;
  }

  void advance_to(uint64_t position) {
    position_ = position;
    progress_.update(position_ - begin_);
  }

 private:
  void end() {
    if (open_) progress_.end_stage();
    open_ = false;
  }

  std::string name_;
  uint64_t size_;
  Progress& progress_;
  uint64_t begin_ = 0;
  uint64_t position_ = 0;
  bool open_ = false;
};

void check_space(const std::filesystem::path& folder, uint64_t needed) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error || space.available >= needed) return;
  throw RunError({.what = "the disk has too little space for a download",
                  .where = folder.string(),
                  .expected = format_bytes(needed),
                  .found = format_bytes(space.available),
                  .hint = "free space, or point HF_HUB_CACHE or sae_dir at another disk"});
}

/// The error of a try that ended without a failure but before the last byte.
NetworkError early_end(const std::string& url, const HubFileInfo& expected, uint64_t found) {
  return NetworkError({.what = "the download ended early",
                       .where = url,
                       .expected = size_text(expected),
                       .found = fmt::format("only {} bytes", found),
                       .hint = "run again: what is here is kept"},
                      true);
}

void fetch_once(const RemoteBytes& file, const HubFileInfo& info, PartialFile& partial,
                DownloadStage& stage) {
  file.get(
      partial.size(),
      [&](uint64_t start) {
        if (start == 0) partial.restart();
        stage.start_at(start);
      },
      [&](std::string_view bytes) {
        partial.append(bytes);
        stage.advance_to(partial.size());
      });
  partial.end();
  if (!partial.is_complete()) throw early_end(file.url, info, partial.size());
}

}  // namespace

void download_file(const RemoteBytes& file, const HubSettings& settings, const HubFileInfo& info,
                   const DownloadPaths& paths, const Context& context) {
  PartialFile partial(paths.incomplete, info, context);
  if (info.size) check_space(paths.incomplete.parent_path(), *info.size - partial.size());
  DownloadStage stage(file.name, info.size.value_or(0), context);
  Retry retry(settings, context);
  while (!partial.is_complete()) {
    const uint64_t before = partial.size();
    try {
      fetch_once(file, info, partial, stage);
    } catch (const NetworkError& error) {
      if (partial.size() >= before + kRealProgress) retry.reset();
      retry.wait_or_rethrow(error);
    }
  }
  partial.commit(paths.destination);
}

}  // namespace saescope
