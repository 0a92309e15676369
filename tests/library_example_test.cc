// The library asked from code (library_example.cc) finds what the command line writes.
#include <gtest/gtest.h>

#include <sstream>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/csv.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

using testing_support::goldens;
using testing_support::run_process;
using testing_support::run_program;
using testing_support::TemporaryFolder;

/// Feature ids and mean activations.
using Features = std::vector<std::pair<std::string, float>>;

TEST(LibraryExample, FindsWhatTheCommandLineWrites) {
  const std::string model = (goldens() / "tiny/qwen2_bias").string();
  const std::string saes = (goldens() / "pipeline/saes/qwen").string();
  const auto example = run_process({SAESCOPE_LIBRARY_EXAMPLE, model, saes});
  ASSERT_EQ(example.exit_code, 0) << example.err;
  Features from_code;
  std::istringstream lines(example.out);
  for (std::string id, mean; lines >> id >> mean;) from_code.emplace_back(id, std::stof(mean));

  const TemporaryFolder folder;
  write_file_atomically(folder / "tiny.toml",
                        "[models.tiny]\nmodel = \"" + model + "\"\nsae_dir = \"" + saes +
                            "\"\nsae_path = \"resid_post_layer_{layer}/trainer_{trainer}\"\ntrainer = 1\n"
                            "layers = [2]\ntokens = { newline = \"\\n\" }\n");
  write_file_atomically(
      folder / "prompts.jsonl",
      "{\"content\": \"Hello!\"}\n{\"content\": \"Who are you?\"}\n{\"content\": \"Count to ten.\"}\n");
  const auto program =
      run_program({"--config", "tiny.toml", "--prompts-path", "prompts.jsonl", "--analysis", "universal",
                   "--universal-output", "u.csv", "--threshold", "0.5", "--dtype", "fp32", "--no-cache"},
                  folder.path());
  ASSERT_EQ(program.exit_code, 0) << program.err;
  Features written;
  const auto records = parse_csv(read_file(folder / "u.csv"), "u.csv");
  for (std::size_t i = 1; i < records.size(); ++i) {
    written.emplace_back(records[i].fields[0], std::stof(records[i].fields[1]));
  }
  EXPECT_GT(written.size(), 3u);
  EXPECT_EQ(from_code, written);
}

}  // namespace
}  // namespace saescope
