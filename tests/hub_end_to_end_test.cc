// The Python script's "Complete Pipeline" as its user runs it first: nothing downloaded yet, no
// configuration, the two published models and their SAEs on the hub. The hub is a local one with tiny
// checkpoints in the published layout; only HF_ENDPOINT says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

#include "base/csv.h"
#include "golden_files.h"
#include "output_comparison.h"
#include "process.h"
#include "published_models.h"

namespace saescope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing_support::expect_same_csv;
using testing_support::expect_same_records;
using testing_support::goldens;
using testing_support::ProcessResult;
using testing_support::run_process;
using testing_support::TemporaryFolder;

constexpr const char* kLlama = "meta-llama/Llama-3.1-8B-Instruct";
constexpr const char* kQwen = "Qwen/Qwen2.5-7B-Instruct";
const std::filesystem::path kFolder = goldens() / "hub";

using Arguments = std::vector<std::string>;

Arguments operator+(Arguments left, const Arguments& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// The script's command, word for word.
const Arguments kCompletePipeline = {"--analysis",         "both",
                                     "--prompts-path",     "custom_prompts.jsonl",
                                     "--universal-output", "results/universal_features.csv",
                                     "--features-csv",     "existing_features.csv",
                                     "--specific-output",  "results/specific_activations.csv",
                                     "--threshold",        "0.2",
                                     "--record-prompts"};

/// A machine that never ran the program: an empty home, a /workspace of its own, and the user's two files.
class EndToEnd : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto missing = testing_support::missing_tokenizer_file()) {
      GTEST_SKIP() << "NOT TESTED: " << *missing
                   << " is missing; run tools/fetch_tokenizers.sh (needs a network once)";
    }
    testing_support::serve_published_models(hub);
    for (const char* folder : {"home", "workspace", "user"})
      std::filesystem::create_directory(machine.path() / folder);
    for (const char* file : {"custom_prompts.jsonl", "existing_features.csv"}) {
      std::filesystem::copy(kFolder / file, user() / file);
    }
    choose_workspace();
  }

  /// Runs the executable in the user's folder. Nothing of the machine that runs the tests is seen.
  ProcessResult run(const Arguments& arguments, const Arguments& environment = {}) {
    const std::string home = machine / "home";
    Arguments variables = {
        "HF_ENDPOINT=" + hub.endpoint(),           "HOME=" + home, "XDG_CACHE_HOME=" + home + "/.cache",
        "HF_HOME=" + home + "/.cache/huggingface", "no_proxy=*",   "NO_PROXY=*"};
    for (const char* unset :
         {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN",
          "HF_TOKEN_PATH", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
      variables.push_back(std::string(unset) + "=");
    }
    const bool configured = std::count(arguments.begin(), arguments.end(), "--config") > 0;
    return run_process(
        prefix_ + Arguments{SAESCOPE_EXECUTABLE} + arguments + (configured ? Arguments{} : suffix_), user(),
        variables + environment);
  }

  std::filesystem::path user() const { return machine.path() / "user"; }
  /// What the program sees as /workspace.
  std::filesystem::path workspace() const { return machine.path() / "workspace"; }
  std::filesystem::path cache() const { return machine.path() / "home/.cache"; }

  bool requested(const std::string& method, const std::string& repo, const std::string& file) const {
    for (const HubRequest& request : hub.requests()) {
      if (request.method == method && request.target.find(repo + "/") != std::string::npos &&
          request.target.ends_with("/" + file)) {
        return true;
      }
    }
    return false;
  }

  std::vector<std::string> outputs() const {
    std::vector<std::string> bytes;
    for (const char* name :
         {"universal_features.csv", "specific_activations.csv", "specific_activations_activeprompts.jsonl"}) {
      bytes.push_back(read_file(user() / "results" / name));
    }
    return bytes;
  }

  TemporaryFolder machine;
  TestHub hub;

 private:
  /// The built-in entries keep SAEs below /workspace. Where mounting is allowed the program gets one of its
  /// own; elsewhere a configuration moves `sae_dir`, and nothing else.
  void choose_workspace() {
    const Arguments own = {(testing_support::source_dir() / "tests/with_workspace.sh").string(),
                           workspace().string()};
    const ProcessResult probe = run_process(own + Arguments{SAESCOPE_EXECUTABLE, "--version"});
    if (probe.exit_code == 0) {
      prefix_ = own;
      std::cout << "built-in entries alone: /workspace is a mount of the test's own\n";
      return;
    }
    std::cout << "built-in entries but for sae_dir, set by --config: no mounting here (" << probe.err
              << ")\n";
    const std::string root = (workspace() / "sae").string();
    write_file_atomically(machine / "sae_dir.toml",
                          "[models.llama]\nsae_dir = \"" + root + "/llama-3.1-8b-instruct/saes\"\n" +
                              "[models.qwen]\nsae_dir = \"" + root + "/qwen-2.5-7b-instruct/saes\"\n");
    suffix_ = {"--config", machine / "sae_dir.toml"};
  }

  Arguments prefix_;
  Arguments suffix_;
};

