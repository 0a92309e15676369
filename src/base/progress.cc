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

ConsoleProgress::ConsoleProgress(ProgressMode mode, bool quiet)
    : mode_(quiet ? ProgressMode::kNone : resolve(mode)), quiet_(quiet) {}

void ConsoleProgress::print_line(std::string_view line) {
  if (bar_on_screen_) std::fputs("\r\x1b[K", stderr);
  bar_on_screen_ = false;
  fmt::print(stderr, "{}\n", line);
}

void ConsoleProgress::info(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (!quiet_) print_line(message);
}

void ConsoleProgress::warn(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (warned_.emplace(message).second) print_line(fmt::format("warning: {}", message));
}

void ConsoleProgress::begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) {
  const std::lock_guard lock(mutex_);
  stage_ = name;
  total_ = total;
  done_ = 0;
  unit_ = unit;
  started_ = Clock::now();
  drawn_ = started_;
}

void ConsoleProgress::update(uint64_t done) {
  const std::lock_guard lock(mutex_);
  done_ = done;
  const auto now = Clock::now();
  const auto interval =
      mode_ == ProgressMode::kBar ? Clock::duration(kBarInterval) : Clock::duration(kPlainInterval);
  if (now - drawn_ < interval) return;
  drawn_ = now;
  draw(false);
}

void ConsoleProgress::end_stage() {
  const std::lock_guard lock(mutex_);
  draw(true);
  stage_.clear();
}

void ConsoleProgress::draw(bool final) {
  if (mode_ == ProgressMode::kNone || stage_.empty()) return;
  const double elapsed = std::chrono::duration<double>(Clock::now() - started_).count();
  const double share =
      total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  std::string line;
  if (final) {
    line = fmt::format("{}: {} in {}", stage_, format_amount(done_, unit_), format_seconds(elapsed));
  } else {
    line = fmt::format("{}: {}", stage_, format_amount(done_, unit_));
    if (total_ > 0) line += fmt::format(" of {} ({:.0f} %)", format_amount(total_, unit_), 100 * share);
    if (done_ > 0) {  // before that there is no rate to tell
      const double rate = static_cast<double>(done_) / elapsed;
      line += fmt::format(", {}/s", format_amount(static_cast<uint64_t>(rate), unit_));
      const double left = static_cast<double>(total_ - std::min(done_, total_)) / rate;
      if (total_ > 0) line += fmt::format(", {} left", format_seconds(left));
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
