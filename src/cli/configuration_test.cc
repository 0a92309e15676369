#include "cli/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/error.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const fs::path kFile = "/conf/own.toml";

std::optional<std::string> fake(const std::string& name) {
  if (name == "HOME") return "/home/ada";
  if (name == "SAES") return "/data/saes";
  return std::nullopt;
}

Configuration parse(std::string_view text) { return parse_configuration(text, kFile, fake); }

ErrorDetail error(std::string_view text) {
  try {
    parse(text);
  } catch (const InputError& failure) {
    return failure.detail();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

/// A complete entry on lines 1 … 7, with `more` from line 8.
std::string entry(const std::string& more = {}) {
  return "[models.own]\nmodel = 'org/own'\nsae_dir = 'saes'\nsae_path = 'l{layer}/t{trainer}'\ntrainer = 1\n"
         "layers = [3]\ntokens = { last = -1 }\n" +
         more;
}

/// `entry` with one line replaced.
std::string entry_with(const std::string& line, const std::string& by) {
  std::string text = entry();
  return text.replace(text.find(line), text.find('\n', text.find(line)) - text.find(line), by);
}

TEST(BuiltinConfiguration, HoldsTheSeedsModels) {
  const Configuration configuration = builtin_configuration();
  EXPECT_THAT(configuration.names(), ElementsAre("llama", "qwen"));
  EXPECT_THAT(configuration.defaults, ElementsAre("llama", "qwen"));
  const ModelEntry& llama = *configuration.find("llama");
  EXPECT_EQ(llama.model, "meta-llama/Llama-3.1-8B-Instruct");
  EXPECT_FALSE(llama.model_is_path);
  EXPECT_EQ(llama.sae, "andyrdt/saes-llama-3.1-8b-instruct");
  EXPECT_EQ(llama.sae_dir, "/workspace/sae/llama-3.1-8b-instruct/saes");
  EXPECT_EQ(llama.sae_folder(llama.trainer, 15), "resid_post_layer_15/trainer_1");
  EXPECT_THAT(llama.layers, ElementsAre(11, 15));
  EXPECT_THAT(llama.tokens,
              ElementsAre(TokenType{"asst", "assistant"}, TokenType{"endheader", "<|end_header_id|>"},
                          TokenType{"newline", "\n\n"}));
  const ModelEntry& qwen = *configuration.find("qwen");
  EXPECT_EQ(qwen.sae_dir, "/workspace/sae/qwen-2.5-7b-instruct/saes");
  EXPECT_EQ(qwen.link, "https://www.neuronpedia.org/qwen2.5-7b-it/{layer}-resid-post-aa/{feature_id}");
  EXPECT_THAT(qwen.tokens, ElementsAre(TokenType{"asst", "assistant"}, TokenType{"newline", "\n"}));
  EXPECT_EQ(configuration.find("gemma"), nullptr);
}

TEST(Configuration, AddsAnEntryAndMakesItTheDefault) {
  const Configuration configuration = parse(entry());
  EXPECT_THAT(configuration.names(), ElementsAre("llama", "qwen", "own"));
  EXPECT_THAT(configuration.defaults, ElementsAre("own"));
  const ModelEntry& own = *configuration.find("own");
  EXPECT_EQ(own.sae, "");
  EXPECT_EQ(own.link, "");
  EXPECT_EQ(own.sae_dir, "/conf/saes");
  EXPECT_THAT(own.tokens, ElementsAre(TokenType{"last", int64_t{-1}}));
  EXPECT_TRUE(own.template_vars.empty());
}

TEST(Configuration, WithoutEntriesTheBuiltInOnesStayTheDefault) {
  EXPECT_THAT(parse("").defaults, ElementsAre("llama", "qwen"));
  EXPECT_THAT(parse("[models]\n").defaults, ElementsAre("llama", "qwen"));
}

TEST(Configuration, OverridesABuiltInEntryKeyByKey) {
  const Configuration configuration = parse("[models.qwen]\nsae_dir = '~/saes'\ntokens = { nl = '\\n' }\n");
  ModelEntry expected = *builtin_configuration().find("qwen");
  expected.sae_dir = "/home/ada/saes";
  expected.tokens = {{"nl", "\\n"}};
  EXPECT_EQ(*configuration.find("qwen"), expected);
  EXPECT_EQ(*configuration.find("llama"), *builtin_configuration().find("llama"));
  EXPECT_THAT(configuration.defaults, ElementsAre("qwen"));
}

TEST(Configuration, KeepsTheFilesOrderOfModelsTokensAndVariables) {
  const Configuration configuration = parse(
      "[models.z]\nmodel='z'\nsae_dir='/s'\nsae_path='p'\ntrainer='t'\nlayers=[5]\n"
      "tokens = { zeta = 'a', alpha = -2, mid = 'b' }\n"
      "[models.z.template_vars]\nzoo = true\nant = 'x'\nmid = 7\n" +
      entry());
  EXPECT_THAT(configuration.defaults, ElementsAre("z", "own"));
  const ModelEntry& z = *configuration.find("z");
  EXPECT_THAT(z.tokens,
              ElementsAre(TokenType{"zeta", "a"}, TokenType{"alpha", int64_t{-2}}, TokenType{"mid", "b"}));
  EXPECT_EQ(z.template_vars.dump(), R"({"zoo":true,"ant":"x","mid":7})");
}

TEST(Configuration, TellsPathsFromHubIds) {
  const auto model = [](const std::string& text) {
    const Configuration configuration = parse(entry_with("model =", "model = '" + text + "'"));
    const ModelEntry& own = *configuration.find("own");
    return (own.model_is_path ? "path " : "hub ") + own.model;
  };
  EXPECT_EQ(model("org/own.v1"), "hub org/own.v1");
  EXPECT_EQ(model("gpt2"), "hub gpt2");
  EXPECT_EQ(model("./m"), "path /conf/m");
  EXPECT_EQ(model("../m"), "path /m");
  EXPECT_EQ(model("/m"), "path /m");
  EXPECT_EQ(model("~/m"), "path /home/ada/m");
  EXPECT_EQ(model("${SAES}/m"), "path /data/saes/m");
  EXPECT_EQ(model("m/x.gguf"), "path /conf/m/x.gguf");
}

TEST(Configuration, AFolderBesideTheFileIsAPath) {
  const fs::path folder = fs::path(::testing::TempDir()) / "configuration_beside";
  write_file_atomically(folder / "org" / "own" / "config.json", "{}");
  write_file_atomically(folder / "own.toml", entry());
  const Configuration configuration = load_configuration(folder / "own.toml", fake);
  EXPECT_TRUE(configuration.find("own")->model_is_path);
  EXPECT_EQ(configuration.find("own")->model, (folder / "org" / "own").lexically_normal().string());
  fs::remove_all(folder);
}

TEST(Configuration, AMissingFileIsAnInputError) {
  EXPECT_THROW(load_configuration("/nowhere/own.toml", fake), InputError);
}

TEST(Configuration, UnknownKeysNameTheirLineAndTheClosestKey) {
  const ErrorDetail detail = error(entry("sae_dri = 'x'\n"));
  EXPECT_EQ(detail.where, "/conf/own.toml:8: models.own.sae_dri");
  EXPECT_EQ(detail.what, "unknown key");
  EXPECT_EQ(detail.hint, "did you mean sae_dir?");
  EXPECT_EQ(error("[model.own]\n").hint, "did you mean models?");
  EXPECT_THAT(error("# comment\nthreads = 3\n").where, StartsWith("/conf/own.toml:2:"));
}

TEST(Configuration, MalformedTomlNamesItsLine) {
  EXPECT_EQ(error("[models.own]\nmodel = \n").where, "/conf/own.toml:2");
  EXPECT_EQ(error("[models.own]\n[models.own]\n").where, "/conf/own.toml:2");
  EXPECT_EQ(error("[models.own]\nmodel = 'caf\xE9'\n").what, "the file is not valid TOML");
}

TEST(Configuration, DeepNestingIsAnErrorNotACrash) {
  EXPECT_EQ(error("x = " + std::string(100'000, '[')).what, "the file is not valid TOML");
}

TEST(Configuration, KeysOfManyPartsAreAnErrorNotACrash) {
  std::string parts = "a";
  for (int i = 0; i < 200'000; ++i) parts += " . a";
  EXPECT_THAT(error("# don't count \"this\n" + parts + " = 1").where,
              AllOf(HasSubstr(kFile.string()), HasSubstr(":2")));
  EXPECT_EQ(error("[" + parts + "]").what, "a key is nested too deeply");
  EXPECT_EQ(error(std::string(2 << 20, '\n')).what, "the file is too large for a configuration");
}

TEST(Configuration, DotsInStringsAndCommentsAreNoParts) {
  const std::string dots(100, '.');
  const std::string text = "# it's " + dots + "\nlink = \"\\\"" + dots + "\"  # \"\ntemplate_vars = { a = '" +
                           dots + "', b = \"\"\"\n\"" + dots + "\"\"\" }\n";
  EXPECT_EQ(parse(entry(text)).find("own")->template_vars["a"], dots);
}

TEST(Configuration, ARequiredKeyLeftOutOfANewEntryIsNamed) {
  const ErrorDetail detail = error("\n[models.own]\nmodel = 'org/own'\n");
  EXPECT_EQ(detail.what, "the key sae_dir is missing");
  EXPECT_EQ(detail.where, "/conf/own.toml:2: models.own");
}

struct BadValue {
  const char* name;
  const char* line;  ///< of entry()
  const char* by;
  const char* what;
};

class BadConfigurationValue : public ::testing::TestWithParam<BadValue> {};

TEST_P(BadConfigurationValue, IsAnErrorWithItsPlace) {
  const BadValue& bad = GetParam();
  const ErrorDetail detail = error(entry_with(bad.line, bad.by));
  EXPECT_THAT(detail.what, HasSubstr(bad.what));
  EXPECT_THAT(detail.where, AllOf(StartsWith("/conf/own.toml:"), HasSubstr("models.own")));
  EXPECT_NE(detail.found, "");
}

constexpr auto kWrongType = "the value has the wrong type";

INSTANTIATE_TEST_SUITE_P(
    All, BadConfigurationValue,
    ::testing::Values(
        BadValue{"ModelNumber", "model =", "model = 3", kWrongType},
        BadValue{"ModelDeepId", "model =", "model = 'a/b/c'", "neither a hub id nor a path"},
        BadValue{"ModelDots", "model =", "model = 'org/..'", "neither a hub id nor a path"},
        BadValue{"ModelEmpty", "model =", "model = ''", "neither a hub id nor a path"},
        BadValue{"ModelUnset", "model =", "model = '${GONE}'", "GONE is not set"},
        BadValue{"SaePath", "model =", "model = 'm'\nsae = '/data/saes'", "no hub id"},
        BadValue{"SaeDirEmpty", "sae_dir =", "sae_dir = ''", "is empty"},
        BadValue{"SaeDirUnset", "sae_dir =", "sae_dir = '${GONE}/x'", "GONE is not set"},
        BadValue{"SaePathAbsolute", "sae_path =", "sae_path = '/l{layer}'", "below sae_dir"},
        BadValue{"SaePathClimbs", "sae_path =", "sae_path = '{layer}/../../x'", "below sae_dir"},
        BadValue{"SaePathPlaceholder", "sae_path =", "sae_path = '{layers}'", "unknown placeholder"},
        BadValue{"SaePathUnclosed", "sae_path =", "sae_path = '{layer'", "unknown placeholder"},
        BadValue{"DescriptionsWithoutLayer", "trainer =", "trainer = 1\ndescriptions = 'gpt2'",
                 "names no model id"},
        BadValue{"LinkPlaceholder", "trainer =", "trainer = 1\nlink = 'x/{feature}'", "unknown placeholder"},
        BadValue{"TrainerNegative", "trainer =", "trainer = -1", "trainer cannot be part"},
        BadValue{"TrainerPath", "trainer =", "trainer = '../x'", "trainer cannot be part"},
        BadValue{"TrainerFraction", "trainer =", "trainer = 1.5", kWrongType},
        BadValue{"LayersNumber", "layers =", "layers = 3", kWrongType},
        BadValue{"LayersEmpty", "layers =", "layers = []", "the list is empty"},
        BadValue{"LayersText", "layers =", "layers = ['3']", kWrongType},
        BadValue{"LayersNegative", "layers =", "layers = [-1]", "out of range"},
        BadValue{"LayersTwice", "layers =", "layers = [3, 3]", "stands twice"},
        BadValue{"TokensText", "tokens =", "tokens = 'asst'", kWrongType},
        BadValue{"TokensEmpty", "tokens =", "tokens = {}", "the table is empty"},
        BadValue{"TokenForward", "tokens =", "tokens = { a = 0 }", "does not count from the end"},
        BadValue{"TokenEmpty", "tokens =", "tokens = { a = '' }", "the text is empty"},
        BadValue{"TokenBoolean", "tokens =", "tokens = { a = true }", kWrongType},
        BadValue{"TokenName", "tokens =", "tokens = { 'a,b' = -1 }", "name cannot be used"},
        BadValue{"VariablesList", "tokens =", "tokens = { a = -1 }\ntemplate_vars = { a = [1] }", kWrongType},
        BadValue{"VariablesDate", "tokens =", "tokens = { a = -1 }\ntemplate_vars = { a = 2024-01-01 }",
                 kWrongType}),
    [](const auto& test) { return test.param.name; });

TEST(Configuration, SeveralLayersNeedALayerInTheSaesPath) {
  EXPECT_THAT(
      error("[models.own]\nmodel='m'\nsae_dir='s'\nsae_path='one'\ntrainer=1\nlayers=[3,4]\ntokens={a=-1}\n")
          .what,
      HasSubstr("several layers would share one dictionary"));
}

TEST(Configuration, AModelsNameMustFitIntoASourcesName) {
  EXPECT_THAT(error("[models.'a b']\n").what, HasSubstr("name cannot be used"));
  EXPECT_EQ(error("models = 3\n").what, kWrongType);
  EXPECT_EQ(error("[models]\nown = 3\n").what, kWrongType);
}

TEST(PrintConfiguration, ReadsBackToTheSameEntries) {
  const Configuration original = parse(
      "[models.\"own.v1\"]\nmodel = '~/m\"x'\nsae_dir = '/s\\t'\nsae_path = '{layer}'\ntrainer = '007'\n"
      "layers = [3, 12]\ntokens = { b = \"a\\n\\t\\\"\\\\\\u0001\\u007f\", 'a.b' = -3 }\n"
      "template_vars = { think = false, 'odd key' = 'x', n = -4 }\n");
  const Configuration back = parse(print_configuration(original));
  EXPECT_EQ(back.models, original.models);
  EXPECT_EQ(parse(print_configuration(builtin_configuration())).models, builtin_configuration().models);
}

TEST(PrintConfiguration, LooksLikeTheDocumentedFile) {
  EXPECT_THAT(print_configuration(builtin_configuration()),
              AllOf(StartsWith("[models.llama]\nmodel     = \"meta-llama/Llama-3.1-8B-Instruct\"\n"),
                    HasSubstr("trainer   = 1\nlayers    = [11, 15]\n"),
                    HasSubstr("tokens    = { asst = \"assistant\", newline = \"\\n\" }\n")));
}

}  // namespace
}  // namespace saescope
