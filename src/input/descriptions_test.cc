#include "input/descriptions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "input/gzip_testing.h"
#include "input/json_lines.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::gzipped;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const DescriptionKey kLlama = {"llama3.1-8b-it", "11-resid-post-aa"};
const DescriptionKey kQwen = {"qwen2.5-7b-it", "11-resid-post-aa"};

/// A line of an export; index and description as JSON.
std::string line(const DescriptionKey& source, const std::string& index, const std::string& description) {
  return R"({"modelId": ")" + source.model_id + R"(", "layer": ")" + source.layer_id + R"(", "index": )" +
         index + R"(, "description": )" + description + "}\n";
}

class DescriptionsReader : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  void put(const std::string& name, std::string_view bytes) { write_file_atomically(folder_ / name, bytes); }
  Descriptions read(std::string_view bytes, const std::string& name = "d.jsonl.gz") {
    put(name, bytes);
    return read_descriptions({folder_ / name}, {kLlama});
  }
  ErrorDetail error(std::string_view bytes) {
    put("d.jsonl", bytes);
    return path_error(folder_ / "d.jsonl");
  }
  static ErrorDetail path_error(const fs::path& path) {
    try {
      read_descriptions({path}, {kLlama});
    } catch (const InputError& failure) {
      return failure.detail();
    }
    ADD_FAILURE() << "accepted " << path;
    return {};
  }

  fs::path folder_ =
      fs::path(::testing::TempDir()) /
      ("descriptions_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(DescriptionsReader, ReadsALineOfAnExport) {
  const Descriptions read_back = read(gzipped(
      R"({"modelId":"llama3.1-8b-it","layer":"11-resid-post-aa","index":"12","description":" words about rivers",)"
      R"("authorId":"x","triggeredByUserId":null,"typeName":"oai_token-act-pair","explanationModelName":"m",)"
      R"("embedding":[-0.01,2e-3,5],"meta":{"description":"inner","index":-1}})"
      "\n"));
  EXPECT_EQ(read_back.text(kLlama, 12), "words about rivers");
  EXPECT_EQ(read_back.text(kLlama, 13), "");
  EXPECT_EQ(read_back.text(kQwen, 12), "");
  EXPECT_EQ(read_back.described_features(kLlama), 1u);
  EXPECT_EQ(read_back.matched(), 1u);
}

TEST_F(DescriptionsReader, SeveralDifferentExplanationsAreJoinedInFileOrder) {
  const Descriptions read_back =
      read(line(kLlama, "1", "\"b\"") + line(kLlama, "2", "\"z\"") + line(kLlama, "1", "\"a\"") +
           line(kLlama, "1", "\" b\\n\"") + line(kLlama, "1", "\"B\""));
  EXPECT_EQ(read_back.text(kLlama, 1), "b | a | B");
  EXPECT_EQ(read_back.text(kLlama, 2), "z");
  EXPECT_EQ(read_back.matched(), 5u);
  EXPECT_EQ(read_back.described_features(kLlama), 2u);
}

TEST_F(DescriptionsReader, AnIndexIsAStringOrAnInteger) {
  // 2^53 + 1 is the first integer that a double lacks.
  const Descriptions read_back =
      read(line(kLlama, "3", "\"a\"") + line(kLlama, "\"3\"", "\"b\"") +
           line(kLlama, "9007199254740993", "\"c\"") + line(kLlama, "\"9007199254740993\"", "\"d\"") +
           line(kLlama, "9223372036854775807", "\"e\"") + line(kLlama, "0", "\"f\""));
  EXPECT_EQ(read_back.text(kLlama, 3), "a | b");
  EXPECT_EQ(read_back.text(kLlama, 9007199254740993), "c | d");
  EXPECT_EQ(read_back.text(kLlama, 9007199254740992), "");
  EXPECT_EQ(read_back.text(kLlama, INT64_MAX), "e");
  EXPECT_EQ(read_back.text(kLlama, 0), "f");
}

