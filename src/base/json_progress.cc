#include "base/json_progress.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "base/json_text.h"

namespace saescope {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

/// `"KEY": TEXT`, with a comma in front.
void append_text(std::string& line, std::string_view key, std::string_view text) {
  line += fmt::format(", \"{}\": ", key);
  append_json_string(line, printable(text));
}

/// Whole at once, so that lines of several threads and a reader's buffer do not mix.
void write_line(std::string line) {
  line += "}\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void JsonProgress::info(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (quiet_) return;
  std::string line = "{\"event\": \"info\"";
  append_text(line, "message", message);
  write_line(std::move(line));
}

void JsonProgress::warn(std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (!warned_.emplace(message).second) return;
  std::string line = "{\"event\": \"warning\"";
  append_text(line, "message", message);
  write_line(std::move(line));
}

void JsonProgress::begin_stage(std::string_view name, uint64_t total, ProgressUnit unit) {
  const std::lock_guard lock(mutex_);
  stage_ = name;
  total_ = total;
  done_ = 0;
  unit_ = unit;
  started_ = Clock::now();
  write_stage(false);
}

void JsonProgress::update(uint64_t done) {
  const std::lock_guard lock(mutex_);
  done_ = done;
  if (Clock::now() - written_ >= kInterval) write_stage(false);
}

void JsonProgress::end_stage() {
  const std::lock_guard lock(mutex_);
  write_stage(true);
}

void JsonProgress::write_stage(bool ended) {
  written_ = Clock::now();
  if (quiet_) return;
  const double seconds = std::chrono::duration<double>(written_ - started_).count();
  std::string line = "{\"event\": \"stage\"";
  append_text(line, "stage", stage_);
  line += fmt::format(", \"done\": {}, \"total\": {}, \"unit\": \"{}\"", done_,
                      total_ == 0 ? "null" : std::to_string(total_),
                      unit_ == ProgressUnit::kBytes ? "bytes" : "items");
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  line +=
      fmt::format(", \"rate\": {}, \"seconds\": {:.3f}, \"ended\": {}",
                  done_ == 0 || !std::isfinite(rate) ? "null" : fmt::format("{:.3f}", rate), seconds, ended);
  write_line(std::move(line));
}

std::string json_error_line(std::string_view kind, const ErrorDetail& detail) {
  std::string line = fmt::format("{{\"event\": \"error\", \"kind\": \"{}\"", kind);
  append_text(line, "what", detail.what);
  for (const auto& [key, text] : {std::pair{"where", &detail.where},
                                  {"expected", &detail.expected},
                                  {"found", &detail.found},
                                  {"hint", &detail.hint}}) {
    if (!text->empty()) append_text(line, key, *text);
  }
  return line + "}\n";
}

std::unique_ptr<Progress> make_progress(ProgressMode mode, bool quiet) {
  if (mode == ProgressMode::kJson) return std::make_unique<JsonProgress>(quiet);
  return std::make_unique<ConsoleProgress>(mode, quiet);
}

}  // namespace saescope
