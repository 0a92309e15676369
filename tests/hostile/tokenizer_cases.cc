// tokenizer.json and tokenizer_config.json.
#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

constexpr const char* kFirstToken = "/model/vocab/!";
constexpr const char* kPattern = "/pre_tokenizer/pretokenizers/0/pattern/Regex";

/// Another pattern for the pre-tokenizer's Split.
Change pattern(const std::string& regex) { return json_with(kPattern, "\"" + regex + "\""); }

Change merge(const std::string& json) { return json_with("/model/merges/0", json); }

Change added(const std::string& field, const std::string& value) {
  return json_with("/added_tokens/0/" + field, value);
}

/// The only template that is there.
Case in_config(const std::string& name, const std::string& chat_template, const std::string& reason) {
  return {name, kTokenizerConfig,        json_with("/chat_template", chat_template), reason,
          {},   {{kTemplate, removed()}}};
}

}  // namespace

std::vector<Case> tokenizer_cases() {
  constexpr std::size_t kDeep = 100'000;
  const std::vector<Edit> long_run = {{kPrompts, repeated("{\"content\": \"", "a", 100'000, "\"}")}};
  const std::vector<Edit> longer_run = {{kPrompts, repeated("{\"content\": \"", "a", 7'000'000, "\"}")}};
  return {
      {"Empty", kTokenizer, contents(""), "malformed JSON"},
      {"NotJson", kTokenizer, contents("version https://git-lfs.github.com/spec/v1\n"), "malformed JSON"},
      {"NotAnObject", kTokenizer, contents("[]"), "malformed JSON"},
      {"Cut", kTokenizer, cut_by(100), "malformed JSON"},
      {"NestedDeep", kTokenizer, nested("{\"a\":", "[", kDeep, "]", "}"), "nested"},
      {"AGigabyteOfZeros", kTokenizer, resized(kGigabyte), "too large"},
      {"ModelMissing", kTokenizer, json_without("/model"), "no vocabulary and merges"},
      {"VocabularyMissing", kTokenizer, json_without("/model/vocab"), "no vocabulary and merges"},
      {"VocabularyIsAList", kTokenizer, json_with("/model/vocab", "[]"), "malformed JSON"},
      {"VocabularyEmpty", kTokenizer, json_with("/model/vocab", "{}"), "not in the vocabulary"},
      {"ModelOfAnotherType", kTokenizer, json_with("/model/type", "\"Unigram\""), "BPE"},
      {"IdTwice", kTokenizer, json_with(kFirstToken, "1"), "same id"},
      {"IdNegative", kTokenizer, json_with(kFirstToken, "-1"), "whole number"},
      {"IdHuge", kTokenizer, json_with(kFirstToken, "4294967296"), "out of range"},
      {"IdOf64Bits", kTokenizer, json_with(kFirstToken, "18446744073709551615"), "out of range"},
      {"IdOf20Digits", kTokenizer, replaced("\"!\": 0", "\"!\": 99999999999999999999"), "whole number"},
      {"IdPastTheModel",
       kTokenizer,
       json_with(kFirstToken, "1000"),
       "does not fit the model",
       "model",
       {{kPrompts, contents("{\"content\":\"!\"}")}}},
      {"TokenTwice", kTokenizer, replaced("\"!\": 0", "\"!\": 0, \"!\": 1000"), "twice"},
      {"SurrogateAlone", kTokenizer, replaced("\"!\": 0", "\"\\ud800\": 0"), "surrogate"},
      {"MergeOfAnUnknownToken", kTokenizer, merge("\"zz zz\""), "not in the vocabulary"},
      {"MergeOfThreeTokens", kTokenizer, merge(R"(["a","b","c"])"), "two tokens"},
      {"MergeOfANumber", kTokenizer, merge("7"), "malformed JSON"},
      {"MergeWithoutSpace", kTokenizer, merge("\"ab\""), "malformed merge"},
      {"AddedTokensAreAnObject", kTokenizer, json_with("/added_tokens", "{\"a\":1}"), "added tokens"},
      {"AddedTokenWithoutText", kTokenizer, json_without("/added_tokens/0/content"), "added token"},
      {"AddedTokenIsANumber", kTokenizer, added("content", "7"), "added token"},
      {"AddedTokenOf20Megabytes", kTokenizer, json_with_long_text("/added_tokens/0/content", 20'000'000),
       "too large"},
      {"DropoutRandom", kTokenizer, json_with("/model/dropout", "0.5"), "dropout"},
      {"NormalizerUnknown", kTokenizer,
       json_with("/normalizer",
                 R"({"type":"Precompiled","precompiled_charsmap":")" + std::string(1'000'000, 'A') + "\"}"),
       "Precompiled"},
      {"NormalizersNestedDeep", kTokenizer,
       json_with("/normalizer", times(R"({"type":"Sequence","normalizers":[)", 100) + times("]}", 100)),
       "nested too deeply"},
      {"PreTokenizerMissing", kTokenizer, json_with("/pre_tokenizer", "null"), "ByteLevel"},
      {"PatternInvalid", kTokenizer, pattern("(a"), "cannot understand a regular expression"},
      {"PatternOfAnotherDialect", kTokenizer, pattern(R"((?<name>a)\\k<name>)"), "not implemented"},
      {"PatternThatRecurses", kTokenizer, pattern("(?R)"), "not implemented"},
      {"PatternThatCallsOut", kTokenizer, pattern("(?C1)a"), "not implemented"},
      {"PatternOfHugeRepetitions", kTokenizer, pattern("((((a{1,65535}){1,65535}){1,65535}){1,65535})"),
       "cannot understand a regular expression"},
      {"PatternOfAMillionGroups", kTokenizer,
       pattern(std::string(1'000'000, '(') + std::string(1'000'000, ')')),
       "cannot understand a regular expression"},
      {"PatternOf20Megabytes", kTokenizer, json_with_long_text(kPattern, 20'000'000), "too large"},
      {"PatternExponential", kTokenizer, pattern("(a+)+$"), "takes too long"},
      {"PatternExponentialByAlternatives", kTokenizer, pattern("(?:a|a|aa)*[cd]"), "takes too long"},
      {"PatternCubic", kTokenizer, pattern("a*a*a*[cd]"), "takes too long", {}, long_run},
      {"PatternThatFillsTheStack", kTokenizer, pattern("(?:(a)|b)*[cd]"), "too much memory", {}, longer_run},
      {"Removed", kTokenizer, removed(), "there is no tokenizer.json"},
      {"AFolder", kTokenizer, as_folder(), "Is a directory"},
      {"DevZero", kTokenizer, as_link_to("/dev/zero"), "too large"},

      {"ConfigNotJson", kTokenizerConfig, contents("{"), "not valid JSON"},
      {"ConfigNotAnObject", kTokenizerConfig, contents("[]"), "not a JSON object"},
      {"ConfigNestedDeep",
       kTokenizerConfig,
       nested("{\"chat_template\":", "[", kDeep, "]", "}"),
       "nested too deeply",
       "model",
       {{kTemplate, removed()}}},
      in_config("TemplateIsANumber", "7", "chat template"),
      in_config("TemplateListOfNumbers", "[1, 2]", "chat template"),
      in_config("TemplateNameIsANumber", R"([{"name": 7, "template": "x"}])", "chat template"),
      in_config("TemplateTextIsANumber", R"([{"name": "default", "template": 7}])", "chat template"),
  };
}

}  // namespace saescope::hostile
