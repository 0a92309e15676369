#include "cli/array_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Share parse(const std::string& text, const Variables& variables = {}) {
  return parse_task({"--task", text}, [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string refusal(const std::string& text, const Variables& variables = {}) {
  try {
    parse(text, variables);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

Variables slurm(const char* id, const char* min, const char* max, const char* count, const char* step = "1") {
  return {{"SLURM_ARRAY_TASK_ID", id},
          {"SLURM_ARRAY_TASK_MIN", min},
          {"SLURM_ARRAY_TASK_MAX", max},
          {"SLURM_ARRAY_TASK_COUNT", count},
          {"SLURM_ARRAY_TASK_STEP", step}};
}

TEST(ArrayTask, TasksAreCountedFromOne) {
  EXPECT_EQ(parse("1/7"), (Share{0, 7}));
  EXPECT_EQ(parse("7/7"), (Share{6, 7}));
}

TEST(ArrayTask, WhatIsNoTaskIsRefused) {
  for (const char* text :
       {"0/7", "8/7", "1", "1/0", "/7", "1/", "a/7", "1/7x", "-1/7", "1/99999999999999999999", "auto/"}) {
    EXPECT_THAT(refusal(text), HasSubstr("--task")) << text;
  }
}

TEST(ArrayTask, SlurmsArraysMayBeginAnywhereAndGoInSteps) {
  EXPECT_EQ(parse("auto", slurm("0", "0", "6", "7")), (Share{0, 7}));
  EXPECT_EQ(parse("auto", slurm("7", "1", "7", "7")), (Share{6, 7}));
  EXPECT_EQ(parse("auto", slurm("14", "10", "18", "5", "2")), (Share{2, 5}));
}

/// Tasks that failed are run again alone: "--array=3,7" is no array of two.
TEST(ArrayTask, AnArrayOfSlurmThatLeavesNumbersOutNeedsTheNumberOfAllTasks) {
  EXPECT_THAT(refusal("auto", slurm("3", "3", "7", "2")), HasSubstr("leaves numbers out"));
  EXPECT_EQ(parse("auto/9", slurm("3", "3", "7", "2")), (Share{2, 9}));
}

TEST(ArrayTask, ProcessesOfSrunAreTasksWithinTheArraysTask) {
  Variables step = {{"SLURM_STEP_NUM_TASKS", "4"}, {"SLURM_PROCID", "3"}};
  EXPECT_EQ(parse("auto", step), (Share{3, 4}));
  step.merge(slurm("2", "1", "3", "3"));
  EXPECT_EQ(parse("auto", step), (Share{7, 12}));
}

/// A batch script has SLURM_PROCID and SLURM_NTASKS, though one process runs in it.
TEST(ArrayTask, ABatchScriptOutsideOfSrunIsNoStep) {
  EXPECT_THAT(refusal("auto", {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}),
              HasSubstr("no task of an array"));
}

TEST(ArrayTask, LsfAndGridEngineSayHowManyTasksThereAre) {
  EXPECT_EQ(parse("auto", {{"LSB_JOBINDEX", "3"}, {"LSB_JOBINDEX_END", "5"}, {"LSB_JOBINDEX_STEP", "1"}}),
            (Share{2, 5}));
  EXPECT_EQ(parse("auto", {{"SGE_TASK_ID", "5"},
                           {"SGE_TASK_FIRST", "1"},
                           {"SGE_TASK_LAST", "9"},
                           {"SGE_TASK_STEPSIZE", "2"}}),
            (Share{2, 5}));
}

TEST(ArrayTask, VariablesOfJobsThatAreNoArraysDoNotCount) {
  EXPECT_THAT(refusal("auto", {{"LSB_JOBINDEX", "0"}}), HasSubstr("no task of an array"));
  EXPECT_THAT(refusal("auto", {{"SGE_TASK_ID", "undefined"}}), HasSubstr("no task of an array"));
}

TEST(ArrayTask, PbsAndKubernetesNeedTheNumberOfTasks) {
  EXPECT_THAT(refusal("auto", {{"PBS_ARRAY_INDEX", "3"}}), HasSubstr("auto/N"));
  EXPECT_EQ(parse("auto/5", {{"PBS_ARRAY_INDEX", "3"}}), (Share{2, 5}));
  EXPECT_EQ(parse("auto/5", {{"PBS_ARRAYID", "5"}}), (Share{4, 5}));
  EXPECT_EQ(parse("auto/5", {{"JOB_COMPLETION_INDEX", "0"}}), (Share{0, 5}));
  EXPECT_EQ(parse("auto/5", {{"JOB_COMPLETION_INDEX", "4"}}), (Share{4, 5}));
}

TEST(ArrayTask, AnIndexOutsideOfTheCountIsRefusedWithTheNumbersThatFit) {
  EXPECT_THAT(refusal("auto/5", {{"PBS_ARRAY_INDEX", "0"}}), HasSubstr("from 1 to 5"));
  EXPECT_THAT(refusal("auto/5", {{"JOB_COMPLETION_INDEX", "5"}}), HasSubstr("from 0 to 4"));
  EXPECT_THAT(refusal("auto", slurm("x", "1", "3", "3")), HasSubstr("SLURM_ARRAY_TASK_ID is no number"));
}

}  // namespace
}  // namespace saescope
