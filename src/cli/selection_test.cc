#include "cli/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace saescope {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Options analysis(Analysis kind) {
  Options options;
  options.analysis = kind;
  return options;
}

RequestedFeature row(const std::string& source, int64_t id, std::string token = {}) {
  return {Source::parse(source), id, std::move(token), "f.csv:row " + std::to_string(id) + " (line 2)", {}};
}

/// Every part of a selection as "source[*] token: ids", a star for universal.
std::vector<std::string> parts(const Selection& selection) {
  std::vector<std::string> result;
  for (const ModelPlan& model : selection.models) {
    for (const LayerPlan& layer : model.layers) {
      for (const SourcePlan& source : layer.sources) {
        EXPECT_EQ(source.source.layer, layer.layer);
        EXPECT_EQ(source.source.model, model.entry.name);
        for (const TokenPlan& token : source.tokens) {
          std::string text = source.source.name() + (source.universal ? "* " : " ") + token.token.name + ":";
          for (const WantedFeature& feature : token.features)
            text += " " + std::to_string(feature.feature_id);
          result.push_back(text);
        }
      }
    }
  }
  return result;
}

ErrorDetail error(const Options& options, const std::vector<RequestedFeature>& features,
                  const Configuration& configuration = builtin_configuration()) {
  try {
    select_work(options, configuration, features);
  } catch (const InputError& failure) {
    return failure.detail();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

TEST(Selection, UniversalCoversTheSeedsModelsLayersAndTokenTypes) {
  const Selection selection = select_work(analysis(Analysis::kUniversal), builtin_configuration(), {});
  EXPECT_THAT(parts(selection),
              ElementsAre("llama_trainer1_layer11* asst:", "llama_trainer1_layer11* endheader:",
                          "llama_trainer1_layer11* newline:", "llama_trainer1_layer15* asst:",
                          "llama_trainer1_layer15* endheader:", "llama_trainer1_layer15* newline:",
                          "qwen_trainer1_layer11* asst:", "qwen_trainer1_layer11* newline:",
                          "qwen_trainer1_layer15* asst:", "qwen_trainer1_layer15* newline:"));
  EXPECT_EQ(selection.models[0].layers[1].sources[0].sae_folder, "resid_post_layer_15/trainer_1");
}

TEST(Selection, FlagsRestrictTheUniversalAnalysis) {
  Options options = analysis(Analysis::kUniversal);
  options.models = {"qwen"};
  options.layers = {19, 3};
  options.tokens = {"newline"};
  options.trainer = "32x";
  EXPECT_THAT(parts(select_work(options, builtin_configuration(), {})),
              ElementsAre("qwen_trainer32x_layer3* newline:", "qwen_trainer32x_layer19* newline:"));
}

TEST(Selection, TheSourceColumnAloneDecidesASpecificAnalysis) {
  Options options = analysis(Analysis::kSpecific);
  options.models = {"llama"};
  options.layers = {11};
  options.trainer = "7";
  EXPECT_THAT(parts(select_work(options, builtin_configuration(),
                                {row("qwen_trainer2_layer27", 5), row("qwen_trainer2_layer27", 3)})),
              ElementsAre("qwen_trainer2_layer27 asst: 5 3", "qwen_trainer2_layer27 newline: 5 3"));
}

TEST(Selection, TheTokenColumnAndTheTokensFlagRestrictTheTokenTypes) {
  const std::vector<RequestedFeature> features = {row("llama_trainer1_layer11", 1, "asst"),
                                                  row("llama_trainer1_layer11", 2),
                                                  row("llama_trainer1_layer11", 3, "newline")};
  EXPECT_THAT(parts(select_work(analysis(Analysis::kSpecific), builtin_configuration(), features)),
              ElementsAre("llama_trainer1_layer11 asst: 1 2", "llama_trainer1_layer11 endheader: 2",
                          "llama_trainer1_layer11 newline: 2 3"));
  Options options = analysis(Analysis::kSpecific);
  options.tokens = {"asst"};
  const Selection restricted = select_work(options, builtin_configuration(), features);
  EXPECT_THAT(parts(restricted), ElementsAre("llama_trainer1_layer11 asst: 1 2"));
  EXPECT_THAT(restricted.warnings,
              ElementsAre("--tokens leaves 1 of 3 rows of the features CSV without a token type"));
}

TEST(Selection, APairNamedWithAndWithoutItsTokenTypeCountsOnce) {
  const Selection selection = select_work(analysis(Analysis::kSpecific), builtin_configuration(),
                                          {row("qwen_trainer1_layer11", 9, "newline"),
                                           row("qwen_trainer1_layer11", 4), row("qwen_trainer1_layer11", 9)});
  EXPECT_THAT(parts(selection),
              ElementsAre("qwen_trainer1_layer11 asst: 4 9", "qwen_trainer1_layer11 newline: 9 4"));
  const auto& newline = selection.models[0].layers[0].sources[0].tokens[1];
  EXPECT_THAT(newline.features, ElementsAre(WantedFeature{9, 0}, WantedFeature{4, 1}));
}

TEST(Selection, BothServesOneSourceFromOnePlan) {
  Options options = analysis(Analysis::kBoth);
  options.models = {"qwen"};
  options.layers = {11};
  EXPECT_THAT(
      parts(select_work(options, builtin_configuration(),
                        {row("qwen_trainer1_layer11", 7, "asst"), row("qwen_trainer2_layer11", 8, "asst"),
                         row("qwen_trainer10_layer11", 8, "asst")})),
      ElementsAre("qwen_trainer10_layer11 asst: 8", "qwen_trainer1_layer11* asst: 7",
                  "qwen_trainer1_layer11* newline:", "qwen_trainer2_layer11 asst: 8"));
}

TEST(Selection, LayersAscendAsNumbersAndModelsFollowTheConfiguration) {
  const Selection selection =
      select_work(analysis(Analysis::kSpecific), builtin_configuration(),
                  {row("qwen_trainer1_layer11", 1, "asst"), row("llama_trainer1_layer11", 1, "asst"),
                   row("llama_trainer1_layer9", 1, "asst")});
  EXPECT_THAT(parts(selection), ElementsAre("llama_trainer1_layer9 asst: 1", "llama_trainer1_layer11 asst: 1",
                                            "qwen_trainer1_layer11 asst: 1"));
}

TEST(Selection, TheModelsTokenTypesAreThoseThatAreRead) {
  const Selection selection =
      select_work(analysis(Analysis::kSpecific), builtin_configuration(),
                  {row("llama_trainer1_layer11", 1, "newline"), row("llama_trainer1_layer15", 1, "asst")});
  const auto tokens = selection.models.at(0).tokens();
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].name, "asst");
  EXPECT_EQ(tokens[1].name, "newline");
}

