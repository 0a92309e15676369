#include "model/model_config.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace saescope {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json smallest_config() {
  return {{"model_type", "llama"},          {"hidden_size", 32},   {"intermediate_size", 64},
          {"num_hidden_layers", 4},         {"vocab_size", 384},   {"num_attention_heads", 4},
          {"max_position_embeddings", 128}, {"rms_norm_eps", 1e-5}};
}

/// The message about a config.json in which `member` has this value.
std::string error_with(const std::string& member, const json& value) {
  json config = smallest_config();
  config[member] = value;
  try {
    model_config_from_json(config, "config.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no InputError";
}

TEST(ModelConfig, AHeadSizeThatNoModelHasIsRefusedBeforeAnythingIsAllocated) {
  EXPECT_EQ(model_config_from_json(smallest_config(), "config.json").rope.inverse.size(), 4U);
  EXPECT_THAT(error_with("head_dim", 1 << 28), HasSubstr("an even head size of at most 65536"));
}

TEST(ModelConfig, RopeParametersThatLeadToInfiniteFrequenciesAreRefused) {
  EXPECT_THAT(error_with("rope_theta", 1e-300), HasSubstr("unusable frequencies"));
  EXPECT_THAT(error_with("rope_scaling", {{"type", "linear"}, {"factor", 1e-300}}),
              HasSubstr("unusable frequencies"));
}

TEST(ModelConfig, AnEpsilonThatFloat32DoesNotHoldIsRefused) {
  EXPECT_THAT(error_with("rms_norm_eps", 1e300), HasSubstr("epsilon"));
}

/// Of config.json with these keys on top of Mistral's usual ones.
ModelConfig windowed(const std::string& type, const std::string& keys) {
  const std::string text = R"({"model_type": ")" + type +
                           R"(", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 40,
      "num_attention_heads": 4, "head_dim": 64, "vocab_size": 100, "max_position_embeddings": 512)" +
                           keys + "}";
  return model_config_from_json(nlohmann::json::parse(text), "config.json");
}

TEST(SlidingWindow, IsTheClassesDefaultWhereTheKeyIsMissingAndNoneWhereItIsNull) {
  EXPECT_EQ(windowed("mistral", "").window, 4096u);
  EXPECT_EQ(windowed("mistral", R"(, "sliding_window": null)").window, 0u);
  EXPECT_EQ(windowed("mistral", R"(, "sliding_window": 64)").window, 64u);
  EXPECT_EQ(windowed("mistral", R"(, "sliding_window": 64)").first_window_layer, 0u);
  EXPECT_EQ(windowed("llama", R"(, "sliding_window": 64)").window, 0u);
}

TEST(SlidingWindow, OfQwen2BeginsWhereTheConfigurationSays) {
  EXPECT_EQ(windowed("qwen2", R"(, "sliding_window": 64)").window, 0u);
  EXPECT_EQ(windowed("qwen2", R"(, "use_sliding_window": true)").window, 4096u);
  EXPECT_EQ(windowed("qwen2", R"(, "use_sliding_window": true)").first_window_layer, 28u);
  EXPECT_EQ(windowed("qwen2", R"(, "use_sliding_window": true, "max_window_layers": 0)").first_window_layer,
            0u);
  const std::string types =
      R"(, "use_sliding_window": true, "layer_types": ["full_attention", "sliding_attention"])";
  EXPECT_EQ(windowed("qwen2", types).first_window_layer, 1u);
}

TEST(Rope, ReadsTheOriginalContextFromBesideOrWithinTheScaling) {
  const auto inverse = [](const std::string& keys) { return windowed("llama", keys).rope.inverse; };
  const auto within =
      inverse(R"(, "rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 64})");
  EXPECT_EQ(
      inverse(
          R"(, "original_max_position_embeddings": 64, "rope_parameters": {"rope_type": "yarn", "factor": 4})"),
      within);
  EXPECT_NE(inverse(R"(, "rope_scaling": {"type": "yarn", "factor": 4})"), within)
      << "then it is the context";
  EXPECT_EQ(inverse(R"(, "rope_scaling": {"type": "dynamic", "factor": 4})"), inverse(""));
}

TEST(Rope, OfTwoPlacesTheOlderNameCounts) {
  const auto both = windowed("llama", R"(, "rope_scaling": {"type": "linear", "factor": 2},
                                           "rope_parameters": {"rope_type": "linear", "factor": 8})");
  const auto older = windowed("llama", R"(, "rope_scaling": {"type": "linear", "factor": 2})");
  EXPECT_EQ(both.rope.inverse, older.rope.inverse);
}

TEST(Fingerprint, ChangesWithEveryNumberThatActivationsDependOn) {
  const std::string plain = fingerprint(windowed("llama", ""));
  EXPECT_EQ(fingerprint(windowed("llama", "")), plain);
  for (const char* keys :
       {R"(, "rope_theta": 5000)", R"(, "rms_norm_eps": 1e-5)", R"(, "num_key_value_heads": 2)",
        R"(, "rope_scaling": {"type": "yarn", "factor": 4})"}) {
    EXPECT_NE(fingerprint(windowed("llama", keys)), plain) << keys;
  }
}

}  // namespace
}  // namespace saescope
