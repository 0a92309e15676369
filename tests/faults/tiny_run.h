#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "process.h"

namespace saescope::testing_support {

/// A run of both analyses over two tiny models and four SAEs, in a folder of its own: copies of the models
/// and SAEs, so that tests may damage them, a cache, and a folder for the outputs.
class TinyRun {
 public:
  /// @param copies of the thirty prompts: more of them make the run longer
  explicit TinyRun(int copies = 1);

  /// The command, with a wave for each prompt.
  std::vector<std::string> command() const;
  /// The cache and no network: what command() is run with.
  std::vector<std::string> environment() const;
  ProcessResult run() const { return run_process(command(), ".", environment()); }

  /// The output folder's files and what they hold; hidden ones, too.
  std::map<std::string, std::string> outputs() const;
  /// Puts files of an earlier run at the outputs' places.
  void put_earlier_outputs() const;

  std::filesystem::path folder() const { return folder_.path(); }
  std::filesystem::path out() const { return folder() / "out"; }
  std::filesystem::path cache() const { return folder() / "cache"; }
  std::filesystem::path weights() const {
    return folder() / "tiny/llama_untied_rope/model-00001-of-00003.safetensors";
  }
  std::filesystem::path sae() const {
    return folder() / "pipeline/saes/llama/resid_post_layer_1/trainer_1/ae.pt";
  }
  /// One for each wave that was finished.
  std::vector<std::filesystem::path> cache_files() const;

 private:
  TemporaryFolder folder_;
};

/// What is written where nothing goes wrong, however often the prompts are repeated.
std::map<std::string, std::string> undisturbed_outputs(int copies = 1);

/// The command in front of a program that sees `folder` as a disk of its own.
/// @param options of the mount, such as "size=64k"
std::vector<std::string> on_disk(const std::string& options, const std::filesystem::path& folder,
                                 const std::vector<std::string>& command);

inline constexpr const char* kEarlier = "of an earlier run\n";

}  // namespace saescope::testing_support