/// (source, token, feature) → num_prompts of a universal CSV.
std::map<std::vector<std::string>, int> active_prompts(const std::filesystem::path& path) {
  std::map<std::vector<std::string>, int> found;
  const auto records = parse_csv(read_file(path), path.string());
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& fields = records[i].fields;
    found[{fields.at(8), fields.at(9), fields.at(0)}] = std::stoi(fields.at(4));
  }
  return found;
}

std::set<std::string> combinations(const std::filesystem::path& path, std::size_t source_column) {
  std::set<std::string> found;
  const auto records = parse_csv(read_file(path), path.string());
  for (std::size_t i = 1; i < records.size(); ++i) {
    found.insert(records[i].fields.at(source_column) + " " + records[i].fields.at(source_column + 1));
  }
  return found;
}

class CompletePipeline : public EndToEnd {
 protected:
  void expect_only_needed_shards() {
    const std::set<std::string> not_needed = {std::string(kLlama) + "3", std::string(kLlama) + "4",
                                              std::string(kQwen) + "4"};
    for (const char* repo : {kLlama, kQwen}) {
      for (const char* number : {"1", "2", "3", "4"}) {
        const std::string file = std::string("model-0000") + number + "-of-00004.safetensors";
        const bool needed = not_needed.count(std::string(repo) + number) == 0;
        EXPECT_EQ(requested("GET", repo, file), needed) << repo << " " << file;
        EXPECT_EQ(requested("HEAD", repo, file), needed) << repo << " " << file;
      }
    }
  }

  /// As huggingface_hub lays its cache out, so that transformers finds the files.
  void expect_standard_cache(const std::string& repo, const std::string& folder) {
    const std::filesystem::path root = cache() / "huggingface/hub" / folder;
    const std::string commit = hub.commit(repo);
    EXPECT_EQ(read_file(root / "refs/main"), commit);
    for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json",
                             "model.safetensors.index.json", "model-00001-of-00004.safetensors"}) {
      const std::filesystem::path link = root / "snapshots" / commit / name;
      ASSERT_TRUE(std::filesystem::is_symlink(link)) << link;
      EXPECT_EQ(std::filesystem::read_symlink(link).parent_path(), "../../blobs") << link;
      EXPECT_TRUE(std::filesystem::is_regular_file(link)) << link;
    }
  }

  void expect_saes_below_workspace() {
    for (const auto& [folder, repo] :
         {std::pair("llama-3.1-8b-instruct", "andyrdt/saes-llama-3.1-8b-instruct"),
          std::pair("qwen-2.5-7b-instruct", "andyrdt/saes-qwen2.5-7b-instruct")}) {
      for (const char* layer : {"resid_post_layer_11", "resid_post_layer_15"}) {
        const std::filesystem::path relative = std::filesystem::path(layer) / "trainer_1/ae.pt";
        EXPECT_EQ(read_file(workspace() / "sae" / folder / "saes" / relative),
                  read_file(kFolder / repo / relative));
      }
    }
  }
};

