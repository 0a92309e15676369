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

void write_message(std::string_view event, std::string_view message) {
  std::string line = fmt::format("{{\"event\": \"{}\"", event);
  append_text(line, "message", message);
  write_line(std::move(line));
}

}  // namespace

JsonProgress::JsonProgress(bool quiet) : StageProgress(quiet, kInterval) {}

void JsonProgress::show_info(std::string_view message) { write_message("info", message); }

void JsonProgress::show_warning(std::string_view message) { write_message("warning", message); }

void JsonProgress::show_stage(Moment moment) {
  const double elapsed = seconds();
  std::string line = "{\"event\": \"stage\"";
  append_text(line, "stage", stage());
  line += fmt::format(", \"done\": {}, \"total\": {}, \"unit\": \"{}\"", done(),
                      total() == 0 ? "null" : std::to_string(total()),
                      unit() == ProgressUnit::kBytes ? "bytes" : "items");
  const double rate = elapsed > 0 ? static_cast<double>(done()) / elapsed : 0;
  line += fmt::format(", \"rate\": {}, \"seconds\": {:.3f}, \"ended\": {}",
                      done() == 0 || !std::isfinite(rate) ? "null" : fmt::format("{:.3f}", rate), elapsed,
                      moment == Moment::kEnd);
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
