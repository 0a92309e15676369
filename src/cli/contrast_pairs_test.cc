#include "cli/contrast_pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Labels labels_of(const std::vector<std::string>& names) {
  Prompts prompts;
  prompts.begin_file("p.jsonl");
  for (const std::string& name : names) prompts.add("text", name, 1);
  return Labels(prompts);
}

Options options_with(std::vector<std::string> pairs) {
  Options options;
  options.contrast_pairs = std::move(pairs);
  return options;
}

ErrorDetail error(std::vector<std::string> pairs, const std::vector<std::string>& labels) {
  try {
    contrast_pairs(options_with(std::move(pairs)), labels_of(labels));
  } catch (const InputError& failure) {
    return failure.detail();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(ContrastPairs, WithoutThemEveryLabelIsComparedWithTheRest) {
  EXPECT_THAT(
      contrast_pairs(options_with({}), labels_of({"b", "a", ""})),
      ElementsAre(LabelPair{0, std::nullopt}, LabelPair{1, std::nullopt}, LabelPair{2, std::nullopt}));
}

TEST(ContrastPairs, PairsComeAsTheyWereGiven) {
  EXPECT_THAT(contrast_pairs(options_with({"c:a", "a:b"}), labels_of({"a", "b", "c"})),
              ElementsAre(LabelPair{2, 0}, LabelPair{0, 1}));
}

TEST(ContrastPairs, LabelsMayHoldColonsAndBeEmpty) {
  EXPECT_THAT(contrast_pairs(options_with({"a:b:c", ":c"}), labels_of({"a:b", "c", ""})),
              ElementsAre(LabelPair{1, 2}, LabelPair{0, 2}));
}

TEST(ContrastPairs, AnUnknownLabelIsRefusedWithTheKnownOnes) {
  const ErrorDetail detail = error({"a:x"}, {"a", "b"});
  EXPECT_EQ(detail.where, "--contrast");
  EXPECT_THAT(detail.expected, HasSubstr("\"a\", \"b\""));
  EXPECT_EQ(error({"a:a"}, {"a", "b"}).where, "--contrast");
  EXPECT_EQ(error({"a"}, {"a", "b"}).where, "--contrast");
}

TEST(ContrastPairs, ATextThatCanBeReadInTwoWaysIsRefused) {
  EXPECT_THAT(error({"a:b:c"}, {"a", "b:c", "a:b", "c"}).what, HasSubstr("several pairs"));
}

TEST(ContrastPairs, OneLabelAloneCannotBeComparedButIsNoErrorForAReport) {
  EXPECT_THAT(error({"a:a"}, {"a", "a"}).what, HasSubstr("all prompts have the same"));
  Options options;
  EXPECT_THAT(contrast_pairs(options, labels_of({"a"})), ::testing::IsEmpty());
  options.contrast_output = "c.csv";
  EXPECT_THROW(contrast_pairs(options, labels_of({"a"})), InputError);
}

}  // namespace
}  // namespace saescope