TEST_F(DescriptionsReader, EmptyDescriptionsAreCountedAndLeftOut) {
  const Descriptions read_back =
      read(line(kLlama, "1", "\"\"") + line(kLlama, "2", "null") + line(kLlama, "3", "\" \\n\"") +
           line(kQwen, "1", "\"\"") + line(kLlama, "1", "\"a\""));
  EXPECT_EQ(read_back.text(kLlama, 1), "a");
  EXPECT_EQ(read_back.text(kLlama, 2), "");
  EXPECT_EQ(read_back.empty(), 4u);
  EXPECT_EQ(read_back.matched(), 1u);
  EXPECT_EQ(read_back.skipped(), 0u);
}

TEST_F(DescriptionsReader, OtherSourcesAreCountedOnly) {
  const DescriptionKey other_layer = {kLlama.model_id, "15-resid-post-aa"};
  const Descriptions read_back =
      read(line(kQwen, "1", "\"a\"") + line(other_layer, "1", "\"b\"") + line(kQwen, "1", "\"c\""));
  EXPECT_EQ(read_back.matched(), 0u);
  EXPECT_EQ(read_back.skipped(), 3u);
  EXPECT_THAT(read_back.skipped_sources(), ElementsAre(Pair(other_layer, 1u), Pair(kQwen, 2u)));
  EXPECT_EQ(read_back.text(kQwen, 1), "");
  EXPECT_THAT(read_back.wanted(), ElementsAre(kLlama));
  EXPECT_EQ(read_back.described_features(kLlama), 0u);
}

TEST_F(DescriptionsReader, OnlySoManyOtherSourcesAreToldApart) {
  std::string text;
  for (int i = 0; i < 1200; ++i) text += line({"m", std::to_string(i)}, "1", "\"a\"");
  const Descriptions read_back = read(text);
  EXPECT_EQ(read_back.skipped_sources().size(), 1000u);
  EXPECT_EQ(read_back.skipped(), 1200u);
}

TEST_F(DescriptionsReader, ToleratesMarkCrlfBlankLinesAndAMissingLastLineEnd) {
  const std::string text =
      "\xEF\xBB\xBF"
      R"({"modelId":"llama3.1-8b-it","layer":"11-resid-post-aa","index":1,"description":"caf\u00e9"})"
      "\r\n\r\n \t\n"
      R"({"modelId":"llama3.1-8b-it","layer":"11-resid-post-aa","index":2,"description":"b"})";
  for (const std::string& bytes : {text, gzipped(text)}) {
    const Descriptions read_back = read(bytes);
    EXPECT_EQ(read_back.text(kLlama, 1), "caf\xC3\xA9");
    EXPECT_EQ(read_back.text(kLlama, 2), "b");
  }
}

TEST_F(DescriptionsReader, TheContentTellsWhetherAFileIsCompressed) {
  const std::string text = line(kLlama, "1", "\"a\"");
  for (const char* name : {"d.jsonl", "d.jsonl.gz", "d"}) {
    EXPECT_EQ(read(text, name).text(kLlama, 1), "a") << name;
    EXPECT_EQ(read(gzipped(text), name).text(kLlama, 1), "a") << name;
  }
}

TEST_F(DescriptionsReader, ALineMayReachIntoTheNextMember) {
  const std::string text = line(kLlama, "1", "\"a\"") + line(kLlama, "2", "\"b\"");
  const Descriptions read_back = read(gzipped(text.substr(0, 30)) + gzipped(text.substr(30)));
  EXPECT_EQ(read_back.text(kLlama, 1), "a");
  EXPECT_EQ(read_back.text(kLlama, 2), "b");
}

TEST_F(DescriptionsReader, ATruncatedFileIsAnErrorThoughItsLinesAreWhole) {
  const std::string packed = gzipped(line(kLlama, "1", "\"a\""));
  const ErrorDetail detail = error(packed.substr(0, packed.size() - 8));
  EXPECT_EQ(detail.what, "the compressed file ends too early");
  EXPECT_THAT(detail.where, EndsWith("d.jsonl"));
}

