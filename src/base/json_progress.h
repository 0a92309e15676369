#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/progress.h"

namespace saescope {

/// Writes to stderr for programs: a JSON object on each line, whose key `event` says what it is.
///
///     {"event": "stage", "stage": NAME, "done": N, "total": N or null, "unit": "items" or "bytes", "rate":
///     per second
///      or null, "seconds": since it began, "ended": bool}           at its begin, ten times a second, at its
///      end
///     {"event": "info", "message": TEXT}
///     {"event": "warning", "message": TEXT}                          each text once
///     {"event": "error", "kind": "input", "run" or "interrupted", "what": TEXT, "where": TEXT, "expected":
///     TEXT,
///      "found": TEXT, "hint": TEXT}                                  the last line of a run that failed;
///      empty texts left out
///
/// Further keys and events may come; readers pass over what they do not know.
class JsonProgress final : public Progress {
 public:
  /// @param quiet only warnings are written
  explicit JsonProgress(bool quiet) : quiet_(quiet) {}
  void info(std::string_view message) override;
  void warn(std::string_view message) override;
  void begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) override;
  void update(uint64_t done) override;
  void end_stage() override;

 private:
  using Clock = std::chrono::steady_clock;
  void write_stage(bool ended);

  std::mutex mutex_;
  bool quiet_;
  std::set<std::string, std::less<>> warned_;
  std::string stage_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  ProgressUnit unit_ = ProgressUnit::kItems;
  Clock::time_point started_;
  Clock::time_point written_;
};

/// The line of JsonProgress for an error, line end included. @param kind "input", "run" or "interrupted"
std::string json_error_line(std::string_view kind, const ErrorDetail& detail);

/// What progress of this mode writes to.
std::unique_ptr<Progress> make_progress(ProgressMode mode, bool quiet);

}  // namespace saescope
