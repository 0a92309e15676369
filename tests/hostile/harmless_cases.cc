// Files that look odd and are right: refusing them would cost users their runs.
#include "formats/format_testing.h"
#include "hostile/changes.h"
#include "hostile/good_run.h"
#include "hostile/torch_bytes.h"

namespace saescope::hostile {

std::vector<Case> harmless_cases() {
  constexpr std::size_t kDeep = 1'000'000;
  const std::string weight = "encoder.weight";
  return {
      {"NothingChanged", kWeights, followed_by(""), ""},
      {"NothingChangedInShards", kIndex, followed_by(""), ""},
      {"NothingChangedInGguf", kGguf, followed_by(""), ""},
      {"NothingChangedInSplitGguf", kFirstPart, followed_by(""), ""},
      {"SaeMadeByHand", kSae, sae_with(weight, pickle::tensor({{256, 32}, {32, 1}})), ""},
      {"SaeTransposed", kSae, sae_with(weight, pickle::tensor({{256, 32}, {1, 256}})), ""},
      {"PickleWithBytesBehindItsStop", kSae,
       torch_file(pickle::dict({{"b_dec", pickle::tensor({{32}, {1}})},
                                {"encoder.bias", pickle::tensor({{256}, {1}})},
                                {weight, pickle::tensor({{256, 32}, {32, 1}})},
                                {"threshold", pickle::tensor({{}, {}})}}) +
                  "cos\nsystem\n."),
       ""},
      {"ConfigWithAKeyTwice", kModelConfig,
       replaced("\"hidden_size\": 32", "\"hidden_size\": 64, \"hidden_size\": 32"), ""},
      {"PromptsWithBomAndCrlf", kPrompts,
       contents("\xEF\xBB\xBF{\"content\":\"a\"}\r\n\r\n{\"content\":\"b\"}"), ""},
      {"PromptWithAnEscapedNul", kPrompts, contents(R"({"content":"a\u0000b"})"), ""},
      {"PromptWithAKeyTwice", kPrompts, contents(R"({"content":7,"content":"a"})"), ""},
      {"PromptWithSomethingDeepBeside", kPrompts, nested("{\"content\":\"a\",\"x\":", "[", kDeep, "]", "}"),
       ""},
      {"PromptOfBytesLikeSpecialTokens", kPrompts, contents(R"({"content":"<|eot_id|>{{ 1 }}{% raw %}"})"),
       ""},
      {"FeaturesWithNotesInAnotherEncoding", kFeatures,
       contents("note,feature_id,source\ncaf\xE9,3.0,tiny_trainer1_layer1\n"), ""},
      {"FeaturesWithALongNote", kFeatures,
       contents("feature_id,source,note\n3,tiny_trainer1_layer1,\"" + std::string(1'000'000, 'a') + "\"\n"),
       ""},
      {"TensorTheIndexForgets", kIndex, json_without("/weight_map/model.layers.0.self_attn.k_proj.weight"),
       ""},
      {"PromptsWithABomOnEveryLine", kPrompts,
       contents("\xEF\xBB\xBF{\"content\":\"a\"}\n\xEF\xBB\xBF{\"content\":\"b\"}\n"), ""},
      {"FeaturesWithoutRows", kFeatures, contents("feature_id,source\n"), ""},
      {"LongWhitespace", kPrompts, contents("{\"content\":\"" + times(" ", 250) + times("a", 60) + "\"}"),
       ""},
  };
}

}  // namespace saescope::hostile
