// What becomes of the paths that outputs are named: nothing that exists is destroyed, and a power cut leaves
// whole files.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <map>
#include <sstream>

#include "base/atomic_file.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_support::goldens;
using testing_support::ProcessResult;
using testing_support::run_program;
using testing_support::TemporaryFolder;

const fs::path kFolder = goldens() / "pipeline";

using Arguments = std::vector<std::string>;

class OutputFiles : public ::testing::Test {
 protected:
  Arguments universal(const Arguments& outputs) const {
    Arguments arguments = {"--config",   (kFolder / "config.toml").string(),
                           "--analysis", "universal",
                           "--models",   "llama",
                           "--no-cache", "--progress",
                           "none",       "--prompts-path",
                           prompts};
    arguments.insert(arguments.end(), outputs.begin(), outputs.end());
    return arguments;
  }
  std::string csv() const {
    run_program(universal({"--universal-output", folder / "plain.csv"}));
    return read_file(folder / "plain.csv");
  }

  TemporaryFolder folder;
  std::string prompts = (kFolder / "prompts").string();
};

TEST_F(OutputFiles, ADeviceIsWrittenThroughAndStaysADevice) {
  const ProcessResult result = run_program(universal({"--universal-output", "/dev/null"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputFiles, AFullDeviceIsAnError) {
  const ProcessResult result = run_program(universal({"--universal-output", "/dev/full"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/dev/full"));
}

TEST_F(OutputFiles, APipesReaderGetsTheWholeTable) {
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto reader = std::async(std::launch::async, [&] {
    std::ostringstream text;
    text << std::ifstream(pipe).rdbuf();
    return text.str();
  });
  EXPECT_EQ(run_program(universal({"--universal-output", pipe})).exit_code, 0);
  EXPECT_EQ(reader.get(), csv());
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(OutputFiles, StandardOutputGetsTheTableBeforeTheSummary) {
  const ProcessResult result = run_program(universal({"--universal-output", "/dev/stdout"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.substr(0, csv().size()), csv());
  EXPECT_THAT(result.out.substr(csv().size()), HasSubstr("universal"));
}

TEST_F(OutputFiles, ALinkIsFollowedAndStaysALink) {
  fs::create_directory(folder / "disk");
  fs::create_symlink("disk/table.csv", folder / "link.csv");
  fs::create_symlink("link.csv", folder / "second.csv");
  EXPECT_EQ(run_program(universal({"--universal-output", folder / "second.csv"})).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(folder / "second.csv"));
  EXPECT_TRUE(fs::is_symlink(folder / "link.csv"));
  EXPECT_EQ(read_file(folder / "disk/table.csv"), csv());
}

TEST_F(OutputFiles, ALinkToADiskThatIsNotThereIsRefused) {
  fs::create_symlink(folder / "unmounted/table.csv", folder / "link.csv");
  const ProcessResult result = run_program(universal({"--universal-output", folder / "link.csv"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_FALSE(fs::exists(folder / "unmounted"));
}

TEST_F(OutputFiles, OneThatIsAnInputUnderAnyNameIsRefusedBeforeTheRun) {
  const auto copy = [&](const fs::path& from, const std::string& name) {
    fs::copy_file(from, folder / name);
    return folder / name;
  };
  std::ofstream(folder / "prompts.jsonl") << "{\"content\": \"Hello!\"}\n";
  prompts = folder / "prompts.jsonl";
  fs::create_hard_link(folder / "prompts.jsonl", folder / "hard.csv");
  fs::create_symlink(folder / "prompts.jsonl", folder / "soft.csv");
  const std::string config = copy(kFolder / "config.toml", "config.toml");
  std::ofstream(folder / "d.jsonl") << "{}\n";
  const std::map<std::string, Arguments> cases = {
      {"--prompts-path", {"--universal-output", folder / "prompts.jsonl"}},
      {"--prompts-path ", {"--universal-output", folder / "hard.csv"}},
      {"--prompts-path  ", {"--report", folder / "soft.csv"}},
      {"--config", {"--config", config, "--universal-output", config}},
      {"--descriptions", {"--descriptions", folder / "d.jsonl", "--universal-output", folder / "d.jsonl"}},
  };
  for (const auto& [flag, outputs] : cases) {
    const ProcessResult result = run_program(universal(outputs));
    EXPECT_EQ(result.exit_code, 2) << flag;
    EXPECT_THAT(result.err, HasSubstr("name the same file")) << flag;
    EXPECT_THAT(result.err, HasSubstr(flag.substr(0, flag.find(' '))));
  }
  EXPECT_EQ(read_file(prompts), "{\"content\": \"Hello!\"}\n");
}

TEST_F(OutputFiles, OneThatIsAFileOfTheSaeTheTemplateOrAHubsSnapshotIsRefused) {
  const fs::path repo = folder.path() / "hub/models--org--tiny";
  fs::create_directories(repo / "snapshots/0123456789");
  fs::create_directories(repo / "blobs");
  fs::create_directories(repo / "refs");
  std::ofstream(repo / "refs/main") << "0123456789";
  for (const auto& file : fs::directory_iterator(goldens() / "tiny/llama_tied")) {
    const std::string name = file.path().filename().string();
    if (!file.is_regular_file()) continue;
    fs::copy_file(file.path(), repo / "blobs" / ("b" + name));
    fs::create_symlink("../../blobs/b" + name, repo / "snapshots/0123456789" / name);
  }
  fs::copy(kFolder / "saes/llama", folder / "saes", fs::copy_options::recursive);
  std::ofstream(folder / "template.txt") << "{{ messages[0]['content'] }}";
  const std::string keys =
      "model = \"org/tiny\"\nsae_dir = \"./saes\"\ntrainer = 1\nlayers = [1]\n"
      "chat_template = \"./template.txt\"\ntokens = { last = -1 }\n";
  std::ofstream(folder / "config.toml")
      << "[models.tiny]\nsae_path = \"resid_post_layer_{layer}/trainer_{trainer}\"\n"
      << keys << "[models.file]\nsae_path = \"resid_post_layer_{layer}/trainer_{trainer}/ae.pt\"\n"
      << keys;
  const std::string sae = "saes/resid_post_layer_1/trainer_1/";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"tiny", sae + "ae.pt"},
      {"file", sae + "ae.pt"},
      {"file", sae + "config.json"},
      {"tiny", "template.txt"},
      {"tiny", "hub/models--org--tiny/snapshots/0123456789/config.json"},
      {"tiny", "hub/models--org--tiny/blobs/btokenizer.json"}};
  for (const auto& [model, target] : cases) {
    const std::string before = read_file(folder / target);
    Arguments arguments = universal({"--offline", "--universal-output", folder / target});
    arguments[1] = folder / "config.toml";
    arguments[5] = model;
    const ProcessResult result =
        run_program(arguments, ".", {"HF_HUB_CACHE=" + (folder.path() / "hub").string()});
    EXPECT_EQ(result.exit_code, 2) << target;
    EXPECT_THAT(result.err, HasSubstr("name the same file")) << target;
    EXPECT_EQ(read_file(folder / target), before) << target;
  }
}

TEST_F(OutputFiles, AResultBesideTheModelMayBeReplaced) {
  fs::copy(goldens() / "tiny/llama_tied", folder / "tiny_model");
  std::ofstream(folder / "config.toml")
      << "[models.tiny]\nmodel = \"./tiny_model\"\nsae_dir = \"" + (kFolder / "saes/llama").string() +
             "\"\nsae_path = \"resid_post_layer_{layer}/trainer_{trainer}\"\n"
             "trainer = 1\nlayers = [1]\ntokens = { asst = \"assistant\" }\n";
  std::ofstream(folder / "tiny_model/u.csv") << "of an earlier run";
  Arguments arguments = universal({"--universal-output", folder / "tiny_model/u.csv"});
  arguments[1] = folder / "config.toml";
  arguments[5] = "tiny";
  const ProcessResult result = run_program(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(OutputFiles, AReaderOfAPipeThatHasSeenEnoughIsNoFailure) {
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto reader = std::async(std::launch::async, [&] {
    std::string line;
    std::ifstream file(pipe);
    std::getline(file, line);
    return line;
  });
  const ProcessResult result = run_program(
      universal({"--universal-output", pipe, "--threshold", "0", "--activation-threshold", "-1e30"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(reader.get(), HasSubstr("feature_id"));
}

TEST_F(OutputFiles, OneThatIsAFileOfTheModelIsRefused) {
  fs::copy(goldens() / "tiny/llama_tied", folder / "tiny_model");
  std::ofstream(folder / "config.toml")
      << "[models.tiny]\nmodel = \"./tiny_model\"\nsae_dir = \"" + (kFolder / "saes/llama").string() +
             "\"\nsae_path = \"resid_post_layer_{layer}/trainer_{trainer}\"\n"
             "trainer = 1\nlayers = [1]\ntokens = { asst = \"assistant\" }\n";
  const std::string target = folder / "tiny_model/config.json";
  const std::string before = read_file(target);
  Arguments arguments = universal({"--universal-output", target});
  arguments[1] = folder / "config.toml";
  arguments[5] = "tiny";
  const ProcessResult result = run_program(arguments);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("the model name the same file"));
  EXPECT_EQ(read_file(target), before);
}

TEST_F(OutputFiles, TwoOutputsThatAreOneFileAreRefusedButForDevices) {
  std::ofstream(folder / "a.csv") << "old";
  fs::create_hard_link(folder / "a.csv", folder / "b.html");
  const ProcessResult result =
      run_program(universal({"--universal-output", folder / "a.csv", "--report", folder / "b.html"}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(read_file(folder / "a.csv"), "old");
  EXPECT_EQ(run_program(universal({"--universal-output", "/dev/null", "--report", "/dev/null"})).exit_code,
            0);
}

TEST_F(OutputFiles, TheTableMayBeLeftOutWhereAReportOrAContrastIsWanted) {
  const ProcessResult result = run_program(universal({"--report", folder / "r.html"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(fs::exists(folder / "r.html"));
  EXPECT_EQ(run_program(universal({})).exit_code, 2);
}

TEST_F(OutputFiles, ATildeIsTheHomeFolderAsInAShell) {
  const Arguments arguments = universal({"--universal-output=~/u.csv"});
  const ProcessResult result =
      run_program(arguments, folder.path(), {"HOME=" + folder.path().string(), "XDG_CACHE_HOME="});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(read_file(folder / "u.csv"), csv());
  EXPECT_FALSE(fs::exists(folder / "~"));
}

TEST_F(OutputFiles, RecordsInThePromptsFolderAreNoPromptsOfTheNextRun) {
  fs::create_directory(folder / "prompts");
  std::ofstream(folder / "prompts/p.jsonl") << "{\"content\": \"Hello!\", \"label\": \"a\"}\n";
  const Arguments arguments = {"--config",
                               (kFolder / "config.toml").string(),
                               "--analysis",
                               "specific",
                               "--features-csv",
                               (kFolder / "features.csv").string(),
                               "--specific-output",
                               folder / "prompts/out.csv",
                               "--prompts-path",
                               folder / "prompts",
                               "--record-prompts",
                               "--activation-threshold=0",
                               "--no-cache",
                               "--token-activations",
                               folder / "prompts/tokens.jsonl"};
  const ProcessResult first = run_program(arguments);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const std::string table = read_file(folder / "prompts/out.csv");
  ASSERT_GT(fs::file_size(folder / "prompts/out_activeprompts.jsonl"), 0u);
  const ProcessResult second = run_program(arguments);
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(read_file(folder / "prompts/out.csv"), table);
  EXPECT_THAT(second.err, HasSubstr("not prompts"));
}

/// Lines "fsync INODE SIZE" and "rename INODE SIZE NAME" in the order of the calls.
TEST_F(OutputFiles, EveryByteIsOnTheDiskBeforeTheNameAndTheNameBeforeTheEnd) {
  const std::string log = folder / "calls";
  const ProcessResult result =
      run_program(universal({"--universal-output", folder / "u.csv", "--report", folder / "r.html"}), ".",
                  {std::string("LD_PRELOAD=") + SAESCOPE_CALL_RECORDER, "SAESCOPE_CALL_LOG=" + log});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::map<std::string, std::string> synced;  // inode → size at its last fsync
  std::map<std::string, int> named;
  bool folder_synced_last = false;
  std::istringstream lines(read_file(log));
  for (std::string call, inode, size; lines >> call >> inode >> size;) {
    if (call == "fsync") {
      synced[inode] = size;
      folder_synced_last = true;
      continue;
    }
    std::string name;
    lines >> name;
    EXPECT_EQ(synced[inode], size) << name << " was named before all of it was on the disk";
    ++named[fs::path(name).filename().string()];
    folder_synced_last = false;
    EXPECT_EQ(synced.size(), 2u + named.size() - 1) << "all files are complete before the first is named";
  }
  EXPECT_EQ(named, (std::map<std::string, int>{{"r.html", 1}, {"u.csv", 1}}));
  EXPECT_TRUE(folder_synced_last) << "the folder's entries are flushed too";
}

}  // namespace
}  // namespace saescope
