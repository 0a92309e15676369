#include "input/features_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class FeaturesCsv : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<RequestedFeature> read(std::string_view text) {
    write_file_atomically(file(), text);
    SilentProgress progress;
    return read_features_csv(file(), progress);
  }
  /// Each row as "source/feature/token".
  std::vector<std::string> rows(std::string_view text) {
    std::vector<std::string> result;
    for (const RequestedFeature& row : read(text)) {
      result.push_back(row.source.name() + "/" + std::to_string(row.feature_id) + "/" + row.token);
    }
    return result;
  }
  ErrorDetail error(std::string_view text) {
    try {
      read(text);
    } catch (const InputError& failure) {
      return failure.detail();
    }
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  std::filesystem::path file() const { return folder_ / "features.csv"; }

 private:
  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      ("features_csv_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(FeaturesCsv, ReadsTheSeedsExample) {
  EXPECT_THAT(rows("feature_id,source,activation_mean,num_prompts\n"
                   "1234,llama_trainer1_layer15,0.85,10\n"
                   "5678,qwen_trainer1_layer11,0.72,8\n"),
              ElementsAre("llama_trainer1_layer15/1234/", "qwen_trainer1_layer11/5678/"));
}

TEST_F(FeaturesCsv, ReadsAUniversalOutputBackIn) {
  EXPECT_THAT(rows("feature_id,activation_mean,activation_max,activation_min,num_prompts,chat_desc,"
                   "pt_desc,type,"
                   "source,token,link\n"
                   "7,0.85,1.2,0.02,10,,,,llama_trainer1_layer15,asst,https://x/15/7\n"),
              ElementsAre("llama_trainer1_layer15/7/asst"));
}

TEST_F(FeaturesCsv, TakesColumnsInAnyOrderWithMarkAndCrlf) {
  EXPECT_THAT(rows("\xEF\xBB\xBFtoken,note,source,feature_id\r\n"
                   "newline,\"a, b\",m_trainer1_layer0,0\r\n,,m_trainer1_layer0,1\r\n"),
              ElementsAre("m_trainer1_layer0/0/newline", "m_trainer1_layer0/1/"));
}

TEST_F(FeaturesCsv, TakesSemicolonsAndTabsAsExcelWritesThem) {
  const auto expected = ElementsAre("llama_trainer1_layer15/7/", "qwen_trainer1_layer11/8/asst");
  EXPECT_THAT(rows("feature_id;source;token;note\r\n7;llama_trainer1_layer15;;\"a;b\"\r\n8;qwen_trainer1_"
                   "layer11;asst;1,5\r\n"),
              expected);
  EXPECT_THAT(
      rows("token\tfeature_id\tsource\n\t7\tllama_trainer1_layer15\nasst\t8\tqwen_trainer1_layer11\n"),
      expected);
  EXPECT_THAT(rows("sep=;\r\nsource;feature_id;token\r\nllama_trainer1_layer15;7;\r\nqwen_trainer1_layer11;8;"
                   "asst\r\n"),
              expected);
}

TEST_F(FeaturesCsv, AHeaderWithoutRowsAsksForNothing) {
  EXPECT_THAT(rows("feature_id,source\n"), ElementsAre());
}

TEST_F(FeaturesCsv, DuplicatesCountOnceAtTheirFirstPlace) {
  EXPECT_THAT(rows("feature_id,source,token\n"
                   "2,m_trainer1_layer0,asst\n1,m_trainer1_layer0,asst\n2,m_trainer1_layer0,asst\n"
                   "2,m_trainer1_layer0,newline\n2,m_trainer1_layer1,asst\n2.0,m_trainer1_layer0,asst\n"),
              ElementsAre("m_trainer1_layer0/2/asst", "m_trainer1_layer0/1/asst",
                          "m_trainer1_layer0/2/newline", "m_trainer1_layer1/2/asst"));
}

TEST_F(FeaturesCsv, AcceptsIdsThatPandasWroteAsFloats) {
  EXPECT_THAT(rows("feature_id,source\n12.0,m_trainer1_layer0\n13.000,m_trainer1_layer0\n"),
              ElementsAre("m_trainer1_layer0/12/", "m_trainer1_layer0/13/"));
}

TEST_F(FeaturesCsv, RowsKnowTheirPlace) {
  const auto features =
      read("feature_id,source,note\n\n1,m_trainer1_layer0,\"a\nb\"\n2,m_trainer1_layer0,\n");
  ASSERT_EQ(features.size(), 2u);
  EXPECT_THAT(features[0].place, EndsWith("features.csv:row 1 (line 3)"));
  EXPECT_THAT(features[1].place, EndsWith("features.csv:row 2 (line 5)"));
}

TEST_F(FeaturesCsv, RefusesIdsThatAreNoWholeNumbers) {
  for (const char* id :
       {"", "-1", "-0", "+1", "1.5", "1.", ".0", "1e3", "0x10", "abc", " 1", "9223372036854775808"}) {
    const ErrorDetail detail =
        error("feature_id,source\n1,m_trainer1_layer0\n" + std::string(id) + ",m_trainer1_layer0\n");
    EXPECT_EQ(detail.what, "the feature_id is not a whole number") << id;
    EXPECT_EQ(detail.found, "\"" + std::string(id) + "\"");
    EXPECT_THAT(detail.where, EndsWith("features.csv:row 2 (line 3)"));
  }
}

TEST_F(FeaturesCsv, AMalformedSourceIsAnErrorWithItsRow) {
  const ErrorDetail detail = error("feature_id,source\n1,llama_layer15\n");
  EXPECT_EQ(detail.what, "the source names no trainer");
  EXPECT_EQ(detail.found, "\"llama_layer15\"");
  EXPECT_THAT(detail.where, EndsWith("features.csv:row 1 (line 2)"));
}

TEST_F(FeaturesCsv, AMissingColumnIsNamedWithTheOnesThatAreThere) {
  const ErrorDetail detail = error("feature,source\n1,m_trainer1_layer0\n");
  EXPECT_EQ(detail.what, "there is no column feature_id");
  EXPECT_EQ(detail.found, "\"feature\", \"source\"");
  EXPECT_THAT(detail.where, EndsWith("features.csv:1"));
  EXPECT_EQ(error("feature_id\n1\n").what, "there is no column source");
}

TEST_F(FeaturesCsv, AColumnThatStandsTwiceIsAnError) {
  EXPECT_THAT(error("feature_id,source,source\n").what, HasSubstr("source stands twice"));
}

TEST_F(FeaturesCsv, ARowOfAnotherWidthIsAnErrorWithItsRow) {
  const ErrorDetail detail = error("feature_id,source,token\n1,m_trainer1_layer0\n");
  EXPECT_EQ(detail.expected, "3 fields");
  EXPECT_EQ(detail.found, "2 fields");
  EXPECT_THAT(detail.where, EndsWith("features.csv:row 1 (line 2)"));
}

TEST_F(FeaturesCsv, AnEmptyFileIsAnError) {
  EXPECT_EQ(error("").what, "the features CSV is empty");
  EXPECT_EQ(error("\n\n").what, "the features CSV is empty");
}

TEST_F(FeaturesCsv, Utf16IsNamedAsSuch) {
  EXPECT_THAT(error(std::string_view("\xFF\xFE\x66\x00", 4)).what, HasSubstr("UTF-16"));
  EXPECT_THAT(error(std::string_view("f\0e\0", 4)).what, HasSubstr("UTF-16"));
}

TEST_F(FeaturesCsv, ForeignEncodingInAnIgnoredColumnDoesNotMatter) {
  EXPECT_THAT(rows("feature_id,source,note\n1,m_trainer1_layer0,caf\xE9\n"),
              ElementsAre("m_trainer1_layer0/1/"));
}

TEST_F(FeaturesCsv, CarriesNotesOfTheColumnsThatAreThere) {
  const auto features = read(
      "type,feature_id,source,pt_desc,chat_desc\n"
      "persona,1,m_trainer1_layer0,caf\xC3\xA9,\"a, \"\"b\"\"\"\n,2,m_trainer1_layer0,,\n");
  ASSERT_EQ(features.size(), 2u);
  EXPECT_EQ(features[0].notes,
            (FeatureNotes{.chat_desc = "a, \"b\"", .pt_desc = "caf\xC3\xA9", .type = "persona"}));
  EXPECT_EQ(features[1].notes, FeatureNotes{});
  const auto one = read("feature_id,source,type\n1,m_trainer1_layer0,x\n");
  EXPECT_EQ(one.at(0).notes, (FeatureNotes{.chat_desc = "", .pt_desc = "", .type = "x"}));
  EXPECT_EQ(read("feature_id,source\n1,m_trainer1_layer0\n").at(0).notes, FeatureNotes{});
}

TEST_F(FeaturesCsv, OfDuplicatesTheFirstNoteOfEachKindWins) {
  const auto features = read(
      "feature_id,source,token,chat_desc,pt_desc,type\n"
      "1,m_trainer1_layer0,asst,,first,\n"
      "1,m_trainer1_layer0,user,other,other,other\n"
      "1,m_trainer1_layer0,asst,second,second,\n"
      "1.0,m_trainer1_layer0,asst,third,,third\n");
  ASSERT_EQ(features.size(), 2u);
  EXPECT_EQ(features[0].notes, (FeatureNotes{.chat_desc = "second", .pt_desc = "first", .type = "third"}));
  EXPECT_EQ(features[1].notes, (FeatureNotes{.chat_desc = "other", .pt_desc = "other", .type = "other"}));
  EXPECT_THAT(features[0].place, EndsWith("features.csv:row 1 (line 2)"));
}

TEST_F(FeaturesCsv, ANoteThatIsNotUtf8IsAnErrorWithItsRow) {
  for (const char* name : {"chat_desc", "pt_desc", "type"}) {
    const ErrorDetail detail =
        error("feature_id,source," + std::string(name) + "\n1,m_trainer1_layer0,caf\xE9\n");
    EXPECT_EQ(detail.what, "the " + std::string(name) + " is not valid UTF-8");
    EXPECT_THAT(detail.where, EndsWith("features.csv:row 1 (line 2)"));
  }
}

TEST_F(FeaturesCsv, AMissingFileIsAnInputError) {
  SilentProgress progress;
  EXPECT_THROW(read_features_csv(file(), progress), InputError);
}

}  // namespace
}  // namespace saescope
