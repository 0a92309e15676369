#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/progress.h"

namespace saescope {

/// Writes to stderr for programs: a JSON object on each line, whose key `event` says what it is.
///
/// - "stage", when it begins, ten times a second, and when it ends: `stage` (its name), `done`, `total` (or
/// null),
///   `unit` ("items" or "bytes"), `rate` (per second, or null), `seconds` since it began, `ended`
/// - "info" and "warning" (each text once): `message`
/// - "error", the last line of a run that failed: `kind` ("input", "run" or "interrupted"), `what`, and
/// `where`,
///   `expected`, `found` and `hint` where there are such
///
/// Further keys and events may come; readers pass over what they do not know.
class JsonProgress final : public StageProgress {
 public:
  /// @param quiet only warnings are written
  explicit JsonProgress(bool quiet);

 private:
  void show_info(std::string_view message) override;
  void show_warning(std::string_view message) override;
  void show_stage(Moment moment) override;
};

/// The line of JsonProgress for an error, line end included. @param kind "input", "run" or "interrupted"
std::string json_error_line(std::string_view kind, const ErrorDetail& detail);

/// What progress of this mode writes to.
std::unique_ptr<Progress> make_progress(ProgressMode mode, bool quiet);

}  // namespace saescope