TEST_F(DescriptionsReader, AWrongChecksumIsAnError) {
  std::string packed = gzipped(line(kLlama, "1", "\"a\""));
  packed[packed.size() - 5] = static_cast<char>(packed[packed.size() - 5] ^ 0x10);
  EXPECT_EQ(error(packed).what, "the compressed file is damaged");
}

TEST_F(DescriptionsReader, ReadsAFoldersOwnFilesInByteOrderOfTheirNames) {
  put("b.jsonl", line(kLlama, "1", "\"3\""));
  put("a.jsonl.gz", gzipped(line(kLlama, "1", "\"2\"")));
  put("B.jsonl", line(kLlama, "1", "\"1\""));
  put("batch-10.jsonl.gz", gzipped(line(kLlama, "1", "\"4\"")));
  put("notes.txt", "not read");
  put("other.gz", "not read");
  put(".hidden.jsonl", "not read");
  put("below/c.jsonl", "not read");
  EXPECT_EQ(read_descriptions({folder_}, {kLlama}).text(kLlama, 1), "1 | 2 | 3 | 4");
}

TEST_F(DescriptionsReader, MissingPathsAndEmptyFoldersAreErrors) {
  EXPECT_EQ(path_error(folder_ / "gone").what, "there are no descriptions at this path");
  put("notes.txt", "x");
  const ErrorDetail detail = path_error(folder_);
  EXPECT_EQ(detail.what, "the folder holds no descriptions");
  EXPECT_EQ(detail.expected, "at least one file *.jsonl or *.jsonl.gz");
  EXPECT_EQ(path_error("/dev/null").what, "is not a file of descriptions");
}

TEST_F(DescriptionsReader, AFileWithoutExplanationsIsNamed) {
  put("a.jsonl", line(kLlama, "1", "\"a\""));
  for (const std::string& bytes : {std::string(), std::string("\n \r\n"), gzipped(""), gzipped("\n")}) {
    put("b.jsonl.gz", bytes);
    const ErrorDetail detail = path_error(folder_);
    EXPECT_EQ(detail.what, "there is no explanation in it");
    EXPECT_THAT(detail.where, EndsWith("b.jsonl.gz"));
  }
}

struct BadExplanation {
  const char* name;
  const char* line;
  const char* what;
  const char* found;
};

class BadExplanationLine : public DescriptionsReader, public ::testing::WithParamInterface<BadExplanation> {};

TEST_P(BadExplanationLine, IsAnErrorWithFileLineAndReason) {
  const std::string text = line(kLlama, "1", "\"fine\"") + GetParam().line + "\n";
  for (const std::string& bytes : {text, gzipped(text)}) {
    const ErrorDetail detail = error(bytes);
    EXPECT_THAT(detail.where, EndsWith("d.jsonl:2"));
    EXPECT_EQ(detail.what, GetParam().what);
    EXPECT_THAT(detail.found, HasSubstr(GetParam().found));
    EXPECT_NE(detail.expected, "");
  }
}

constexpr auto kNoJson = "the line is not valid JSON";
constexpr auto kNoObject = "the line is not a JSON object";
constexpr auto kNoModel = "the explanation names no model";
constexpr auto kNoLayer = "the explanation names no source";
constexpr auto kNoIndex = "the explanation's index is not a feature";
constexpr auto kNoText = "the explanation has no description";

