#include "app/run_report.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "base/reporter.h"

namespace saescope {

void RunReport::add_time(const std::string& stage, double seconds) {
  const auto found =
      std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.name == stage; });
  if (found != stages.end()) {
    found->seconds += seconds;
    found->peak_bytes = peak_resident_bytes();
  } else {
    stages.push_back({stage, seconds, peak_resident_bytes()});
  }
}

void RunReport::add_file(const std::filesystem::path& path, uint64_t count, const char* what) {
  files.push_back(fmt::format("{} ({} {})", path.string(), count, what));
}

std::string RunReport::to_text() const {
  std::string text;
  std::size_t source_width = 6;
  for (const Rows& row : rows) source_width = std::max(source_width, row.source.size());
  if (!rows.empty()) {
    text += fmt::format("{:<10} {:<{}} {:<10} {:>10}\n", "analysis", "source", source_width, "token", "rows");
  }
  for (const Rows& row : rows) {
    text += fmt::format("{:<10} {:<{}} {:<10} {:>10}\n", row.analysis, row.source, source_width, row.token,
                        row.rows);
  }
  for (const std::string& file : files) text += fmt::format("wrote {}\n", file);
  for (const std::string& note : notes) text += note + "\n";
  text += fmt::format("device: {}\n", device);
  text += "time:";
  double total = 0;
  for (const Stage& stage : stages) {
    text += fmt::format(" {} {:.2f} s,", stage.name, stage.seconds);
    total += stage.seconds;
  }
  return text + fmt::format(" total {:.2f} s; peak memory {}\n", total, format_bytes(peak_resident_bytes()));
}

uint64_t peak_resident_bytes() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr uint64_t kKibi = 1024;  // Linux counts ru_maxrss in KiB
  return static_cast<uint64_t>(usage.ru_maxrss) * kKibi;
}

}  // namespace saescope
