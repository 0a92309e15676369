#include "model/model_config.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <numeric>

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

/// The layers that have a window.
std::vector<std::size_t> sliding(const ModelConfig& config) {
  std::vector<std::size_t> layers;
  for (std::size_t i = 0; i < config.layers; ++i) {
    if (config.has_window(i)) layers.push_back(i);
  }
  return layers;
}

std::vector<std::size_t> layers_from(std::size_t first, std::size_t end) {
  std::vector<std::size_t> layers(end - first);
  std::iota(layers.begin(), layers.end(), first);
  return layers;
}

TEST(SlidingWindow, IsTheClassesDefaultWhereTheKeyIsMissingAndNoneWhereItIsNull) {
  EXPECT_EQ(windowed("mistral", "").window, 4096u);
  EXPECT_EQ(windowed("mistral", R"(, "sliding_window": null)").window, 0u);
  EXPECT_EQ(windowed("mistral", R"(, "sliding_window": 64)").window, 64u);
  EXPECT_EQ(sliding(windowed("mistral", R"(, "sliding_window": 64)")), layers_from(0, 40));
  EXPECT_EQ(windowed("mistral", R"(, "sliding_window": 64)").attention_of(3).window, 64u);
  EXPECT_EQ(windowed("llama", R"(, "sliding_window": 64)").window, 0u);
}

TEST(SlidingWindow, OfQwenBeginsWhereTheConfigurationSays) {
  for (const char* type : {"qwen2", "qwen3"}) {
    EXPECT_EQ(windowed(type, R"(, "sliding_window": 64)").window, 0u);
    EXPECT_EQ(windowed(type, R"(, "use_sliding_window": true)").window, 4096u);
    EXPECT_EQ(sliding(windowed(type, R"(, "use_sliding_window": true)")), layers_from(28, 40));
    EXPECT_EQ(sliding(windowed(type, R"(, "use_sliding_window": true, "max_window_layers": 0)")),
              layers_from(0, 40));
    EXPECT_EQ(sliding(windowed(type, R"(, "use_sliding_window": true, "max_window_layers": 99)")),
              layers_from(0, 0));
    const std::string types = R"(, "use_sliding_window": true, "num_hidden_layers": 3,
        "layer_types": ["full_attention", "sliding_attention", "full_attention"])";
    EXPECT_EQ(sliding(windowed(type, types)), layers_from(1, 2));
  }
}

TEST(SlidingWindow, OfGemmaTakesTurnsWithFullAttention) {
  EXPECT_EQ(sliding(windowed("gemma2", R"(, "num_hidden_layers": 5)")), (std::vector<std::size_t>{0, 2, 4}));
  EXPECT_EQ(sliding(windowed("gemma3_text", R"(, "num_hidden_layers": 8)")),
            (std::vector<std::size_t>{0, 1, 2, 3, 4, 6, 7}));
  EXPECT_EQ(sliding(windowed("gemma3_text", R"(, "num_hidden_layers": 4, "sliding_window_pattern": 2)")),
            (std::vector<std::size_t>{0, 2}));
}

TEST(SlidingWindow, AListOfAnotherLengthOrOfAnotherKindOfLayerIsRefused) {
  const std::string short_list = R"(, "layer_types": ["full_attention"])";
  EXPECT_THROW(windowed("gemma2", short_list), InputError);
  const std::string linear = R"(, "num_hidden_layers": 1, "layer_types": ["linear_attention"])";
  EXPECT_THROW(windowed("gemma2", linear), InputError);
}

TEST(Gemma3, HasRopeOfItsOwnInLayersWithAWindow) {
  const ModelConfig config =
      windowed("gemma3_text", R"(, "rope_scaling": {"rope_type": "linear", "factor": 8})");
  EXPECT_EQ(&config.rope_of(0), &config.local_rope);
  EXPECT_EQ(&config.rope_of(5), &config.rope);
  EXPECT_EQ(config.local_rope.inverse.front(), 1.0f);
  EXPECT_EQ(config.rope.inverse.front(), 0.125f);
  const ModelConfig version5 = windowed("gemma3_text", R"(, "rope_parameters": {
      "full_attention": {"rope_type": "linear", "factor": 8, "rope_theta": 1000000},
      "sliding_attention": {"rope_type": "default", "rope_theta": 10000}})");
  EXPECT_EQ(version5.rope.inverse, config.rope.inverse);
  EXPECT_EQ(version5.local_rope.inverse, config.local_rope.inverse);
}

TEST(Gemma3, OfAWrapperTheTextModelIsReadWithItsClassesDefaults) {
  const json wrapper = {{"model_type", "gemma3"},
                        {"vision_config", {{"model_type", "siglip_vision_model"}}},
                        {"text_config",
                         {{"model_type", "gemma3_text"},
                          {"hidden_size", 2560},
                          {"intermediate_size", 10240},
                          {"num_hidden_layers", 34},
                          {"sliding_window", 1024}}}};
  const ModelConfig config = model_config_from_json(wrapper, "config.json");
  EXPECT_EQ(config.attention.heads, 8u);
  EXPECT_EQ(config.attention.kv_heads, 4u);
  EXPECT_EQ(config.attention.head_dim, 256u);
  EXPECT_EQ(config.vocabulary, 262208u);
  EXPECT_EQ(config.window, 1024u);
  EXPECT_EQ(config.attention.scale, 0.0625f);
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
