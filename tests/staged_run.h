#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "faults/tiny_run.h"
#include "process.h"

namespace saescope::testing_support {

/// Every output of a run, by its file's name. Of the report, what two equal runs differ in is left out: when
/// it was made, how long that took, how many prompts the store had, and the run's folder.
using Outputs = std::map<std::string, std::string>;

/// A run with every output that there is, over two tiny models and four SAEs, in a folder of its own. It is
/// done by one process, or in stages by several, which meet in a store below the folder.
class StagedRun {
 public:
  /// @param extra flags of all of its processes; of another --analysis, the outputs that it has
  /// @param copies of the thirty prompts
  explicit StagedRun(std::vector<std::string> extra = {}, int copies = 1);

  /// The flags that all processes get, without the store.
  std::vector<std::string> flags() const;
  /// One process, with a store of its own. Its outputs are taken: see take_outputs.
  Outputs whole() const;

  /// A process of a stage: "forward", "encode" or "finish". @param task empty: the flag is not given
  std::vector<std::string> command(const std::string& stage, const std::string& task,
                                   const std::vector<std::string>& extra = {}) const;
  ProcessResult run(const std::string& stage, const std::string& task,
                    const std::vector<std::string>& extra = {},
                    const std::vector<std::string>& environment = {}) const;
  /// Runs tasks of a stage, in an order that `seed` chooses; each must succeed without a word on stderr.
  void run_all(const std::string& stage, int tasks, const std::vector<std::string>& environment = {},
               unsigned seed = 1) const;
  /// Joins the parts, which must succeed, and takes the outputs.
  Outputs finish(const std::vector<std::string>& extra = {},
                 const std::vector<std::string>& environment = {}) const;

  /// What the outputs hold; they are removed, so that none is taken for another run's.
  Outputs take_outputs() const;
  /// What a process sees besides this one's environment: nothing waits for other machines' files.
  std::vector<std::string> environment(const std::vector<std::string>& more = {}) const;

  const TinyRun& files() const { return files_; }
  std::filesystem::path folder() const { return files_.folder(); }
  std::filesystem::path store() const { return folder() / "store"; }
  /// The one folder below the store's jobs.
  std::filesystem::path job() const;
  /// Files below a folder whose names begin so, in the order of their paths.
  static std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                                        const std::string& prefix = "");
  std::vector<std::filesystem::path> states() const { return files_below(store(), "state-"); }
  std::vector<std::filesystem::path> rows() const { return files_below(store(), "rows-"); }
  /// One for each wave whose activations are in the store.
  std::vector<std::filesystem::path> waves() const;

 private:
  TinyRun files_;
  std::vector<std::string> extra_;
  std::string analysis_ = "both";
};

/// The outputs of one process, which are made once for each list of flags.
const Outputs& whole_outputs(const std::vector<std::string>& extra = {}, int copies = 1);

/// The same files with the same bytes; a difference is told by its place, not by megabytes.
void expect_same_outputs(const Outputs& actual, const Outputs& expected);

/// The sum of the numbers in front of these words in a summary, over all models.
std::size_t count_in(const std::string& text, const std::string& words);

}  // namespace saescope::testing_support
