#include "base/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;

std::optional<std::string> fake(const std::string& name) {
  const std::map<std::string, std::string> values = {
      {"HOME", "/home/ada"}, {"DATA", "/data"}, {"EMPTY", ""}, {"NESTED", "${DATA}"}};
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

ErrorDetail error(const std::string& text) {
  try {
    expand_path(text, "/base", fake);
  } catch (const InputError& failure) {
    return failure.detail();
  }
  ADD_FAILURE() << "accepted " << text;
  return {};
}

TEST(ExpandVariables, ReplacesVariablesAndDefaults) {
  EXPECT_EQ(expand_variables("${DATA}/x/${HOME}", fake), "/data/x//home/ada");
  EXPECT_EQ(expand_variables("${GONE:-/tmp}/x", fake), "/tmp/x");
  EXPECT_EQ(expand_variables("${EMPTY:-d}${EMPTY}${GONE:-}", fake), "d");
  EXPECT_EQ(expand_variables("${DATA:-d}", fake), "/data");
}

TEST(ExpandVariables, WhatAVariableHoldsIsNotExpandedAgain) {
  EXPECT_EQ(expand_variables("${NESTED}", fake), "${DATA}");
}

TEST(ExpandVariables, OtherDollarsAndBracesStandForThemselves) {
  EXPECT_EQ(expand_variables("$DATA {layer} $", fake), "$DATA {layer} $");
}

TEST(ExpandPath, HomeAndRelativePathsBecomeAbsolute) {
  EXPECT_EQ(expand_path("~/sae", "/base", fake), "/home/ada/sae");
  EXPECT_EQ(expand_path("~", "/base", fake), "/home/ada");
  EXPECT_EQ(expand_path("../sae", "/base/conf", fake), "/base/sae");
  EXPECT_EQ(expand_path("/abs", "/base", fake), "/abs");
  EXPECT_EQ(expand_path("a/~b", "/base", fake), "/base/a/~b");
}

TEST(ExpandPath, WhatCannotBeExpandedIsAnErrorThatShowsTheText) {
  EXPECT_EQ(error("${GONE}/x").what, "the environment variable GONE is not set");
  EXPECT_EQ(error("${GONE}/x").found, "\"${GONE}/x\"");
  EXPECT_THAT(error("${GONE}/x").hint, HasSubstr("${GONE:-default}"));
  EXPECT_EQ(error("${DATA").what, "a ${ without its }");
  EXPECT_EQ(error("${}").what, "malformed variable");
  EXPECT_EQ(error("${1A}").what, "malformed variable");
  EXPECT_EQ(error("${A B}").what, "malformed variable");
  EXPECT_EQ(error("${GONE:-${DATA}}").what, "a variable inside of another one's default is not supported");
  EXPECT_EQ(error("~bob/x").what, "another user's home is not supported");
}

TEST(ProcessEnvironment, KnowsSetAndUnsetVariables) {
  EXPECT_TRUE(process_environment("PATH"));
  EXPECT_FALSE(process_environment("SAESCOPE_TEST_VARIABLE_THAT_IS_NOT_SET"));
}

TEST(HomeFolder, IsWhatHomeSaysAndElseTheAccounts) {
  EXPECT_EQ(home_folder(fake), "/home/ada");
  const auto nothing = [](const std::string&) { return std::optional<std::string>(); };
  const auto empty = [](const std::string&) { return std::optional<std::string>(""); };
  EXPECT_TRUE(home_folder(nothing).is_absolute());
  EXPECT_EQ(home_folder(empty), home_folder(nothing));
}

}  // namespace
}  // namespace saescope
