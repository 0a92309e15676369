// --report: the data in the page against the outputs of the same run. What the page makes of it is tested in
// tests/page.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/atomic_file.h"
#include "base/csv.h"
#include "golden_files.h"
#include "process.h"

namespace saescope {
namespace {

using testing_support::goldens;
using testing_support::ProcessResult;
using testing_support::run_program;
using testing_support::TemporaryFolder;
using Json = nlohmann::ordered_json;

const std::filesystem::path kFolder = goldens() / "pipeline";

std::vector<std::string> universal(const TemporaryFolder& folder, const std::string& prompts) {
  return {"--config",       (kFolder / "config.toml").string(),
          "--prompts-path", prompts,
          "--analysis",     "universal",
          "--threshold",    "0.2",
          "--no-cache",     "--universal-output",
          folder / "u.csv", "--report",
          folder / "r.html"};
}

/// The text of the element <script id="…">.
std::string element(const std::string& html, const std::string& id) {
  const std::size_t open = html.find(fmt::format("id=\"{}\">", id));
  const std::size_t begin = html.find('>', open) + 1;
  return html.substr(begin, html.find("</script>", begin) - begin);
}

Json run_of(const std::string& html) { return Json::parse(element(html, "run")); }

std::string decode_base64(const std::string& text) {
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(alphabet.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  return bytes;
}

template <typename Number>
std::vector<Number> block(const std::string& html, const Json& reference) {
  const std::string bytes = decode_base64(element(html, reference["block"]));
  std::vector<Number> numbers(bytes.size() / sizeof(Number));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(Number));
  EXPECT_EQ(numbers.size(), reference["length"].get<std::size_t>());
  return numbers;
}

TEST(Report, ItsUniversalRowsAreTheCsvs) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(universal(folder, kFolder / "prompts")).exit_code, 0);
  const std::string html = read_file(folder / "r.html");
  const auto records = parse_csv(read_file(folder / "u.csv"), "u.csv");
  const Json run = run_of(html);
  std::size_t row = 1;
  for (const Json& table : run["tables"]) {
    const auto ids = block<uint32_t>(html, table["feature_id"]);
    const auto means = block<float>(html, table["mean"]);
    const auto counts = block<uint32_t>(html, table["num_prompts"]);
    for (std::size_t i = 0; i < table["universal_rows"].get<std::size_t>(); ++i, ++row) {
      ASSERT_LT(row, records.size());
      EXPECT_EQ(records[row].fields[0], std::to_string(ids[i]));
      EXPECT_EQ(records[row].fields[1], format_float(means[i]));
      EXPECT_EQ(records[row].fields[4], std::to_string(counts[i]));
      EXPECT_EQ(records[row].fields[8], table["source"].get<std::string>());
    }
  }
  EXPECT_EQ(row, records.size());
}

TEST(Report, CountsByLabelHistogramAndDistributionAddUp) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(universal(folder, kFolder / "prompts")).exit_code, 0);
  const std::string html = read_file(folder / "r.html");
  const Json run = run_of(html);
  const std::size_t labels = run["labels"].size();
  const std::size_t bins = run["distribution_edges"].size() - 1;
  for (const Json& table : run["tables"]) {
    const auto counts = block<uint32_t>(html, table["num_prompts"]);
    const auto by_label = block<uint32_t>(html, table["label_counts"]);
    const auto distribution = block<uint32_t>(html, table["distribution"]);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const auto sum = [&](const std::vector<uint32_t>& values, std::size_t width) {
        return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(i * width),
                               values.begin() + static_cast<std::ptrdiff_t>((i + 1) * width), 0u);
      };
      EXPECT_EQ(sum(by_label, labels), counts[i]);
      EXPECT_EQ(sum(distribution, bins), counts[i]);
    }
    uint64_t features = 0;
    for (const Json& bin : table["histogram"]) features += bin["features"].get<uint64_t>();
    EXPECT_EQ(features, table["dict_size"].get<uint64_t>());
    EXPECT_EQ(table["rows"].get<std::size_t>() + table["left_out"].get<std::size_t>(),
              features - table["histogram"][0]["features"].get<uint64_t>());
  }
}

