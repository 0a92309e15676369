// Whole runs on a machine whose hub cache holds a single-file model, as `hf download` leaves it: no network,
// no token, no home folder.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "base/atomic_file.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::ProcessResult;
using testing_support::TemporaryFolder;

class OfflineRun : public ::testing::Test {
 protected:
  OfflineRun() {
    const fs::path repo = folder.path() / "hub/models--org--tiny";
    fs::create_directories(repo / "refs");
    fs::create_directories(repo / "snapshots" / commit);
    std::ofstream(repo / "refs/main") << commit;
    // The older layout, in which the template is part of the configuration.
    const fs::path model = goldens() / "sources/template_in_config";
    for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
      fs::copy_file(model / file, repo / "snapshots" / commit / file);
    }
    for (const char* file : {"config.json", "model.safetensors"}) {
      fs::copy_file(goldens() / "tiny/llama_tied" / file, repo / "snapshots" / commit / file);
    }
    std::ofstream(folder / "c.toml") << "[models.tiny]\nmodel = \"org/tiny\"\nsae_dir = \"" +
                                            (goldens() / "pipeline/saes/llama").string() +
                                            "\"\nsae_path = \"resid_post_layer_{layer}/trainer_{trainer}\"\n"
                                            "trainer = 1\nlayers = [1]\ncheck_sae = false\n"
                                            "tokens = { asst = \"assistant\" }\n";
    std::ofstream(folder / "p.jsonl") << "{\"content\": \"Hi\"}\n";
  }

  ProcessResult run(const std::vector<std::string>& flags, std::vector<std::string> environment) {
    std::vector<std::string> arguments = {"--config",       folder / "c.toml",    "--analysis",
                                          "universal",      "--universal-output", folder / "u.csv",
                                          "--prompts-path", folder / "p.jsonl",   "--no-cache"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    environment.push_back("HF_HUB_CACHE=" + (folder / "hub"));
    return testing_support::run_program(arguments, folder.path(), environment);
  }

  /// A snapshot of the repository org/saes, from which the configuration takes its SAE. @return its folder
  fs::path put_saes_into_the_cache() {
    fs::path saes = folder.path() / "hub/models--org--saes";
    const fs::path place = saes / "snapshots" / commit / "resid_post_layer_1";
    fs::create_directories(place);
    fs::copy(goldens() / "pipeline/saes/llama/resid_post_layer_1", place, fs::copy_options::recursive);
    std::string config = read_file(folder / "c.toml");
    const std::string folder_of_saes = (goldens() / "pipeline/saes/llama").string();
    config.replace(config.find(folder_of_saes), folder_of_saes.size(), folder / "none");
    std::ofstream(folder / "c.toml") << config << "sae = \"org/saes\"\n";
    return saes;
  }

  TemporaryFolder folder;
  const std::string commit = std::string(40, 'a');
};

TEST_F(OfflineRun, ACompleteCacheIsEnoughAndTheSummaryNamesTheCommit) {
  const ProcessResult result = run({"--offline"}, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("org/tiny at commit " + commit));
  EXPECT_EQ(result.err.find("warning"), std::string::npos) << result.err;
}

TEST_F(OfflineRun, SaesThatAnotherProgramDownloadedIntoTheHubCacheAreFound) {
  const fs::path saes = put_saes_into_the_cache();
  fs::create_directories(saes / "refs");
  std::ofstream(saes / "refs/main") << commit;
  const ProcessResult result = run({"--offline"}, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("SAEs org/saes at commit " + commit));
  EXPECT_FALSE(fs::exists(folder / "none"));
}

TEST_F(OfflineRun, OfSaesWithoutRefsTheOnlySnapshotIsReadWhereTheHubCannotBeAsked) {
  put_saes_into_the_cache();
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--offline"}, {}}) {
    const ProcessResult result = run(flags, {"HF_ENDPOINT=http://127.0.0.1:9", "no_proxy=127.0.0.1"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("org/saes: the cache does not say which commit"));
    EXPECT_THAT(result.out, HasSubstr("SAEs org/saes at commit " + commit));
  }
}

TEST_F(OfflineRun, AHubThatCannotBeReachedCostsOneWarning) {
  const ProcessResult result =
      run({}, {"HF_ENDPOINT=http://127.0.0.1:1", "no_proxy=*", "HF_TOKEN=hf_expired"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("count as absent"));
}

TEST_F(OfflineRun, AMissingRequiredFileIsNamedWithoutAdviceThatWasFollowed) {
  for (const char* file : {"model.safetensors", "tokenizer.json", "config.json"}) {
    fs::remove(folder.path() / "hub/models--org--tiny/snapshots" / commit / file);
    const ProcessResult offline = run({"--offline"}, {});
    EXPECT_EQ(offline.exit_code, 2);
    EXPECT_THAT(offline.err, HasSubstr(std::string("org/tiny/") + file + ": is not on this machine"));
  }
}

TEST_F(OfflineRun, AMissingRequiredFileIsAskedForWhereTheRunIsNotOffline) {
  fs::remove(folder.path() / "hub/models--org--tiny/snapshots" / commit / "model.safetensors");
  const ProcessResult result = run({}, {"HF_ENDPOINT=http://127.0.0.1:1", "no_proxy=*"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/model.safetensors: the connection failed"));
  EXPECT_EQ(result.err.find("--offline"), std::string::npos) << result.err;
}

TEST_F(OfflineRun, NeedsNoHomeFolder) { EXPECT_EQ(run({"--offline"}, {"HOME="}).exit_code, 0); }

TEST_F(OfflineRun, AnotherRevisionThanTheCachedOneIsNamed) {
  std::string config = read_file(folder / "c.toml");
  config.replace(config.find("org/tiny"), 8, "org/tiny@v2.0");
  std::ofstream(folder / "c.toml") << config;
  const ProcessResult result = run({"--offline"}, {});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("org/tiny@v2.0"));
}

}  // namespace
}  // namespace saescope
