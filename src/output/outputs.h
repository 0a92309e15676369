#pragma once

#include <string>
#include <vector>

#include "engine/results.h"
#include "output/output_settings.h"

namespace saescope {

/// What was written.
struct OutputSummary {
  struct Rows {
    std::string analysis;  ///< "universal", "specific" or "contrast"
    std::string source;
    std::string token;
    uint64_t rows;
  };
  std::vector<Rows> rows;
  std::vector<std::string> files;  ///< with what they hold

  /// Names a file that was written. @param what it has `count` of, such as "rows"
  void add_file(const std::filesystem::path& path, uint64_t count, const char* what);
};

/// Makes a file's folder and tries to write there, before hours of work depend on it. @throws RunError
void check_output(const std::filesystem::path& path);

/// Writes every output of a run. None is put in place before all of them are complete on the disk.
/// @param results its activations are read from where they were set aside, and its summary gets the times
OutputSummary write_outputs(Results& results, const OutputSettings& settings, const RunDescription& run);

}  // namespace saescope