TEST(Report, StrongestPromptsOfASpecificRunAreTheCsvsAndHaveTheirTokens) {
  const TemporaryFolder folder;
  ASSERT_EQ(
      run_program({"--config", (kFolder / "config.toml").string(), "--prompts-path",
                   (kFolder / "prompts").string(), "--analysis", "specific", "--features-csv",
                   (kFolder / "features.csv").string(), "--specific-output", folder / "s.csv", "--no-cache",
                   "--token-activations", folder / "t.jsonl", "--report", folder / "r.html"})
          .exit_code,
      0);
  const std::string html = read_file(folder / "r.html");
  const Json run = run_of(html);
  std::map<std::string, float> strongest;  // by source, token, feature and label
  const auto records = parse_csv(read_file(folder / "s.csv"), "s.csv");
  for (std::size_t i = 1; i < records.size(); ++i) {
    const auto& f = records[i].fields;
    float& value = strongest[fmt::format("{} {} {} {}", f[5], f[6], f[3], f[2])];
    value = std::max(value, std::stof(f[4]));
  }
  std::size_t compared = 0;
  std::size_t with_tokens = 0;
  for (const Json& table : run["tables"]) {
    EXPECT_FALSE(table["all_features"].get<bool>());
    const auto ids = block<uint32_t>(html, table["feature_id"]);
    const auto values = block<float>(html, table["strongest_values"]);
    const auto per_label = run["strongest_per_label"].get<std::size_t>();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      for (std::size_t label = 0; label < run["labels"].size(); ++label, ++compared) {
        const std::string key =
            fmt::format("{} {} {} {}", table["source"].get<std::string>(), table["token"].get<std::string>(),
                        ids[i], run["labels"][label].get<std::string>());
        const float expected = strongest.at(key) > 0.01f ? strongest.at(key) : 0;
        EXPECT_EQ(values[(i * run["labels"].size() + label) * per_label], expected) << key;
      }
    }
    with_tokens += table["token_activations"].size();
  }
  EXPECT_GT(compared, 20u);
  EXPECT_GT(with_tokens, 20u);
  for (const Json& tokenized : run["tokenized"]) EXPECT_GT(tokenized["tokens"].size(), 5u);
}

TEST(Report, TextsOfPromptsAndLabelsCannotEndTheirElement) {
  const TemporaryFolder folder;
  std::ofstream(folder / "p.jsonl")
      << R"({"content": "</script><script>alert(1)</script> <!-- \u2028", "label": "</SCRIPT>"})"
      << "\n"
      << R"({"content": "two", "label": "b"})"
      << "\n";
  ASSERT_EQ(run_program(universal(folder, folder / "p.jsonl")).exit_code, 0);
  const std::string html = read_file(folder / "r.html");
  EXPECT_THAT(element(html, "run"), ::testing::Not(::testing::HasSubstr("<")));
  EXPECT_EQ(run_of(html)["labels"][0], "</SCRIPT>");
  EXPECT_THAT(html, ::testing::Not(::testing::HasSubstr("alert(1)</script>")));
}

TEST(Report, NeedsNoLabelsAndChangesNoOtherOutput) {
  const TemporaryFolder folder;
  std::ofstream(folder / "p.jsonl") << R"({"content": "one"})"
                                    << "\n"
                                    << R"({"content": "two"})"
                                    << "\n";
  auto arguments = universal(folder, folder / "p.jsonl");
  ASSERT_EQ(run_program(arguments).exit_code, 0);
  EXPECT_TRUE(run_of(read_file(folder / "r.html"))["tables"][0]["contrast"].is_null());
  const std::string with_report = read_file(folder / "u.csv");
  arguments.resize(arguments.size() - 2);
  ASSERT_EQ(run_program(arguments).exit_code, 0);
  EXPECT_EQ(read_file(folder / "u.csv"), with_report);
}

}  // namespace
}  // namespace saescope
