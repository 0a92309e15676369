#include "base/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/terminal.h"

namespace saescope {
namespace {

constexpr auto kBarInterval = std::chrono::milliseconds(100);
constexpr auto kPlainInterval = std::chrono::seconds(5);

std::string format_amount(uint64_t amount, ProgressUnit unit) {
  return unit == ProgressUnit::kBytes ? format_bytes(amount) : fmt::format("{}", amount);
}

ProgressMode resolve(ProgressMode mode) {
  if (mode != ProgressMode::kAuto) return mode;
  return isatty(STDERR_FILENO) == 1 ? ProgressMode::kBar : ProgressMode::kPlain;
}

}  // namespace

std::string format_bytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string format_seconds(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

void StageProgress::info(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (!quiet_) show_info(message);
}

void StageProgress::warn(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (warned_.emplace(message).second) show_warning(message);
}

void StageProgress::begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) {
  const std::lock_guard lock(mutex_);
  stage_ = name;
  total_ = total;
  done_ = 0;
  unit_ = unit;
  started_ = Clock::now();
  show(Moment::kBegin);
}

void StageProgress::update(uint64_t done) {
  const std::lock_guard lock(mutex_);
  done_ = done;
  if (Clock::now() - shown_ >= interval_) show(Moment::kRunning);
}

void StageProgress::end_stage() {
  const std::lock_guard lock(mutex_);
  show(Moment::kEnd);
  stage_.clear();
}

void StageProgress::show(Moment moment) {
  shown_ = Clock::now();
  if (!quiet_ && !stage_.empty()) show_stage(moment);
}

double StageProgress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

ConsoleProgress::ConsoleProgress(ProgressMode mode, bool quiet)
    : StageProgress(quiet, resolve(mode) == ProgressMode::kBar ? Clock::duration(kBarInterval)
                                                               : Clock::duration(kPlainInterval)),
      mode_(resolve(mode)) {}

void ConsoleProgress::print_line(std::string_view line) {
  if (bar_on_screen_) std::fputs("\r\x1b[K", stderr);
  bar_on_screen_ = false;
  fmt::print(stderr, "{}\n", line);
}

void ConsoleProgress::show_warning(std::string_view message) {
  print_line(fmt::format("warning: {}", message));
}

void ConsoleProgress::show_stage(Moment moment) {
  if (mode_ == ProgressMode::kNone || moment == Moment::kBegin) return;
  const bool final = moment == Moment::kEnd;
  const double elapsed = seconds();
  const double share =
      total() == 0 ? 1.0 : std::min(1.0, static_cast<double>(done()) / static_cast<double>(total()));
  std::string line;
  if (final) {
    line = fmt::format("{}: {} in {}", stage(), format_amount(done(), unit()), format_seconds(elapsed));
  } else {
    line = fmt::format("{}: {}", stage(), format_amount(done(), unit()));
    if (total() > 0) line += fmt::format(" of {} ({:.0f} %)", format_amount(total(), unit()), 100 * share);
    if (done() > 0) {  // before that there is no rate to tell
      const double rate = static_cast<double>(done()) / elapsed;
      line += fmt::format(", {}/s", format_amount(static_cast<uint64_t>(rate), unit()));
      const double left = static_cast<double>(total() - std::min(done(), total())) / rate;
      if (total() > 0) line += fmt::format(", {} left", format_seconds(left));
    }
  }
  if (final || mode_ == ProgressMode::kPlain) {
    print_line(line);
    return;
  }
  constexpr int kWidth = 24;
  const int filled = static_cast<int>(share * kWidth);
  const std::string bar = fmt::format("[{}{}] {}", std::string(static_cast<std::size_t>(filled), '#'),
                                      std::string(static_cast<std::size_t>(kWidth - filled), '.'), line);
  // A line that wraps cannot be drawn over.
  const std::size_t columns = terminal_width(STDERR_FILENO).value_or(bar.size() + 1);
  fmt::print(stderr, "\r\x1b[K{}", fit_line(bar, columns - 1));
  std::fflush(stderr);
  bar_on_screen_ = true;
}

}  // namespace saescope