INSTANTIATE_TEST_SUITE_P(
    All, BadExplanationLine,
    ::testing::Values(
        BadExplanation{"Text", "hello", kNoJson, "invalid literal"},
        BadExplanation{"CutOff", R"({"modelId":"m","lay)", kNoJson, "missing closing quote"},
        BadExplanation{"TwoObjects", R"({} {})", kNoJson, "(byte 4)"},
        BadExplanation{"List", R"([{"modelId":"m"}])", kNoObject, "a list"},
        BadExplanation{"NoModel", R"({"layer":"s","index":1,"description":"a"})", kNoModel, "nothing"},
        BadExplanation{"NumberModel", R"({"modelId":1,"layer":"s","index":1,"description":"a"})", kNoModel,
                       "a number"},
        BadExplanation{"EmptyModel", R"({"modelId":"","layer":"s","index":1,"description":"a"})", kNoModel,
                       "\"\""},
        BadExplanation{"NoLayer", R"({"modelId":"m","index":1,"description":"a"})", kNoLayer, "nothing"},
        BadExplanation{"NumberLayer", R"({"modelId":"m","layer":11,"index":1,"description":"a"})", kNoLayer,
                       "a number"},
        BadExplanation{"NoIndex", R"({"modelId":"m","layer":"s","description":"a"})", kNoIndex, "nothing"},
        BadExplanation{"NullIndex", R"({"modelId":"m","layer":"s","index":null,"description":"a"})", kNoIndex,
                       "null"},
        BadExplanation{"NegativeIndex", R"({"modelId":"m","layer":"s","index":-1,"description":"a"})",
                       kNoIndex, "-1"},
        BadExplanation{"FractionalIndex", R"({"modelId":"m","layer":"s","index":1.5,"description":"a"})",
                       kNoIndex, "1.5"},
        BadExplanation{"ExponentIndex", R"({"modelId":"m","layer":"s","index":1e3,"description":"a"})",
                       kNoIndex, "1e3"},
        BadExplanation{"HugeIndex",
                       R"({"modelId":"m","layer":"s","index":9223372036854775808,"description":"a"})",
                       kNoIndex, "9223372036854775808"},
        BadExplanation{"NegativeStringIndex", R"({"modelId":"m","layer":"s","index":"-0","description":"a"})",
                       kNoIndex, "\"-0\""},
        BadExplanation{"EmptyStringIndex", R"({"modelId":"m","layer":"s","index":"","description":"a"})",
                       kNoIndex, "\"\""},
        BadExplanation{"WordIndex", R"({"modelId":"m","layer":"s","index":"7 ","description":"a"})", kNoIndex,
                       "\"7 \""},
        BadExplanation{"NoDescription", R"({"modelId":"m","layer":"s","index":1})", kNoText, "nothing"},
        BadExplanation{"NumberDescription", R"({"modelId":"m","layer":"s","index":1,"description":5})",
                       kNoText, "a number"},
        BadExplanation{"LastKeyCounts",
                       R"({"modelId":"m","layer":"s","index":1,"description":"a","index":[1]})", kNoIndex,
                       "a list"},
        BadExplanation{"Latin1", "{\"modelId\":\"caf\xE9\"}", "the line is not valid UTF-8", "byte 0xE9"}),
    [](const auto& test) { return test.param.name; });

TEST_F(DescriptionsReader, ANulByteDoesNotHideWhatFollows) {
  const ErrorDetail detail = error(std::string("{}\0 x\n", 6));
  EXPECT_EQ(detail.what, kNoJson);
  EXPECT_THAT(detail.found, HasSubstr("a NUL byte at byte 3"));
}

TEST_F(DescriptionsReader, IdsHaveALongestLength) {
  EXPECT_NO_THROW(read(line({std::string(256, 'm'), "s"}, "1", "\"a\"")));
  EXPECT_EQ(error(line({std::string(257, 'm'), "s"}, "1", "\"a\"")).what, kNoModel);
}

TEST_F(DescriptionsReader, LongLinesAreReadAndLongerOnesRefused) {
  const std::string start =
      R"({"modelId":"llama3.1-8b-it","layer":"11-resid-post-aa","index":1,"description":"a","x":")";
  EXPECT_EQ(read(gzipped(start + std::string(4'000'000, 'x') + "\"}\n")).text(kLlama, 1), "a");
  const std::string long_line = start + std::string(kLongestJsonLine, 'x') + "\"}\n";
  EXPECT_EQ(error(long_line).what, "the line is too long");
  EXPECT_EQ(error(gzipped(long_line)).what, "the line is too long");
}

TEST_F(DescriptionsReader, AFeaturesTextIsAtMostAMebibyte) {
  const std::string half(std::size_t{512} << 10, 'x');
  const std::string first = line(kLlama, "1", '"' + half + '"');
  const std::string fits = line(kLlama, "1", '"' + half.substr(3) + '"');
  EXPECT_EQ(read(first + fits).text(kLlama, 1).size(), std::size_t{1} << 20);
  const ErrorDetail detail = error(first + line(kLlama, "1", '"' + half.substr(2) + '"'));
  EXPECT_EQ(detail.what, "a feature's descriptions are too long");
  EXPECT_THAT(detail.where, EndsWith("d.jsonl:2"));
}

