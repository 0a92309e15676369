#include "cli/summary_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/process_memory.h"
#include "base/progress.h"

namespace saescope {

std::string summary_text(const OutputSummary& written, const RunSummary& run) {
  std::string text;
  std::size_t source_width = 6;
  for (const auto& row : written.rows) source_width = std::max(source_width, row.source.size());
  if (!written.rows.empty()) {
    text += fmt::format("{:<10} {:<{}} {:<10} {:>10}\n", "analysis", "source", source_width, "token", "rows");
  }
  for (const auto& row : written.rows) {
    text += fmt::format("{:<10} {:<{}} {:<10} {:>10}\n", row.analysis, row.source, source_width, row.token,
                        row.rows);
  }
  for (const std::string& file : written.files) text += fmt::format("wrote {}\n", file);
  for (const std::string& note : run.notes) text += note + "\n";
  text += fmt::format("device: {}\n", run.device);
  text += "time:";
  double total = 0;
  for (const RunSummary::Stage& stage : run.stages) {
    text += fmt::format(" {} {:.2f} s,", stage.name, stage.seconds);
    total += stage.seconds;
  }
  return text + fmt::format(" total {:.2f} s; peak memory {}\n", total, format_bytes(peak_resident_bytes()));
}

}  // namespace saescope