TEST(Selection, AnEmptyFeaturesCsvNeedsNoModel) {
  EXPECT_THAT(select_work(analysis(Analysis::kSpecific), builtin_configuration(), {}).models, IsEmpty());
}

TEST(Selection, UnknownNamesAreRefusedListingTheKnownOnes) {
  Options models = analysis(Analysis::kUniversal);
  models.models = {"lama"};
  EXPECT_EQ(error(models, {}).where, "--models");
  EXPECT_EQ(error(models, {}).expected, "one of llama, qwen");
  EXPECT_EQ(error(models, {}).hint, "did you mean llama?");
  for (const Analysis kind : {Analysis::kUniversal, Analysis::kSpecific}) {
    Options tokens = analysis(kind);
    tokens.tokens = {"asst", "endheadr"};
    EXPECT_EQ(error(tokens, {}).where, "--tokens");
    EXPECT_EQ(error(tokens, {}).expected, "one of asst, endheader, newline");
  }
}

TEST(Selection, AModelLeftWithoutATokenTypeIsAnError) {
  Options options = analysis(Analysis::kUniversal);
  options.tokens = {"endheader"};
  EXPECT_EQ(error(options, {}).what, "qwen has none of these token types");
  options.models = {"llama"};
  EXPECT_EQ(parts(select_work(options, builtin_configuration(), {})).size(), 2u);
}

TEST(Selection, UnknownModelsAndTokenTypesOfTheCsvNameTheirRow) {
  const ErrorDetail model = error(analysis(Analysis::kSpecific), {row("gemma_trainer1_layer1", 4)});
  EXPECT_EQ(model.what, "unknown model");
  EXPECT_EQ(model.where, "f.csv:row 4 (line 2)");
  EXPECT_EQ(model.expected, "one of llama, qwen");
  const ErrorDetail token =
      error(analysis(Analysis::kSpecific), {row("qwen_trainer1_layer1", 4, "endheader")});
  EXPECT_EQ(token.what, "qwen has no such token type");
  EXPECT_EQ(token.where, "f.csv:row 4 (line 2)");
  EXPECT_EQ(token.expected, "one of asst, newline");
}