TEST(Descriptions, KeepsToItsLimits) {
  Descriptions descriptions({kLlama}, {.text_bytes = 1000, .explanations = 2, .total_bytes = 700});
  descriptions.add({kLlama, 1, "a"});
  descriptions.add({kLlama, 1, "b"});
  descriptions.add({kLlama, 1, "a"});
  EXPECT_THROW(descriptions.add({kLlama, 1, "c"}), InputError);
  EXPECT_EQ(descriptions.text(kLlama, 1), "a | b");
  // What is skipped takes nothing of the total, and neither does what is known.
  for (int i = 0; i < 100; ++i) descriptions.add({kQwen, i, std::string(100, 'x')});
  EXPECT_THROW(descriptions.add({kLlama, 2, std::string(600, 'x')}), InputError);
  descriptions.add({kLlama, 3, std::string(200, 'x')});
}

TEST(Descriptions, AppendingNamesTheLineThatIsBeyondALimit) {
  Descriptions descriptions({kLlama}, {.text_bytes = 1000, .explanations = 1, .total_bytes = 1000});
  std::istringstream in("\n" + line(kLlama, "1", "\"a\"") + line(kLlama, "1", "null") +
                        line(kLlama, "1", "\"b\""));
  try {
    append_descriptions(in, "e.jsonl", descriptions);
    ADD_FAILURE() << "accepted";
  } catch (const InputError& failure) {
    EXPECT_EQ(failure.detail().what, "a feature has too many descriptions");
    EXPECT_EQ(failure.detail().where, "e.jsonl:4");
  }
}

TEST(Descriptions, AppendingReturnsTheNumberOfExplanations) {
  Descriptions descriptions({kLlama});
  std::istringstream in(line(kLlama, "1", "\"a\"") + "\n" + line(kQwen, "1", "null") +
                        line(kQwen, "1", "\"b\""));
  EXPECT_EQ(append_descriptions(in, "e.jsonl", descriptions), 3u);
  EXPECT_EQ(descriptions.matched() + descriptions.empty() + descriptions.skipped(), 3u);
  std::istringstream nothing("\n");
  EXPECT_EQ(append_descriptions(nothing, "e.jsonl", descriptions), 0u);
}

TEST(KeyOfLink, TakesTheTwoSegmentsBeforeTheFeature) {
  const auto key = key_of_link("https://www.neuronpedia.org/llama3.1-8b-it/11-resid-post-aa/{feature_id}");
  EXPECT_EQ(key, kLlama);
  EXPECT_EQ(key_of_link("http://host/deep/path/m/s-3/{feature_id}?embed=true"), (DescriptionKey{"m", "s-3"}));
  EXPECT_EQ(key_of_link("https://host:80/m0/s/{feature_id}/"), (DescriptionKey{"m0", "s"}));
  EXPECT_EQ(key_of_link("https://h/m/s/{feature_id}#{feature_id}"), (DescriptionKey{"m", "s"}));
}

TEST(KeyOfLink, LinksOfAnotherShapeHaveNone) {
  for (const char* link :
       {"", "{feature_id}", "m/s/{feature_id}", "https://host/{feature_id}", "https://host/s/{feature_id}",
        "https://{feature_id}", "https://host/m//{feature_id}", "https://host//s/{feature_id}",
        "https://host/m/s/feature-{feature_id}", "https://host/m/s/{feature_id}.html", "https://host/m/s/7",
        "https://host/?model=/m/s/{feature_id}", "https://host/a#/m/s/{feature_id}",
        "https://host/m/{source}/{feature_id}", "https://host/m/{feature_id}/{feature_id}"}) {
    EXPECT_EQ(key_of_link(link), std::nullopt) << link;
  }
}

}  // namespace
}  // namespace saescope
