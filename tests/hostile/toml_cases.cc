#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

constexpr std::size_t kDeep = 100'000;

/// The good configuration with another line for a key.
Change line(const std::string& key, const std::string& good, const std::string& bad) {
  return replaced(key + " = " + good, key + " = " + bad);
}

}  // namespace

std::vector<Case> toml_cases() {
  const std::string tokens = "{ asst = \"assistant\", newline = \"\\n\\n\" }";
  return {
      {"NotToml", kToml, contents("{\"models\": {}}"), "not valid TOML"},
      {"InvalidUtf8", kToml, followed_by("# \xFF\n"), "not valid TOML"},
      {"NulBytes", kToml, followed_by(std::string(100, '\0')), "not valid TOML"},
      {"KeyTwice", kToml, followed_by("trainer = 2\n"), "not valid TOML"},
      {"UnknownKey", kToml, followed_by("trainor = 2\n"), "unknown key"},
      {"UnknownTable", kToml, followed_by("[model.tiny]\n"), "unknown key"},
      {"ListsInEachOther", kToml, nested("a = ", "[", kDeep, "]"), "not valid TOML"},
      {"TablesInEachOther", kToml, nested("a = ", "{a=", kDeep, "}"), "not valid TOML"},
      {"DottedKeyOfManyParts", kToml, contents("a" + times(".a", kDeep) + " = 1\n"), "nested too deeply"},
      {"TableNameOfManyParts", kToml, contents("[a" + times(".a", kDeep) + "]\n"), "nested too deeply"},
      {"IntegerOf20Digits", kToml, line("trainer", "1", "99999999999999999999"), "not valid TOML"},
      {"AGigabyteOfZeros", kToml, resized(kGigabyte), "too large"},
      {"ManyMegabytesOfTables", kToml, repeated("", "[[a]]\n", 10'000'000), "too large"},
      {"ModelIsANumber", kToml, line("model", "\"./model\"", "7"), "a string"},
      {"ModelEmpty", kToml, line("model", "\"./model\"", "\"\""), "neither a hub id nor a path"},
      {"ModelNotThere", kToml, line("model", "\"./model\"", "\"./nowhere\""), "no such model", "nowhere"},
      {"ModelOfAnUndefinedVariable", kToml, line("model", "\"./model\"", "\"${NO_SUCH_VARIABLE_HERE}/m\""),
       "NO_SUCH_VARIABLE_HERE"},
      {"ModelHoldsANul", kToml, line("model", "\"./model\"", "\"./model\\u0000x\""), "holds a NUL"},
      {"SaeRepositoryIsAPath", kToml, followed_by("sae = \"../../etc\"\n"), "no hub id"},
      {"SaePathAboveItsFolder", kToml, line("sae_path", "\"layer_{layer}\"", "\"../layer_{layer}\""),
       "below sae_dir"},
      {"SaePathAbsolute", kToml, line("sae_path", "\"layer_{layer}\"", "\"/layer_{layer}\""),
       "below sae_dir"},
      {"SaePathWithAnotherPlaceholder", kToml, line("sae_path", "\"layer_{layer}\"", "\"layer_{lair}\""),
       "unknown placeholder"},
      {"TrainerNegative", kToml, line("trainer", "1", "-1"), "trainer"},
      {"TrainerAboveItsFolder", kToml, line("trainer", "1", "\"../x\""), "trainer"},
      {"LayersNegative", kToml, line("layers", "[1]", "[-1]"), "out of range"},
      {"LayersHuge", kToml, line("layers", "[1]", "[9223372036854775807]"), "out of range"},
      {"LayersTwice", kToml, line("layers", "[1]", "[1, 1]"), "stands twice"},
      {"LayersEmpty", kToml, line("layers", "[1]", "[]"), "empty"},
      {"LayersAreText", kToml, line("layers", "[1]", "[\"1\"]"), "a whole number"},
      {"TokensAreAList", kToml, line("tokens", tokens, "[1]"), "a table"},
      {"TokensEmpty", kToml, line("tokens", tokens, "{}"), "empty"},
      {"TokenNotInThePrompt", kToml, line("tokens", tokens, "{ asst = \"nowhere\" }"), "0 times", "tiny"},
      {"TokenTwiceInThePrompt", kToml, line("tokens", tokens, "{ asst = \"\\n\" }"), "2 times", "tiny"},
      {"TokenBeforeThePrompt", kToml, line("tokens", tokens, "{ asst = -1000 }"), "no token -1000", "tiny"},
      {"TokenOf64Bits", kToml, line("tokens", tokens, "{ asst = -9223372036854775808 }"),
       "no token -9223372036854775808", "tiny"},
      {"LinkWithAnotherPlaceholder", kToml, followed_by("link = \"{feature}\"\n"), "unknown placeholder"},
      {"TemplateVariableIsAList", kToml, followed_by("template_vars = { a = [1] }\n"), "wrong type"},
      {"Removed", kToml, removed(), "No such file"},
      {"AFolder", kToml, as_folder(), "Is a directory"},
      {"DevZero", kToml, as_link_to("/dev/zero"), "too large"},
  };
}

}  // namespace saescope::hostile
