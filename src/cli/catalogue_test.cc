#include "cli/catalogue.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/configuration.h"
#include "cli/one_off.h"

namespace saescope {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelEntry entry_from(const std::string& keys) {
  const Configuration configuration = parse_configuration("[models.x]\n" + keys, "/conf/own.toml",
                                                          [](const std::string&) { return std::nullopt; });
  return *configuration.find("x");
}

std::string error_of(const std::string& keys) {
  try {
    entry_from(keys);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Catalogue, EveryRowIsACompleteEntryWithPathsOfItsOwn) {
  EXPECT_GE(catalogue().size(), 20u);
  std::set<std::string> names;
  for (const Release& release : catalogue()) {
    SCOPED_TRACE(release.name);
    EXPECT_TRUE(names.insert(release.entry.name).second);
    for (const int64_t layer : release.entry.layers) {
      EXPECT_THAT(release.entry.sae_layers, Contains(layer));
      release.entry.require_sae(release.entry.trainer, layer);
    }
    EXPECT_FALSE(release.entry.tokens.empty());
    const ModelEntry entry = entry_of(release, {}, {});
    for (const int64_t layer : entry.layers) {
      const std::string folder = entry.sae_folder(entry.trainer, layer);
      EXPECT_EQ(folder.find('{'), std::string::npos) << folder;
      EXPECT_EQ(folder.find("canonical"), std::string::npos) << folder;
    }
  }
}

TEST(Catalogue, AReleaseWithALayerAWidthAndAnL0IsAWholeEntry) {
  const ModelEntry entry =
      entry_from("release = \"gemma-scope-2-4b-it-res\"\nlayers = [17, 22]\nwidth = \"16k\"\nl0 = \"big\"\n");
  EXPECT_EQ(entry.model, "google/gemma-3-4b-it");
  EXPECT_EQ(entry.sae_folder(entry.trainer, 22), "resid_post/layer_22_width_16k_l0_big");
  EXPECT_THAT(entry.layers, ElementsAre(17, 22));
  EXPECT_EQ(entry.trainer, "16k_l0_big") << "features of another l0 are other features";
  EXPECT_EQ(entry.link_of("16k_l0_big", 17), "") << "only the medium ones have pages";
  EXPECT_EQ(entry.link_of("16k_l0_medium", 17),
            "https://www.neuronpedia.org/gemma-3-4b-it/17-gemmascope-2-res-16k/{feature_id}");
  EXPECT_EQ(entry.name, "x");
}

TEST(Catalogue, CanonicalStandsForAnotherL0AtEachLayerAndWidth) {
  const ModelEntry entry =
      entry_from("release = \"gemma-scope-9b-it-res-canonical\"\nlayers = [9, 31]\nwidth = \"16k\"\n");
  EXPECT_EQ(entry.trainer, "16k_l0_canonical");
  EXPECT_EQ(entry.sae_folder(entry.trainer, 9), "layer_9/width_16k/average_l0_88");
  EXPECT_EQ(entry.sae_folder("131k_l0_canonical", 31), "layer_31/width_131k/average_l0_109");
  const ModelEntry numbered = entry_from("release = \"gemma-scope-9b-it-res-canonical\"\nl0 = 14\n");
  EXPECT_EQ(numbered.sae_folder(numbered.trainer, 20), "layer_20/width_131k/average_l0_14");
  EXPECT_EQ(numbered.link_of(numbered.trainer, 20), "") << "only canonical ones have pages";
}

TEST(Catalogue, OtherKeysOfAnEntryCountBeforeTheRows) {
  const ModelEntry entry =
      entry_from("release = \"gemma-scope-2-1b-it-res\"\nsae_dir = \"/saes\"\ntokens = { last = -1 }\n");
  EXPECT_EQ(entry.sae_dir, "/saes");
  ASSERT_EQ(entry.tokens.size(), 1u);
  EXPECT_EQ(entry.tokens.front().name, "last");
}

TEST(Catalogue, WhatARowDoesNotHaveIsRefusedWithWhatItHas) {
  EXPECT_THAT(error_of("release = \"gemma-scope-2-4b-it-re\"\n"), HasSubstr("gemma-scope-2-4b-it-res"));
  EXPECT_THAT(error_of("release = \"gemma-scope-2-4b-it-res\"\nwidth = \"32k\"\n"),
              HasSubstr("16k, 65k, 262k, 1m"));
  EXPECT_THAT(error_of("release = \"gemma-scope-2-4b-it-res\"\nl0 = \"canonical\"\n"),
              HasSubstr("small, medium, big"));
  EXPECT_THAT(error_of("release = \"gemma-scope-2-4b-it-res\"\nlayers = [12]\n"), HasSubstr("9, 17, 22, 29"));
  EXPECT_THAT(error_of("release = \"llama_scope_lxr_8x\"\nl0 = 50\n"), HasSubstr("one l0 each"));
  EXPECT_THAT(error_of("release = \"gemma-scope-2b-pt-res-canonical\"\nlayers = [0]\nwidth = \"32k\"\n"),
              HasSubstr("no SAE of this layer and trainer"));
  EXPECT_THAT(error_of("release = \"gemma-scope-9b-it-res-canonical\"\nl0 = \"medium\"\n"),
              HasSubstr("canonical, or the number"));
  EXPECT_THAT(error_of("release = \"gemma-scope-2-4b-it-res\"\nwidth = \"16k\"\nl0 = \"medium_seed_1\"\n"),
              HasSubstr("262k_l0_medium_seed_1"));
  EXPECT_THAT(error_of("release = \"goodfire-llama-3.1-8b-instruct\"\nwidth = \"goodfire\"\n"),
              HasSubstr("expected: no width"));
  EXPECT_THAT(error_of("width = \"16k\"\n"), HasSubstr("release"));
}

TEST(Catalogue, AnEntryWithSaesOfItsOwnHasNoPublishedLayersAndTrainers) {
  const ModelEntry entry = entry_from(
      "release = \"gemma-scope-2-4b-it-res\"\nsae_path = \"mine/{layer}\"\nlayers = [12]\ntrainer = 7\n");
  EXPECT_EQ(entry.sae_folder(entry.trainer, 12), "mine/12");
}

TEST(Catalogue, AFeaturesPageIsThatOfItsTrainer) {
  const ModelEntry entry = entry_from("release = \"llama_scope_r1_distill\"\n");
  EXPECT_EQ(
      entry.link_of("0-Slimpajama-800M-OpenR1-Math-220k", 3),
      "https://www.neuronpedia.org/deepseek-r1-distill-llama-8b/3-llamascope-openr1-res-32k/{feature_id}");
}

TEST(Catalogue, NamesOfItsRowsAreAddedOnlyWhereNothingElseHasThem) {
  Configuration configuration = builtin_configuration();
  add_from_catalogue({"gemma-3-4b-it", "llama", "nobody"}, configuration);
  EXPECT_THAT(configuration.names(), ElementsAre("llama", "qwen", "gemma-3-4b-it"));
  EXPECT_THAT(configuration.defaults, ElementsAre("llama", "qwen"));
}

TEST(Catalogue, ItsTableNamesEveryRow) {
  const std::string table = catalogue_table();
  for (const Release& release : catalogue()) EXPECT_THAT(table, HasSubstr(release.name));
}

TEST(Catalogue, TheDocumentationHasItsRows) {
  const std::string page = read_file(std::filesystem::path(SAESCOPE_SOURCE_DIR) / "docs/catalogue.md");
  for (const CatalogueRow& row : catalogue_rows()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| {} |\n", fmt::join(row, " | "))));
  }
}

TEST(Catalogue, ProgramsGetAnObjectOfEveryRow) {
  std::istringstream lines(catalogue_json());
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line); ++rows) {
    const auto row = nlohmann::json::parse(line);
    const Release* const release = find_release(row["release"].get<std::string>());
    ASSERT_NE(release, nullptr);
    EXPECT_EQ(row["layers"].get<std::vector<int64_t>>(), release->entry.sae_layers);
    EXPECT_EQ(row["default_trainer"], release->entry.trainer);
  }
  EXPECT_EQ(rows, catalogue().size());
}

