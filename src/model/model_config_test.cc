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

}  // namespace
}  // namespace saescope
