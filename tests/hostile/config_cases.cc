// config.json of models and of SAEs.
#include "hostile/changes.h"
#include "hostile/good_run.h"

namespace saescope::hostile {
namespace {

constexpr std::size_t kDeep = 100'000;

/// A value of the model's config.json, as JSON text.
Change model(const std::string& key, const std::string& value) { return json_with("/" + key, value); }

/// A value of the SAE's `trainer`, as JSON text.
Change trainer(const std::string& key, const std::string& value) {
  return json_with("/trainer/" + key, value);
}

/// A value nested so deeply that printing it must not recurse.
Change deep(const std::string& good) {
  return replaced(good, good.substr(0, good.find(':') + 1) + times("[", kDeep) + times("]", kDeep));
}

}  // namespace

std::vector<Case> model_config_cases() {
  return {
      {"Empty", kModelConfig, contents(""), "not valid JSON"},
      {"NotJson", kModelConfig, contents("<html>404 Not Found</html>"), "not valid JSON"},
      {"Cut", kModelConfig, cut_by(10), "not valid JSON"},
      {"InvalidUtf8", kModelConfig, replaced("\"silu\"", "\"\xC3\x28\""), "not valid JSON"},
      {"NotAnObject", kModelConfig, contents("[1]"), "a JSON object"},
      {"AHundredThousandArrays", kModelConfig, nested("", "[", kDeep, "]"), "nested too deeply"},
      {"AHundredThousandObjects", kModelConfig, nested("", "{\"a\":", kDeep - 1, "}"), "nested too deeply"},
      {"AValueOfAHundredThousandArrays", kModelConfig, deep("\"hidden_size\": 32"), "nested too deeply"},
      {"AGigabyteOfZeros", kModelConfig, resized(kGigabyte), "too large"},
      {"ManyMegabytesOfTinyArrays", kModelConfig, repeated("{\"a\":[[]", ",[]", 5'000'000, "]}"),
       "model_type"},
      {"ATextOfAMegabyte", kModelConfig, model("model_type", "\"" + std::string(1'000'000, 'a') + "\""),
       "qwen2 or qwen3"},
      {"ATextWithTerminalCommands", kModelConfig, model("model_type", R"("\u001b[2J\nerror: none")"),
       "qwen2 or qwen3"},
      {"ArchitectureUnknown", kModelConfig, model("model_type", "\"gpt2\""), "qwen2 or qwen3"},
      {"ArchitectureMissing", kModelConfig, json_without("/model_type"), "qwen2 or qwen3"},
      {"IntegerOf20Digits", kModelConfig, model("hidden_size", "99999999999999999999"), "hidden_size"},
      {"IntegerOf64Bits", kModelConfig, model("hidden_size", "18446744073709551615"), "hidden_size"},
      {"NumberOutOfRange", kModelConfig, replaced("10000.0", "1e999"), "not valid JSON"},
      {"NotANumber", kModelConfig, replaced("10000.0", "NaN"), "not valid JSON"},
      {"LayersNegative", kModelConfig, model("num_hidden_layers", "-4"), "num_hidden_layers"},
      {"LayersHuge", kModelConfig, model("num_hidden_layers", "2147483648"), "at most 4096 layers"},
      {"LayersFewerThanAsked", kModelConfig, model("num_hidden_layers", "1"), "no such layer", "model"},
      {"LayersMissing", kModelConfig, json_without("/num_hidden_layers"), "no such key"},
      {"HeadsZero", kModelConfig, model("num_attention_heads", "0"), "num_attention_heads"},
      {"HeadsAreText", kModelConfig, model("num_attention_heads", "\"4\""), "num_attention_heads"},
      {"HeadsFractional", kModelConfig, model("num_attention_heads", "4.0"), "num_attention_heads"},
      {"HeadsAreAList", kModelConfig, model("num_attention_heads", "[4]"), "num_attention_heads"},
      {"KeyValueHeadsDoNotDivide", kModelConfig, model("num_key_value_heads", "3"), "divide the heads"},
      {"KeyValueHeadsMoreThanHeads", kModelConfig, model("num_key_value_heads", "8"), "divide the heads"},
      {"HeadSizeOdd", kModelConfig, model("head_dim", "7"), "even head size"},
      {"HeadSizeHuge", kModelConfig,
       both(model("head_dim", "2147483648"),
            both(model("num_attention_heads", "1"), model("num_key_value_heads", "1"))),
       "head size of at most"},
      {"HiddenSizeOfAnotherModel", kModelConfig, model("hidden_size", "64"), "does not hold the weights",
       "model"},
      {"HiddenSizeTwice", kModelConfig,
       replaced("\"hidden_size\": 32", "\"hidden_size\": 32, \"hidden_size\": 0"), "hidden_size"},
      {"VocabularyTooSmall", kModelConfig, model("vocab_size", "100"), "does not fit the model", "model"},
      {"ContextZero", kModelConfig, model("max_position_embeddings", "0"), "max_position_embeddings"},
      {"ContextOfOneToken", kModelConfig, model("max_position_embeddings", "1"), "too long", "prompts.jsonl"},
      {"EpsilonZero", kModelConfig, model("rms_norm_eps", "0"), "rms_norm_eps"},
      {"ThetaNegative", kModelConfig, model("rope_theta", "-1"), "rope_theta"},
      {"RopeScalingIsAList", kModelConfig, model("rope_scaling", "[]"), "JSON object"},
      {"RopeScalingUnknown", kModelConfig, model("rope_scaling", R"({"rope_type":"longrope","factor":4})"),
       "default, linear, dynamic, llama3 or yarn"},
      {"RopeScalingIsAText", kModelConfig, model("rope_scaling", "\"yarn\""), "a JSON object"},
      {"RopeOfAPartOfTheHead", kModelConfig, model("partial_rotary_factor", "0.5"), "partial_rotary_factor"},
      {"QuantisedByAnotherMethod", kModelConfig, model("quantization_config", R"({"quant_method":"gptq"})"),
       "quantised with the method gptq"},
      {"AnEncoder", kModelConfig, model("model_type", "\"modernbert\""), "an encoder"},
      {"RopeScalingWithoutFactor", kModelConfig, model("rope_scaling", R"({"rope_type":"llama3"})"),
       "factor"},
      {"RopeFactorZero", kModelConfig, model("rope_scaling", R"({"rope_type":"linear","factor":0})"),
       "factor"},
      {"ActivationUnknown", kModelConfig, model("hidden_act", "\"gelu\""), "silu"},
      {"BiasIsANumber", kModelConfig, model("attention_bias", "1"), "true or false"},
      {"Removed", kModelConfig, removed(), "No such file"},
      {"AFolder", kModelConfig, as_folder(), "Is a directory"},
      {"DevZero", kModelConfig, as_link_to("/dev/zero"), "too large"},
  };
}

std::vector<Case> sae_config_cases() {
  return {
      {"NotJson", kSaeConfig, contents("{"), "not valid JSON"},
      {"AHundredThousandArrays", kSaeConfig, nested("", "[", kDeep, "]"), "nested too deeply"},
      {"AValueOfAHundredThousandArrays", kSaeConfig, deep("\"dict_size\": 256"), "nested too deeply"},
      {"NotAnObject", kSaeConfig, contents("\"trainer\""), "an object `trainer`"},
      {"TrainerIsAList", kSaeConfig, contents("{\"trainer\":[]}"), "an object `trainer`"},
      {"ClassUnknown", kSaeConfig, trainer("dict_class", "\"os.system\""), "unknown dictionary class"},
      {"ClassIsANumber", kSaeConfig, trainer("dict_class", "3"), "dict_class"},
      {"ClassMissing", kSaeConfig, json_without("/trainer/dict_class"), "dict_class"},
      {"ClassOfOtherTensors", kSaeConfig, trainer("dict_class", "\"GatedAutoEncoder\""), "no tensor"},
      {"KZero", kSaeConfig, trainer("k", "0"), "trainer.k"},
      {"KOf64Bits", kSaeConfig, trainer("k", "18446744073709551615"), "trainer.k"},
      {"KIsAFloat", kSaeConfig, trainer("k", "16.5"), "trainer.k"},
      {"DictionarySizeOfAnotherSae", kSaeConfig, trainer("dict_size", "512"), "disagree about dict_size"},
      {"DictionarySizeHuge", kSaeConfig, trainer("dict_size", "99999999999999999999"),
       "disagree about dict_size"},
      {"DictionarySizeIsAList", kSaeConfig, trainer("dict_size", times("[", 60) + times("]", 60)),
       "disagree about dict_size"},
      {"Removed", kSaeConfig, removed(), "no SAE", "sae/layer_1"},
      {"AFolder", kSaeConfig, as_folder(), "Is a directory"},
  };
}

}  // namespace saescope::hostile