TEST(Selection, ADictionaryIsNeverReadUnderAnotherLayersOrTrainersName) {
  const Configuration fixed = parse_configuration(
      "[models.own]\nmodel='org/m'\nsae_dir='/s'\nsae_path='.'\ntrainer='a'\nlayers=[4]\ntokens={last=-1}\n",
      "/c.toml");
  EXPECT_THAT(parts(select_work(analysis(Analysis::kSpecific), fixed, {row("own_trainera_layer4", 1)})),
              ElementsAre("own_trainera_layer4 last: 1"));
  EXPECT_THAT(error(analysis(Analysis::kSpecific), {row("own_trainera_layer5", 1)}, fixed).expected,
              HasSubstr("{layer}"));
  EXPECT_THAT(error(analysis(Analysis::kSpecific), {row("own_trainerb_layer4", 1)}, fixed).expected,
              HasSubstr("{trainer}"));
  Options options = analysis(Analysis::kUniversal);
  options.layers = {5};
  EXPECT_EQ(error(options, {}, fixed).where, "--layers");
  options.layers.clear();
  options.trainer = "b";
  EXPECT_EQ(error(options, {}, fixed).where, "--trainer");
}

TEST(Selection, PathsOfSomeSaesDoNotMakeOthersReadable) {
  const Configuration some = parse_configuration(
      "[models.own]\nmodel='org/m'\nsae_dir='/s'\nsae_path='.'\nsae_paths={'7/b'='seven'}\ntrainer='a'\n"
      "layers=[4]\ntokens={last=-1}\n",
      "/c.toml");
  const Options specific = analysis(Analysis::kSpecific);
  EXPECT_THAT(parts(select_work(specific, some, {row("own_trainerb_layer7", 1)})),
              ElementsAre("own_trainerb_layer7 last: 1"));
  EXPECT_THAT(error(specific, {row("own_trainerb_layer4", 1)}, some).expected, HasSubstr("layer 7"));
  EXPECT_THAT(error(specific, {row("own_trainera_layer5", 1)}, some).expected, HasSubstr("{layer}"));
  EXPECT_THAT(error(specific, {row("own_trainerc_layer4", 1)}, some).expected, HasSubstr("{trainer}"));
}

TEST(Selection, OfAReleaseOnlyItsSaesCanBeAskedFor) {
  Configuration configuration = builtin_configuration();
  add_from_catalogue({"gemma-3-4b-it", "gemma-2-9b-it"}, configuration);
  const Options specific = analysis(Analysis::kSpecific);
  EXPECT_THAT(error(specific, {row("gemma-3-4b-it_trainer16k_layer17", 1)}, configuration).expected,
              HasSubstr("16k_l0_small, 16k_l0_medium"));
  EXPECT_THAT(error(specific, {row("gemma-3-4b-it_trainer16k_l0_big_layer18", 1)}, configuration).expected,
              HasSubstr("9, 17, 22, 29"));
  EXPECT_THAT(error(specific, {row("gemma-2-9b-it_trainer16k_layer20", 1)}, configuration).expected,
              HasSubstr("WIDTH_l0_L0"));
  const Selection selection = select_work(
      specific, configuration,
      {row("gemma-3-4b-it_trainer16k_l0_big_layer22", 1), row("gemma-2-9b-it_trainer16k_l0_14_layer20", 2),
       row("gemma-2-9b-it_trainer131k_l0_canonical_layer9", 3)});
  std::vector<std::string> folders;
  for (const ModelPlan& model : selection.models) {
    for (const LayerPlan& layer : model.layers) folders.push_back(layer.sources.front().sae_folder);
  }
  EXPECT_THAT(folders, ElementsAre("resid_post/layer_22_width_16k_l0_big",
                                   "layer_9/width_131k/average_l0_121", "layer_20/width_16k/average_l0_14"));
}

TEST(Selection, FeaturesOfACataloguedModelNeedNoFlagThatNamesIt) {
  const std::vector<RequestedFeature> features = {row("gemma-3-270m-it_trainer65k_l0_medium_layer9", 5)};
  const Options options = analysis(Analysis::kSpecific);
  const Configuration configuration = read_configuration(options, features);
  EXPECT_THAT(configuration.defaults, ElementsAre("llama", "qwen"));
  const Selection selection = select_work(options, configuration, features);
  ASSERT_EQ(selection.models.size(), 1u);
  EXPECT_EQ(selection.models[0].entry.model, "google/gemma-3-270m-it");
}

TEST(ChosenModels, AreTheConfigurationsEntriesWhereItHasAny) {
  const Configuration own = parse_configuration(
      "[models.own]\nmodel='org/m'\nsae_dir='/s'\nsae_path='.'\ntrainer='a'\nlayers=[4]\ntokens={last=-1}\n",
      "/c.toml");
  const auto chosen = chosen_models(Options{}, own);
  ASSERT_EQ(chosen.size(), 1u);
  EXPECT_EQ(chosen[0].name, "own");
  EXPECT_EQ(chosen_models(Options{}, builtin_configuration()).size(), 2u);
  Options options;
  options.models = {"qwen", "own"};
  EXPECT_EQ(chosen_models(options, own).at(0).name, "qwen");
}

}  // namespace
}  // namespace saescope
