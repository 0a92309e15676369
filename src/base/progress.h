#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

namespace saescope {

/// How progress is shown on stderr. `kAuto`: bars on a terminal, plain lines elsewhere. `kJson`: for
/// programs, an object on each line (JsonProgress).
enum class ProgressMode { kAuto, kBar, kPlain, kJson, kNone };

/// What a stage counts, which decides how its numbers are printed.
enum class ProgressUnit { kItems, kBytes };

/// Messages and progress for the user. Thread-safe. Stages do not nest.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void info(std::string_view message) = 0;
  /// A warning; the same text is shown once in a run.
  virtual void warn(std::string_view message) = 0;
  /// @param total 0: nobody knows
  virtual void begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) = 0;
  /// Sets the progress of the open stage to `done` of its total.
  virtual void update(uint64_t done) = 0;
  virtual void end_stage() = 0;
};

/// What every display keeps: the open stage, and which warnings were shown.
class StageProgress : public Progress {
 public:
  void info(std::string_view message) final;
  void warn(std::string_view message) final;
  void begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) final;
  void update(uint64_t done) final;
  void end_stage() final;

 protected:
  using Clock = std::chrono::steady_clock;
  enum class Moment { kBegin, kRunning, kEnd };

  /// @param quiet only warnings are shown (errors are printed by `main`) @param interval between two updates
  StageProgress(bool quiet, Clock::duration interval) : quiet_(quiet), interval_(interval) {}

  virtual void show_info(std::string_view message) = 0;
  virtual void show_warning(std::string_view message) = 0;
  /// The open stage, unless the display is quiet.
  virtual void show_stage(Moment moment) = 0;

  const std::string& stage() const { return stage_; }
  uint64_t total() const { return total_; }  ///< 0: nobody knows
  uint64_t done() const { return done_; }
  ProgressUnit unit() const { return unit_; }
  double seconds() const;  ///< since the stage began

 private:
  void show(Moment moment);

  std::mutex mutex_;
  bool quiet_;
  Clock::duration interval_;
  std::set<std::string, std::less<>> warned_;
  std::string stage_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  ProgressUnit unit_ = ProgressUnit::kItems;
  Clock::time_point started_;
  Clock::time_point shown_;
};

/// Writes to stderr.
class ConsoleProgress final : public StageProgress {
 public:
  /// @param quiet only warnings are shown
  ConsoleProgress(ProgressMode mode, bool quiet);

 private:
  void show_info(std::string_view message) override { print_line(message); }
  void show_warning(std::string_view message) override;
  void show_stage(Moment moment) override;
  void print_line(std::string_view line);

  ProgressMode mode_;
  bool bar_on_screen_ = false;
};

/// Shows nothing but keeps the warnings, for tests and benches.
class SilentProgress final : public Progress {
 public:
  void info(std::string_view) override {}
  void warn(std::string_view message) override { warnings.emplace(message); }
  void begin_stage(std::string_view, uint64_t, ProgressUnit) override {}
  void update(uint64_t) override {}
  void end_stage() override {}
  std::set<std::string, std::less<>> warnings;
};

/// "1.5 GiB", "312 MiB", "17 B".
std::string format_bytes(uint64_t bytes);
/// "0.4 s", "3 min 12 s".
std::string format_seconds(double seconds);

}  // namespace saescope
