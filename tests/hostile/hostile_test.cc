// Hand-made bad files against the whole executable: whatever a downloaded or hand-written file holds, the run
// stops in bounded time and memory with one message that names the file and the reason, and earlier outputs
// stay as they were.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "base/utf8.h"
#include "hostile/case.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

constexpr uint64_t kMostBytes = uint64_t{512} << 20;
constexpr std::size_t kLongestMessage = 4096;

void expect_bounded(const BoundedResult& result) {
  ::testing::Test::RecordProperty("peak_mib", static_cast<int>(result.peak_bytes >> 20));
  EXPECT_FALSE(result.timed_out) << "the run was killed";
  if (memory_is_meaningful()) {
    EXPECT_LE(result.peak_bytes, kMostBytes);
  }
}

/// "error: WHAT" and lines of details below it: nothing that a file could have smuggled in.
void expect_one_message(const std::string& err) {
  EXPECT_THAT(err, ::testing::MatchesRegex("error: [^\n]+\n(  [^\n]+\n)*"));
  EXPECT_LE(err.size(), kLongestMessage);
  EXPECT_EQ(find_invalid_utf8(err), std::string::npos);
  EXPECT_TRUE(std::none_of(err.begin(), err.end(), [](char c) {
    return c != '\n' && (static_cast<unsigned char>(c) < ' ' || c == '\x7F');
  })) << "control characters";
}

std::string name_of_case(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

class HostileFile : public ::testing::TestWithParam<Case> {};

TEST_P(HostileFile, StopsTheRunWithOneMessageAndNoOutput) {
  const Case& c = GetParam();
  const GoodRun good(c.file);
  for (const Edit& edit : c.also) good.apply(edit.file, edit.change);
  good.apply(c.file, c.change);
  const auto before = good.outputs();
  const BoundedResult result = good.run();
  SCOPED_TRACE(result.err.substr(0, kLongestMessage));
  expect_bounded(result);
  EXPECT_EQ(result.exit_code, c.exit_code);
  expect_one_message(result.err);
  const std::string named = c.named.empty() ? std::filesystem::path(c.file).filename().string() : c.named;
  EXPECT_THAT(result.err, ::testing::HasSubstr(named));
  EXPECT_TRUE(std::regex_search(result.err, std::regex(c.reason))) << "no " << c.reason;
  EXPECT_EQ(good.outputs(), before);
}

class OddFile : public ::testing::TestWithParam<Case> {};

TEST_P(OddFile, IsReadAllTheSame) {
  const Case& c = GetParam();
  const GoodRun good(c.file);
  for (const Edit& edit : c.also) good.apply(edit.file, edit.change);
  good.apply(c.file, c.change);
  const auto before = good.outputs();
  const BoundedResult result = good.run();
  expect_bounded(result);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(good.outputs(), before);
}

#define SAESCOPE_TABLE(Name, suite, cases) \
  INSTANTIATE_TEST_SUITE_P(Name, suite, ::testing::ValuesIn(cases), name_of_case)
SAESCOPE_TABLE(Safetensors, HostileFile, safetensors_cases());
SAESCOPE_TABLE(Shards, HostileFile, shard_cases());
SAESCOPE_TABLE(Gguf, HostileFile, gguf_cases());
SAESCOPE_TABLE(Zip, HostileFile, zip_cases());
SAESCOPE_TABLE(Pickle, HostileFile, pickle_cases());
SAESCOPE_TABLE(SaeTensors, HostileFile, tensor_cases());
SAESCOPE_TABLE(ModelConfig, HostileFile, model_config_cases());
SAESCOPE_TABLE(SaeConfig, HostileFile, sae_config_cases());
SAESCOPE_TABLE(Tokenizer, HostileFile, tokenizer_cases());
SAESCOPE_TABLE(ChatTemplate, HostileFile, chat_template_cases());
SAESCOPE_TABLE(Prompts, HostileFile, prompts_cases());
SAESCOPE_TABLE(FeaturesCsv, HostileFile, features_cases());
SAESCOPE_TABLE(Configuration, HostileFile, toml_cases());
SAESCOPE_TABLE(Numbers, HostileFile, numbers_cases());
SAESCOPE_TABLE(Harmless, OddFile, harmless_cases());
#undef SAESCOPE_TABLE

}  // namespace
}  // namespace saescope::hostile
