#include "analysis/sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;

TEST(Source, NameIsModelTrainerLayer) {
  EXPECT_EQ((Source{"llama", "1", 15}).name(), "llama_trainer1_layer15");
}

TEST(Source, ParsesTheSeedsSources) {
  EXPECT_EQ(Source::parse("llama_trainer1_layer15"), (Source{"llama", "1", 15}));
  EXPECT_EQ(Source::parse("qwen_trainer1_layer11"), (Source{"qwen", "1", 11}));
}

TEST(Source, TrainerMayBeAnyWord) {
  EXPECT_EQ(Source::parse("llama_trainer32x_layer11"), (Source{"llama", "32x", 11}));
  EXPECT_EQ(Source::parse("m_trainertop-k_0.5_layer0"), (Source{"m", "top-k_0.5", 0}));
  EXPECT_EQ(Source::parse("m_trainer1_layer2_layer3"), (Source{"m", "1_layer2", 3}));
}

TEST(Source, IsReadFromTheRightSoThatModelNamesMayLookLikeSources) {
  EXPECT_EQ(Source::parse("a_trainer1_layer2_trainer3_layer4"), (Source{"a_trainer1_layer2", "3", 4}));
}

TEST(Source, EveryAcceptedNameComesBackUnchanged) {
  for (const char* name :
       {"llama_trainer1_layer15", "a_trainer1_layer2_trainer3_layer4", "x_trainer__layer0",
        "m_trainer1_layer2_layer3", "m_trainertrainer_layer7", "m_trainer1_layer9223372036854775807"}) {
    EXPECT_EQ(Source::parse(name).name(), name);
  }
}

class MalformedSource : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(MalformedSource, IsRefusedWithItsReasonAndText) {
  const auto& [name, reason] = GetParam();
  try {
    Source::parse(name);
    FAIL() << "accepted " << name;
  } catch (const InputError& error) {
    EXPECT_EQ(error.detail().what, reason);
    EXPECT_THAT(error.detail().found, HasSubstr(name));
    EXPECT_THAT(error.detail().expected, HasSubstr("llama_trainer1_layer15"));
    EXPECT_EQ(error.detail().where, "");
  }
}

constexpr auto kNoLayer = "the source names no layer";
constexpr auto kBadLayer = "the source's layer is not a number";
constexpr auto kNoTrainer = "the source names no trainer";
constexpr auto kBadTrainer = "the source's trainer is not a word";
constexpr auto kNoModel = "the source names no model";

INSTANTIATE_TEST_SUITE_P(All, MalformedSource,
                         ::testing::Values(std::pair{"", kNoLayer}, std::pair{"llama", kNoLayer},
                                           std::pair{"llama_trainer1", kNoLayer},
                                           std::pair{"llama_trainer1_layer", kBadLayer},
                                           std::pair{"llama_trainer1_layer-1", kBadLayer},
                                           std::pair{"llama_trainer1_layer11 ", kBadLayer},
                                           std::pair{"llama_trainer1_layer011", kBadLayer},
                                           std::pair{"llama_trainer1_layer1.0", kBadLayer},
                                           std::pair{"llama_trainer1_layer9223372036854775808", kBadLayer},
                                           std::pair{"llama_layer11", kNoTrainer},
                                           std::pair{"llama_trainer_layer11", kBadTrainer},
                                           std::pair{"llama_trainer.._layer11", kBadTrainer},
                                           std::pair{"llama_trainer../../x_layer11", kBadTrainer},
                                           std::pair{"llama_trainera b_layer11", kBadTrainer},
                                           std::pair{"_trainer1_layer11", kNoModel}));

TEST(TrainerWord, MayNotBreakTheSourcesNameOrItsPath) {
  EXPECT_TRUE(is_trainer_word("1"));
  EXPECT_TRUE(is_trainer_word("32x"));
  EXPECT_TRUE(is_trainer_word("a.b"));
  EXPECT_FALSE(is_trainer_word(""));
  EXPECT_FALSE(is_trainer_word("."));
  EXPECT_FALSE(is_trainer_word("a/b"));
  EXPECT_FALSE(is_trainer_word("a_trainer1"));
}

TEST(PlainName, HoldsLettersDigitsAndThreeSigns) {
  EXPECT_TRUE(is_plain_name("SmolLM2-135M_v1.0"));
  EXPECT_FALSE(is_plain_name(""));
  EXPECT_FALSE(is_plain_name("a,b"));
  EXPECT_FALSE(is_plain_name("caf\xc3\xa9"));
}

}  // namespace
}  // namespace saescope
