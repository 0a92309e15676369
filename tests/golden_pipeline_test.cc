// Whole runs of the executable on the tiny models: every output field by field against the oracle's, and
// the same bytes however the work is cut.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <fstream>

#include "base/csv.h"
#include "base/usable_resources.h"
#include "golden_files.h"
#include "hub/test_bucket.h"
#include "input/gzip_testing.h"
#include "ops/cpu/kernels.h"
#include "output_comparison.h"
#include "process.h"
#include "test_device.h"

namespace saescope {
namespace {

using testing::gzipped;
using testing_support::device_arguments;
using testing_support::expect_same_csv;
using testing_support::expect_same_records;
using testing_support::goldens;
using testing_support::is_test_device_named;
using testing_support::ProcessResult;
using testing_support::read_json;
using testing_support::run_program;
using testing_support::TemporaryFolder;

const std::filesystem::path kFolder = goldens() / "pipeline";

std::string text_of(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<std::string> run_arguments(const nlohmann::json& run, const TemporaryFolder& out,
                                       const std::filesystem::path& prompts = kFolder / "prompts") {
  std::vector<std::string> arguments = {"--config",
                                        (kFolder / "config.toml").string(),
                                        "--prompts-path",
                                        prompts.string(),
                                        "--analysis",
                                        "both",
                                        "--features-csv",
                                        (kFolder / "features.csv").string(),
                                        "--universal-output",
                                        out / "universal.csv",
                                        "--specific-output",
                                        out / "specific.csv",
                                        "--record-prompts",
                                        "--dtype",
                                        "fp32",
                                        "--no-cache",
                                        "--threshold",
                                        text_of(run["threshold"]),
                                        "--activation-threshold",
                                        text_of(run["activation_threshold"]),
                                        "--trainer",
                                        text_of(run["trainer"])};
  const auto device = device_arguments();
  arguments.insert(arguments.end(), device.begin(), device.end());
  return arguments;
}

nlohmann::json runs() {
  const auto json = read_json(kFolder / "runs.json");
  return json.is_object() ? json["runs"] : json;
}

TEST(Pipeline, OutputsEqualTheOraclesFieldByField) {
  for (const auto& run : runs()) {
    const TemporaryFolder out;
    const ProcessResult result = run_program(run_arguments(run, out));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::filesystem::path expected = kFolder / run["name"].get<std::string>();
    expect_same_csv(out / "universal.csv", expected / "universal.csv");
    expect_same_csv(out / "specific.csv", kFolder / "expected" / "specific.csv");
    expect_same_records(out / "specific_activeprompts.jsonl", expected / "specific_activeprompts.jsonl");
    EXPECT_THAT(result.out, ::testing::HasSubstr("llama_trainer"));
  }
}

std::vector<std::string> read_outputs(const TemporaryFolder& out) {
  return {read_file(out / "universal.csv"), read_file(out / "specific.csv"),
          read_file(out / "specific_activeprompts.jsonl"), read_file(out / "contrast.csv")};
}

/// The outputs of a run, as bytes.
std::vector<std::string> output_bytes(std::vector<std::string> extra,
                                      const std::filesystem::path& prompts = kFolder / "prompts",
                                      const std::vector<std::string>& environment = {}) {
  const TemporaryFolder out;
  auto arguments = run_arguments(runs()[0], out, prompts);
  arguments.insert(arguments.end(), {"--contrast-output", out / "contrast.csv"});
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  const ProcessResult result = run_program(arguments, ".", environment);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return read_outputs(out);
}

/// What the environment makes the program believe of its processor.
std::vector<std::vector<std::string>> forced_processors() {
  std::vector<std::vector<std::string>> forced;
  for (const Kernels* kernels : runnable_kernels()) {
    for (const char* onednn : {"ALL", "AVX2"}) {
      forced.push_back({fmt::format("SAESCOPE_MAX_CPU_ISA={}", kernels->name),
                        fmt::format("ONEDNN_MAX_CPU_ISA={}", onednn)});
    }
  }
  return forced;
}

TEST(Pipeline, Float32GivesTheSameBytesOnEveryInstructionSet) {
  const auto expected = output_bytes({});
  for (const auto& processor : forced_processors()) {
    EXPECT_EQ(output_bytes({}, kFolder / "prompts", processor), expected)
        << processor[0] << " " << processor[1];
  }
}

/// Without units for it, bfloat16 values are multiplied by the float32 kernels: one result for all of those.
TEST(Pipeline, BFloat16GivesTheSameBytesOnEveryInstructionSetThatLacksUnitsForIt) {
  std::vector<std::vector<std::string>> results;
  for (const Kernels* kernels : runnable_kernels()) {
    results.push_back(
        output_bytes({"--dtype", "bf16"}, kFolder / "prompts",
                     {fmt::format("SAESCOPE_MAX_CPU_ISA={}", kernels->name), "ONEDNN_MAX_CPU_ISA=AVX2"}));
    EXPECT_EQ(results.back(), results.front()) << kernels->name;
  }
}

TEST(Pipeline, TheSummaryNamesTheKernelsThatRan) {
  for (const Kernels* kernels : runnable_kernels()) {
    const TemporaryFolder out;
    const ProcessResult result = run_program(run_arguments(runs()[0], out), ".",
                                             {fmt::format("SAESCOPE_MAX_CPU_ISA={}", kernels->name)});
    EXPECT_THAT(result.out, ::testing::HasSubstr(fmt::format("{} kernels", kernels->name))) << result.err;
  }
}

TEST(Pipeline, ByDefaultOneThreadRunsForEachProcessorThatTheProcessMayUse) {
  cpu_set_t allowed;
  ASSERT_EQ(::sched_getaffinity(0, sizeof allowed, &allowed), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);  // children inherit it
  const TemporaryFolder out;
  const ProcessResult result = run_program(run_arguments(runs()[0], out));
  ASSERT_EQ(::sched_setaffinity(0, sizeof allowed, &allowed), 0);
  EXPECT_THAT(result.out, ::testing::ContainsRegex(", 1 thread[^s]")) << result.err;
  if (machine_processors() == 1) return;  // nothing to explain there
  EXPECT_THAT(result.err, ::testing::HasSubstr(fmt::format("computing on 1 of this machine's {} processors",
                                                           machine_processors())));
}

TEST(Pipeline, SameBytesWhateverBatchTokensMemoryLimitAndThreads) {
  for (const char* dtype : {"fp32", "bf16"}) {
    const auto expected = output_bytes({"--dtype", dtype});
    for (const std::vector<std::string>& extra :
         {std::vector<std::string>{"--batch-tokens", "1"},
          {"--batch-tokens", "37"},
          {"--batch-tokens", "400"},
          {"--memory-limit", is_test_device_named() ? "8MiB" : "1500KiB"},
          {"--threads", "1"},
          {"--threads", "2", "--batch-tokens", "90"}}) {
      auto arguments = extra;
      arguments.insert(arguments.end(), {"--dtype", dtype});
      EXPECT_EQ(output_bytes(arguments), expected) << extra[0] << " " << extra[1];
    }
  }
}

/// The first run fills the cache, the second uses it, the third finds a part of the prompts in it.
TEST(Pipeline, SameBytesWithTheActivationCacheEmptyFullAndHalfFull) {
  const auto expected = output_bytes({});
  const TemporaryFolder cache;
  const std::vector<std::string> environment = {"XDG_CACHE_HOME=" + cache.path().string()};
  const auto run_cached = [&](const std::filesystem::path& prompts) {
    const TemporaryFolder out;
    auto arguments = run_arguments(runs()[0], out, prompts);
    arguments.insert(arguments.end(), {"--contrast-output", out / "contrast.csv"});
    std::erase(arguments, "--no-cache");
    const ProcessResult result = run_program(arguments, ".", environment);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return std::pair(result.out, read_outputs(out));
  };
  run_cached(kFolder / "prompts/a_second.jsonl");
  const auto [half_summary, half] = run_cached(kFolder / "prompts");
  EXPECT_EQ(half, expected);
  EXPECT_THAT(half_summary, ::testing::HasSubstr("from the activation cache"));
  const auto [full_summary, full] = run_cached(kFolder / "prompts");
  EXPECT_EQ(full, expected);
  EXPECT_THAT(full_summary, ::testing::HasSubstr("llama: 30 prompts"));
  EXPECT_THAT(
      full_summary,
      ::testing::HasSubstr("0 distinct prefixes computed in 1 wave; 30 prompts from the activation cache"));
}

TEST(Pipeline, TheActivationCacheStaysWithinItsLimit) {
  const TemporaryFolder cache;
  const auto bytes_kept = [&](const std::string& limit) {
    const TemporaryFolder out;
    auto arguments = run_arguments(runs()[0], out);
    std::erase(arguments, "--no-cache");
    arguments.insert(arguments.end(), {"--cache-limit", limit});
    EXPECT_EQ(run_program(arguments, ".", {"XDG_CACHE_HOME=" + cache.path().string()}).exit_code, 0);
    std::uintmax_t bytes = 0;
    for (const auto& file : std::filesystem::recursive_directory_iterator(cache.path())) {
      if (file.path().extension() == ".safetensors") bytes += file.file_size();
    }
    return bytes;
  };
  const std::uintmax_t all = bytes_kept("1MiB");
  EXPECT_GT(all, 20'000u);
  EXPECT_LE(bytes_kept("20kB"), 20'000u);
}

TEST(Pipeline, SameBytesWhereThePromptsAreSplitOverMoreFiles) {
  const auto expected = output_bytes({});
  const TemporaryFolder folder;
  int number = 0;
  for (const char* name : {"Z_first.jsonl", "a_second.jsonl"}) {
    std::string text = read_file(kFolder / "prompts" / name);
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::string file = std::to_string(1000 + number++) + ".jsonl";
      write_file_atomically(folder / file, line);
    }
  }
  EXPECT_EQ(output_bytes({}, folder.path()), expected);
}

TEST(Pipeline, AnalysesAloneGiveTheBytesOfBoth) {
  const auto both = output_bytes({});
  const TemporaryFolder out;
  const auto run = runs()[0];
  std::vector<std::string> common = {"--config",
                                     (kFolder / "config.toml").string(),
                                     "--prompts-path",
                                     (kFolder / "prompts").string(),
                                     "--dtype",
                                     "fp32",
                                     "--no-cache",
                                     "--activation-threshold",
                                     text_of(run["activation_threshold"])};
  const auto device = device_arguments();
  common.insert(common.end(), device.begin(), device.end());
  auto universal = common;
  universal.insert(universal.end(),
                   {"--analysis", "universal", "--universal-output", out / "u.csv", "--threshold",
                    text_of(run["threshold"]), "--trainer", text_of(run["trainer"])});
  auto specific = common;
  specific.insert(specific.end(),
                  {"--analysis", "specific", "--features-csv", (kFolder / "features.csv").string(),
                   "--specific-output", out / "s.csv", "--record-prompts"});
  ASSERT_EQ(run_program(universal).exit_code, 0);
  ASSERT_EQ(run_program(specific).exit_code, 0);
  EXPECT_EQ(read_file(out / "u.csv"), both[0]);
  EXPECT_EQ(read_file(out / "s.csv"), both[1]);
  EXPECT_EQ(read_file(out / "s_activeprompts.jsonl"), both[2]);
}

TEST(Pipeline, ContrastOfLabelsEqualsScipysAndStatsmodels) {
  const std::filesystem::path expected = goldens() / "contrast";
  const TemporaryFolder out;
  std::vector<std::string> arguments = run_arguments(runs()[0], out);
  arguments.insert(arguments.end(), {"--analysis", "specific", "--contrast-output", out / "rest.csv"});
  auto pair = arguments;
  arguments.insert(arguments.end(), {"--contrast-q", "1"});
  pair.insert(pair.end(),
              {"--contrast-output", out / "pair.csv", "--contrast", "short:lines", "--contrast-q", "0.5"});
  ASSERT_EQ(run_program(arguments).exit_code, 0);
  ASSERT_EQ(run_program(pair).exit_code, 0);
  expect_same_csv(out / "rest.csv", expected / "rest.csv");
  expect_same_csv(out / "pair.csv", expected / "pair.csv");
}

/// The column `name` of the rows of one feature of a CSV.
std::vector<std::string> column_of(const std::string& path, const std::string& name,
                                   const std::string& feature) {
  const auto records = parse_csv(read_file(path), path);
  const auto& header = records.front().fields;
  const auto at = static_cast<std::size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  std::vector<std::string> values;
  for (const CsvRecord& record : records) {
    if (record.fields[0] == feature) values.push_back(record.fields[at]);
  }
  return values;
}

TEST(Pipeline, DescriptionsFillTheirColumnsAndNotesOfAnEarlierOutputAreCarriedOver) {
  const TemporaryFolder out;
  // 41 of llama's layer 1 is in the universal output.
  std::ofstream(out / "chat.jsonl")
      << R"({"modelId":"llama3.1-8b-it","layer":"1-resid-post-aa","index":"41","description":"greets, politely"})"
      << "\n"
      << R"({"modelId":"llama3.1-8b-it","layer":"2-resid-post-aa","index":"41","description":"of layer 2"})"
      << "\n";
  std::ofstream(out / "pt.jsonl")
      << R"({"modelId":"elsewhere","layer":"1","index":41,"description":"no feature of this run"})"
      << "\n";
  auto arguments = run_arguments(runs()[0], out);
  arguments.insert(arguments.end(), {"--descriptions", out / "chat.jsonl", "--pt-descriptions",
                                     out / "pt.jsonl", "--models", "llama", "--layers", "1"});
  const ProcessResult first = run_program(arguments);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err,
              ::testing::HasSubstr("--pt-descriptions: no explanation is of a dictionary of this run"));
  EXPECT_THAT(column_of(out / "universal.csv", "chat_desc", "41"),
              ::testing::AllOf(::testing::Not(::testing::IsEmpty()), ::testing::Each("greets, politely")));

  // A hand-made note in that output counts more than a description.
  std::string earlier = read_file(out / "universal.csv");
  const std::size_t at = earlier.find("\"greets, politely\"");
  earlier.replace(at, std::string("\"greets, politely\"").size(), "mine");
  std::ofstream(out / "earlier.csv") << earlier;
  arguments.insert(arguments.end(), {"--features-csv", out / "earlier.csv"});
  ASSERT_EQ(run_program(arguments).exit_code, 0);
  EXPECT_EQ(read_file(out / "universal.csv"), earlier);
}

TEST(Pipeline, DescriptionsFromThePublicExportAreThoseOfItsFiles) {
  const TemporaryFolder out;
  TestBucket bucket;
  std::string lines;
  for (int feature = 0; feature < 64; ++feature) {
    lines += fmt::format(
        R"({{"modelId":"llama3.1-8b-it","layer":"1-resid-post-aa","index":"{}","description":"meaning {}"}})"
        "\n",
        feature, feature);
  }
  std::ofstream(out / "chat.jsonl") << lines;
  bucket.add("v1/llama3.1-8b-it/1-resid-post-aa/explanations/batch-0.jsonl.gz",
             gzipped(lines.substr(0, lines.size() / 2 + lines.substr(lines.size() / 2).find('\n') + 1)));
  bucket.add("v1/llama3.1-8b-it/1-resid-post-aa/explanations/batch-1.jsonl.gz",
             gzipped(lines.substr(lines.size() / 2 + lines.substr(lines.size() / 2).find('\n') + 1)));
  auto arguments = run_arguments(runs()[0], out);
  arguments.insert(arguments.end(), {"--models", "llama", "--layers", "1", "--descriptions"});
  const std::vector<std::string> environment = {"SAESCOPE_DESCRIPTIONS_URL=" + bucket.address(),
                                                "XDG_CACHE_HOME=" + out.path().string()};
  const auto run = [&](std::vector<std::string> further) {
    further.insert(further.begin(), arguments.begin(), arguments.end());
    return run_program(further, ".", environment);
  };
  const ProcessResult dry = run({"auto", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_THAT(dry.out,
              ::testing::HasSubstr("download  " + bucket.address() +
                                   "/v1/llama3.1-8b-it/1-resid-post-aa/explanations/batch-0.jsonl.gz"));
  EXPECT_TRUE(bucket.requests().empty());
  EXPECT_EQ(run({out / "chat.jsonl"}).exit_code, 0);
  const std::string expected = read_file(out / "universal.csv");
  EXPECT_THAT(expected, ::testing::HasSubstr("meaning 41"));
  EXPECT_EQ(run({"auto"}).exit_code, 0);
  EXPECT_EQ(read_file(out / "universal.csv"), expected);
  bucket.forget_requests();
  const ProcessResult offline = run({"auto", "--offline"});
  EXPECT_EQ(offline.exit_code, 0) << offline.err;
  EXPECT_EQ(read_file(out / "universal.csv"), expected);
  EXPECT_TRUE(bucket.requests().empty());
}

TEST(Pipeline, OfAnSaeThatNothingNamesNoExplanationsAreFetched) {
  const TemporaryFolder out;
  TestBucket bucket;
  auto arguments = run_arguments(runs()[0], out);
  arguments.insert(arguments.end(), {"--models", "llama", "--layers", "1", "--pt-descriptions", "auto"});
  const ProcessResult result = run_program(arguments, ".", {"SAESCOPE_DESCRIPTIONS_URL=" + bucket.address()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, ::testing::HasSubstr("pt_descriptions = \"MODEL_ID/SOURCE_ID\" in [models.llama]"));
  EXPECT_TRUE(bucket.requests().empty());
}

TEST(Pipeline, ThresholdsZeroAndOneAndAnUnreachableOne) {
  const auto count_rows = [&](const std::string& threshold, const std::string& activation_threshold) {
    const TemporaryFolder out;
    auto arguments = run_arguments(runs()[0], out);
    arguments.insert(arguments.end(),
                     {"--threshold", threshold, "--activation-threshold", activation_threshold});
    EXPECT_EQ(run_program(arguments).exit_code, 0);
    const auto records = parse_csv(read_file(out / "universal.csv"), "universal.csv");
    EXPECT_EQ(records.front().fields.front(), "feature_id");
    for (std::size_t i = 1; i < records.size(); ++i) {
      const int active = std::stoi(records[i].fields[4]);
      EXPECT_GE(active, 1);
      if (threshold == "1") {
        EXPECT_EQ(active, 30);
      }
    }
    return records.size() - 1;
  };
  const std::size_t all = count_rows("0", "0.01");
  const std::size_t everywhere = count_rows("1", "0.01");
  EXPECT_GT(all, everywhere);
  EXPECT_GT(everywhere, 0u);
  EXPECT_EQ(count_rows("0", "1e30"), 0u);
}

TEST(Pipeline, OnePromptWithQuotesNewlinesAndEmojiRoundTrips) {
  const TemporaryFolder folder;
  const std::string content = "He said \"hi\",\nthen 🦊\r\nleft\ttabs; trailing ";
  write_file_atomically(folder / "one.jsonl",
                        nlohmann::json({{"content", content}, {"label", "a,b"}}).dump() + "\n");
  auto arguments = run_arguments(runs()[0], folder, folder.path() / "one.jsonl");
  const ProcessResult result = run_program(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto records = parse_csv(read_file(folder / "specific.csv"), "specific.csv");
  ASSERT_GT(records.size(), 1u);
  EXPECT_EQ(records[1].fields[1], content);
  EXPECT_EQ(records[1].fields[2], "a,b");
}

TEST(Pipeline, LongPromptsAreAnErrorOrLeftOutWithACount) {
  const TemporaryFolder out;
  auto arguments = run_arguments(runs()[0], out);
  arguments.insert(arguments.end(), {"--max-tokens", "40"});
  const ProcessResult refused = run_program(arguments);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, ::testing::HasSubstr("too long"));
  EXPECT_FALSE(std::filesystem::exists(out / "universal.csv"));
  arguments.push_back("--skip-long");
  const ProcessResult left_out = run_program(arguments);
  EXPECT_EQ(left_out.exit_code, 0) << left_out.err;
  EXPECT_THAT(left_out.out, ::testing::HasSubstr("left out"));
}

TEST(Pipeline, BadInputLeavesEarlierOutputsAsTheyWere) {
  const TemporaryFolder out;
  write_file_atomically(out / "universal.csv", "earlier\n");
  write_file_atomically(out / "bad.csv", "feature_id,source\n999999,llama_trainer1_layer1\n");
  auto arguments = run_arguments(runs()[0], out);
  arguments.insert(arguments.end(), {"--features-csv", out / "bad.csv"});
  const ProcessResult result = run_program(arguments);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, ::testing::AllOf(::testing::HasSubstr("bad.csv"), ::testing::HasSubstr("999999")));
  EXPECT_EQ(read_file(out / "universal.csv"), "earlier\n");
}

TEST(Pipeline, DryRunSaysWhatItWouldDoAndWritesNothing) {
  const TemporaryFolder out;
  auto arguments = run_arguments(runs()[0], out);
  arguments.push_back("--dry-run");
  const ProcessResult result = run_program(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              ::testing::AllOf(::testing::HasSubstr("ae.pt"), ::testing::HasSubstr("distinct prefixes"),
                               ::testing::HasSubstr("universal.csv")));
  EXPECT_TRUE(std::filesystem::is_empty(out.path()));
}

TEST(Pipeline, ShowTokensPrintsOneJsonLineForEachModelAndPrompt) {
  const ProcessResult result = run_program({"--config", (kFolder / "config.toml").string(), "--prompts-path",
                                            (kFolder / "prompts").string(), "--show-tokens"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream lines(result.out);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto json = nlohmann::ordered_json::parse(line);
    const auto& tap = json["taps"]["newline"];
    EXPECT_EQ(json["ids"][tap["index"].get<std::size_t>()], tap["id"]);
    EXPECT_EQ(tap["index"].get<std::size_t>() + 1, json["ids"].size());
  }
  EXPECT_EQ(count, 60u);
}

}  // namespace
}  // namespace saescope