TEST_F(CompletePipeline, FromAnEmptyMachineToTheOraclesOutputs) {
  const ProcessResult result = run(kCompletePipeline + Arguments{"--dtype", "fp32"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::filesystem::path results = user() / "results";
  expect_same_csv(results / "universal_features.csv", kFolder / "expected/universal_features.csv");
  expect_same_csv(results / "specific_activations.csv", kFolder / "expected/specific_activations.csv");
  expect_same_records(results / "specific_activations_activeprompts.jsonl",
                      kFolder / "expected/specific_activations_activeprompts.jsonl");
  EXPECT_EQ(combinations(results / "universal_features.csv", 8).size(), 10U);
  EXPECT_EQ(combinations(results / "specific_activations.csv", 5).size(), 10U);

  expect_only_needed_shards();
  expect_standard_cache(kLlama, "models--meta-llama--Llama-3.1-8B-Instruct");
  expect_standard_cache(kQwen, "models--Qwen--Qwen2.5-7B-Instruct");
  expect_saes_below_workspace();
}

TEST_F(CompletePipeline, LaterRunsAskTheHubNothing) {
  const Arguments arguments = kCompletePipeline + Arguments{"--dtype", "fp32"};
  const ProcessResult first = run(arguments);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const auto expected = outputs();
  hub.forget_requests();
  const std::vector<std::pair<Arguments, Arguments>> ways = {// arguments and environment
                                                             {{}, {}},
                                                             {{"--no-cache"}, {"HF_HUB_OFFLINE=1"}},
                                                             {{"--no-cache", "--offline"}, {}}};
  for (const auto& [more, environment] : ways) {
    std::filesystem::remove_all(user() / "results");
    const ProcessResult later = run(arguments + more, environment);
    ASSERT_EQ(later.exit_code, 0) << later.err;
    EXPECT_EQ(outputs(), expected);
    EXPECT_TRUE(hub.requests().empty());
  }
}

TEST_F(CompletePipeline, TheDefaultDtypeFindsTheSameFeaturesButForBorderlineOnes) {
  const ProcessResult result = run(kCompletePipeline);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto expected = active_prompts(kFolder / "expected/universal_features.csv");
  const auto actual = active_prompts(user() / "results/universal_features.csv");
  constexpr int kBorderline = 4;  // 0.2 of 20 prompts: what a row needs
  std::size_t missing = 0;
  for (const auto& [feature, prompts] : expected) {
    if (actual.count(feature) > 0) continue;
    ++missing;
    EXPECT_LE(prompts, kBorderline + 1) << testing::PrintToString(feature);
  }
  std::size_t added = 0;
  for (const auto& [feature, prompts] : actual) {
    if (expected.count(feature) > 0) continue;
    ++added;
    EXPECT_LE(prompts, kBorderline + 1) << testing::PrintToString(feature);
  }
  std::cout << missing << " missing, " << added << " added of " << expected.size() << "\n";
  EXPECT_LT(missing + added, expected.size() / 10);
}

TEST_F(CompletePipeline, ADryRunDownloadsNoWeights) {
  const ProcessResult result = run(kCompletePipeline + Arguments{"--dry-run"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const HubRequest& request : hub.requests()) {
    if (request.method != "GET") continue;
    EXPECT_FALSE(request.target.ends_with(".safetensors") || request.target.ends_with("ae.pt"))
        << request.target;
  }
  EXPECT_THAT(
      result.out,
      AllOf(HasSubstr("meta-llama/Llama-3.1-8B-Instruct/model-00002-of-00004.safetensors"),
            HasSubstr("andyrdt/saes-qwen2.5-7b-instruct/resid_post_layer_15/trainer_1/ae.pt"),
            Not(HasSubstr("model-00004-of-00004")), HasSubstr("write results/universal_features.csv")));
  EXPECT_FALSE(std::filesystem::exists(user() / "results"));
  EXPECT_TRUE(std::filesystem::is_empty(workspace()));
}

/// A token type's place from the end of the sequence and its id.
struct Tap {
  std::size_t from_end = 0;
  int id = 0;
};

TEST_F(CompletePipeline, TokenTypesAreTheSeedsOnEveryPrompt) {
  const std::map<std::string, std::map<std::string, Tap>> expected = {
      {"llama", {{"asst", {3, 78191}}, {"endheader", {2, 128007}}, {"newline", {1, 271}}}},
      {"qwen", {{"asst", {2, 77091}}, {"newline", {1, 198}}}}};
  const ProcessResult result = run({"--prompts-path", "custom_prompts.jsonl", "--show-tokens"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = nlohmann::json::parse(line);
    const auto& ids = json["ids"];
    const auto& taps = expected.at(json["model"]);
    ASSERT_EQ(json["taps"].size(), taps.size());
    for (const auto& [name, tap] : taps) {
      EXPECT_EQ(json["taps"][name]["index"], ids.size() - tap.from_end) << line;
      EXPECT_EQ(json["taps"][name]["id"], tap.id) << line;
      EXPECT_EQ(ids[ids.size() - tap.from_end], tap.id) << line;
    }
    constexpr int kLlamaBos = 128000;
    EXPECT_EQ(std::count(ids.begin(), ids.end(), kLlamaBos), json["model"] == "llama" ? 1 : 0) << line;
  }
  EXPECT_EQ(count, 40U);
  for (const HubRequest& request : hub.requests()) EXPECT_THAT(request.target, Not(HasSubstr("safetensors")));
}

class UnusableSaeDir : public EndToEnd {
 protected:
  /// Downloads an SAE although `sae_dir` cannot be used, and finds it again.
  void expect_replaced(const std::filesystem::path& sae_dir) {
    write_file_atomically(machine / "config.toml",
                          "[models.llama]\nsae_dir = \"" + sae_dir.string() + "\"\n");
    const Arguments arguments = {"--config",           machine / "config.toml",
                                 "--prompts-path",     "custom_prompts.jsonl",
                                 "--layers",           "11",
                                 "--tokens",           "asst",
                                 "--analysis",         "universal",
                                 "--universal-output", "universal.csv"};
    const ProcessResult result = run(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("`sae_dir` of [models.llama]"), HasSubstr(sae_dir.string())));
    EXPECT_TRUE(std::filesystem::exists(cache() / "saescope/saes/llama/resid_post_layer_11/trainer_1/ae.pt"));

    hub.forget_requests();
    const ProcessResult later = run(arguments);
    EXPECT_EQ(later.exit_code, 0) << later.err;
    EXPECT_THAT(later.err, Not(HasSubstr("sae_dir"))) << "nothing is downloaded any more";
    EXPECT_TRUE(hub.requests().empty());
  }
};

TEST_F(UnusableSaeDir, BelowAFileIsReplacedWithAWarning) {
  write_file_atomically(machine / "file", "");
  expect_replaced(machine.path() / "file/saes");
}

// As a folder without permission, which nothing is to root: already asking for a file in it fails.
TEST_F(UnusableSaeDir, ThatCannotBeLookedIntoIsReplacedWithAWarning) {
  std::filesystem::create_symlink("loop", machine.path() / "loop");
  expect_replaced(machine.path() / "loop/saes");
}

}  // namespace
}  // namespace saescope
