#include "cli/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;

Argument arg(std::string text) { return {"--flag", std::move(text)}; }

TEST(ParseSize, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size(arg("8GiB")), 8ull << 30);
  EXPECT_EQ(parse_size(arg("512MiB")), 512ull << 20);
  EXPECT_EQ(parse_size(arg("2GB")), 2'000'000'000u);
  EXPECT_EQ(parse_size(arg("16g")), 16ull << 30);
  EXPECT_EQ(parse_size(arg("1.5 GiB")), 3ull << 29);
  EXPECT_EQ(parse_size(arg("3tib")), 3ull << 40);
  EXPECT_EQ(parse_size(arg("10kB")), 10'000u);
  EXPECT_EQ(parse_size(arg("1048576")), 1048576u);
  EXPECT_EQ(parse_size(arg("7B")), 7u);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
  for (const char* text :
       {"", "GiB", "0", "0.1", "-1GiB", "8 GiBs", "8Gi", "1.2.3GiB", "1e3", "99999999TiB", "inf"}) {
    EXPECT_THROW(parse_size(arg(text)), InputError) << text;
  }
}

TEST(ParseInteger, KeepsToItsRange) {
  EXPECT_EQ(parse_integer(arg("1"), 1, 8), 1);
  EXPECT_EQ(parse_integer(arg("8"), 1, 8), 8);
  for (const char* text : {"", "0", "9", "1.0", "1x", " 1", "99999999999999999999"}) {
    EXPECT_THROW(parse_integer(arg(text), 1, 8), InputError) << text;
  }
}

TEST(ParseFloat, RoundsTheTextOnce) {
  EXPECT_EQ(parse_float(arg("0.01"), "a number"), 0.01f);
  EXPECT_EQ(parse_float(arg("-0.5"), "a number"), -0.5f);
  EXPECT_EQ(parse_double(arg("0.3"), "a number"), 0.3);
  // Through double this would become 1.0f: 1 + 2^-24 + 2^-60 lies above the middle of two floats.
  EXPECT_EQ(
      parse_float(arg("1.000000059604644775390625867361737988403547205962240695953369140625"), "a number"),
      1.00000012f);
  for (const char* text : {"", "nan", "inf", "1e99", "0,3", "30%"}) {
    EXPECT_THROW(parse_float(arg(text), "a number"), InputError) << text;
  }
}

TEST(ParseList, SplitsAtCommasAndTrims) {
  EXPECT_THAT(parse_list(arg("llama, qwen")), ElementsAre("llama", "qwen"));
  for (const char* text : {"", ",", "a,", ",a", "a,,b", " "}) {
    EXPECT_THROW(parse_list(arg(text)), InputError) << text;
  }
}

TEST(ParseChoice, ListsTheWordsAndSuggestsTheClosest) {
  EXPECT_EQ(parse_choice(arg("both"), "universal|specific|both"), 2u);
  try {
    parse_choice(arg("univeral"), "universal|specific|both");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.detail().where, "--flag");
    EXPECT_EQ(error.detail().expected, "one of universal, specific, both");
    EXPECT_EQ(error.detail().found, "\"univeral\"");
    EXPECT_EQ(error.detail().hint, "did you mean universal?");
  }
}

}  // namespace
}  // namespace saescope
