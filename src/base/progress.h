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

/// Writes to stderr.
class ConsoleProgress final : public Progress {
 public:
  /// @param quiet only warnings are shown (errors are printed by `main`)
  ConsoleProgress(ProgressMode mode, bool quiet);
  void info(std::string_view message) override;
  void warn(std::string_view message) override;
  void begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) override;
  void update(uint64_t done) override;
  void end_stage() override;

 private:
  using Clock = std::chrono::steady_clock;
  void print_line(std::string_view line);
  void draw(bool final);

  std::mutex mutex_;
  ProgressMode mode_;
  bool quiet_;
  std::set<std::string, std::less<>> warned_;
  std::string stage_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  ProgressUnit unit_ = ProgressUnit::kItems;
  Clock::time_point started_;
  Clock::time_point drawn_;
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
