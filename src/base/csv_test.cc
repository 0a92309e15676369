#include "base/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(read_file(std::string(SAESCOPE_SOURCE_DIR) + "/tests/goldens/report/" + name));
}

std::string field(std::string_view text) {
  std::string out;
  append_csv_field(out, text);
  return out;
}

std::vector<std::vector<std::string>> fields(std::string_view text) {
  std::vector<std::vector<std::string>> result;
  for (CsvRecord& record : parse_csv(text, "x.csv")) result.push_back(std::move(record.fields));
  return result;
}

TEST(FormatFloat, AgreesWithNumpysDigitsInPythonsLayout) {
  for (const auto& [bits, text] :
       golden("floats.json").get<std::vector<std::pair<uint32_t, std::string>>>()) {
    EXPECT_EQ(format_float(std::bit_cast<float>(bits)), text) << "bits " << bits;
  }
}

TEST(FormatFloat, ReadsBackToTheSameFloat) {
  // A stride through all bit patterns: about 130,000 finite values.
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 32749) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(bits));
    if (!(value - value == 0.0f)) continue;  // inf, nan
    const std::string text = format_float(value);
    float back = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_EQ(result.ptr, text.data() + text.size()) << text;
    ASSERT_EQ(std::bit_cast<uint32_t>(back), bits) << text;
  }
}

TEST(AppendCsvField, QuotesAsPandasDoes) {
  for (const auto& [text, written] :
       golden("csv.json").get<std::vector<std::pair<std::string, std::string>>>()) {
    EXPECT_EQ(field(text), written);
  }
}

TEST(AppendCsvField, QuotesACarriageReturnWhichReadersTakeForALineEnd) {
  EXPECT_EQ(field("a\rb"), "\"a\rb\"");
}

TEST(ParseCsv, SplitsFieldsAndRecords) {
  EXPECT_THAT(fields("a,b\n1,2\n"), ElementsAre(ElementsAre("a", "b"), ElementsAre("1", "2")));
  EXPECT_THAT(fields("a,,\n,\n"), ElementsAre(ElementsAre("a", "", ""), ElementsAre("", "")));
}

TEST(ParseCsv, EndsLinesWithLfCrlfOrCrAndNeedsNoneAtTheEnd) {
  const auto expected = ElementsAre(ElementsAre("a", "b"), ElementsAre("1", "2"));
  EXPECT_THAT(fields("a,b\n1,2"), expected);
  EXPECT_THAT(fields("a,b\r\n1,2\r\n"), expected);
  EXPECT_THAT(fields("a,b\r1,2\r"), expected);
}

TEST(ParseCsv, SkipsAByteOrderMarkAndBlankLines) {
  EXPECT_THAT(fields("\xEF\xBB\xBF\n\r\na\n\n\nb\n"), ElementsAre(ElementsAre("a"), ElementsAre("b")));
  EXPECT_THAT(fields(""), ElementsAre());
  EXPECT_THAT(fields("\"\"\n"), ElementsAre(ElementsAre("")));
}

TEST(ParseCsv, QuotedFieldsHoldCommasQuotesAndLineEnds) {
  EXPECT_THAT(fields("\"a,b\",\"say \"\"hi\"\"\",\"x\ny\"\n\"\"\"\"\n"),
              ElementsAre(ElementsAre("a,b", "say \"hi\"", "x\ny"), ElementsAre("\"")));
}

TEST(ParseCsv, AQuoteInsideAnUnquotedFieldStandsForItself) {
  EXPECT_THAT(fields("5\" disk,b\n"), ElementsAre(ElementsAre("5\" disk", "b")));
}

TEST(ParseCsv, ReadsBackEveryFieldThatIsWritten) {
  for (const auto& [text, written] :
       golden("csv.json").get<std::vector<std::pair<std::string, std::string>>>()) {
    EXPECT_THAT(fields("x," + field(text) + ",y\n"), ElementsAre(ElementsAre("x", text, "y")));
  }
}

TEST(ParseCsv, RecordsKnowTheLineTheyStartOn) {
  const auto records = parse_csv("a\n\n\"x\ny\r\nz\rw\",\"v\"\nlast\n", "x.csv");
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].line, 1u);
  EXPECT_EQ(records[1].line, 3u);
  EXPECT_EQ(records[2].line, 7u);
}

TEST(ParseCsv, AQuoteThatIsNeverClosedNamesTheLineWhereItOpens) {
  try {
    parse_csv("a\n1,\"x\ny\n", "x.csv");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.detail().where, "x.csv:2");
    EXPECT_THAT(error.detail().what, HasSubstr("never closed"));
  }
}

TEST(ParseCsv, TextBehindAClosingQuoteIsAnError) {
  try {
    parse_csv("a\n\"x\ny\"z\n", "x.csv");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.detail().where, "x.csv:3");
    EXPECT_THAT(error.detail().what, HasSubstr("behind a closing quote"));
  }
}

TEST(ParseCsv, RecordsAndFieldsThatNoTableHasAreRefused) {
  EXPECT_THROW(parse_csv("a\n" + std::string(10'000, ','), "x.csv"), InputError);
  EXPECT_EQ(fields(std::string(9'999, ','))[0].size(), 10'000u);
  const std::string field(std::size_t{17} << 20, 'x');
  EXPECT_THROW(parse_csv("a\n" + field, "x.csv"), InputError);
  EXPECT_THROW(parse_csv("a\n\"" + field + "\"", "x.csv"), InputError);
}

TEST(FormatDouble, IsPandasFloat64) {
  EXPECT_EQ(format_double(0.1), "0.1");
  EXPECT_EQ(format_double(1.0), "1.0");
  EXPECT_EQ(format_double(4.897227124592723e-12), "4.897227124592723e-12");
  EXPECT_EQ(format_double(1e-05), "1e-05");
  EXPECT_EQ(format_double(-0.4794476557482338), "-0.4794476557482338");
  EXPECT_EQ(format_double(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(format_double(std::numeric_limits<double>::quiet_NaN()), "");
}

}  // namespace
}  // namespace saescope