/// The entry that a command line makes.
ModelEntry one_off(Options options) {
  Configuration configuration = builtin_configuration();
  add_one_off(options, configuration);
  const std::string name = options.models.empty() ? configuration.defaults.front() : options.models.front();
  return *configuration.find(name);
}

TEST(OneOff, ARepositoryAndAPathInItAreAnEntry) {
  Options options;
  options.model = "Qwen/Qwen3-8B";
  options.sae = "org/saes@v1/layer_{layer}/k_50";
  options.layers = {9, 18};
  const ModelEntry entry = one_off(options);
  EXPECT_EQ(entry.name, "Qwen3-8B");
  EXPECT_EQ(entry.sae, "org/saes@v1");
  EXPECT_EQ(entry.sae_folder(entry.trainer, 18), "layer_18/k_50");
  EXPECT_EQ(entry.tokens.front().name, "asst") << "those of the catalogue's row of the model";
}

TEST(OneOff, AFolderOnThisMachineIsSplitBeforeItsFirstPlaceholder) {
  Options options;
  options.models = {"llama"};
  options.sae = "/data/saes/run_{layer}/final";
  options.layers = {3};
  const ModelEntry entry = one_off(options);
  EXPECT_EQ(entry.model, "meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_EQ(entry.sae, "");
  EXPECT_EQ(entry.sae_dir, "/data/saes");
  EXPECT_EQ(entry.sae_folder(entry.trainer, 3), "run_3/final");
}

TEST(OneOff, OfAnUnknownModelTheLastTokenIsRead) {
  Options options;
  options.model = "org/other";
  options.sae = "./weights.pt";
  options.layers = {3};
  const ModelEntry entry = one_off(options);
  ASSERT_EQ(entry.tokens.size(), 1u);
  EXPECT_EQ(entry.tokens.front().place, TokenPlace(int64_t{-1}));
}

TEST(OneOff, WhatLacksIsNamed) {
  const auto error = [](Options options) -> std::string {
    try {
      one_off(std::move(options));
    } catch (const InputError& failure) {
      return failure.what();
    }
    return "accepted";
  };
  Options options;
  options.analysis = Analysis::kUniversal;
  options.sae = "./sae";
  EXPECT_THAT(error(options), HasSubstr("of which model"));
  options.model = "org/model";
  EXPECT_THAT(error(options), HasSubstr("which layer"));
  options.sae.clear();
  EXPECT_THAT(error(options), HasSubstr("which SAE"));
  options.layers = {1};
  options.sae = "no-such-thing";
  EXPECT_THAT(error(options), HasSubstr("neither there nor the name of a repository"));
}

}  // namespace
}  // namespace saescope
