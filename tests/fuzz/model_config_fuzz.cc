#include "model/model_config.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "formats/json_document.h"
#include "fuzz_target.h"

namespace {

using saescope::ModelConfig;
using saescope::testing::require;

void check(const ModelConfig& config) {
  const saescope::AttentionShape& attention = config.attention;
  require(config.hidden_size > 0 && config.intermediate_size > 0 && config.layers > 0);
  require(config.vocabulary > 0 && config.context_length > 0);
  require(attention.kv_heads > 0 && attention.heads % attention.kv_heads == 0);
  require(config.rope.inverse.size() == attention.head_dim / 2);
  require(std::isfinite(config.rms_norm_epsilon));
  require(std::all_of(config.rope.inverse.begin(), config.rope.inverse.end(),
                      [](float frequency) { return std::isfinite(frequency); }));
}

}  // namespace

// config.json of a checkpoint; a GGUF file is read for its metadata.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using saescope::testing::run_fuzz_input;
  using saescope::testing::run_fuzz_text;
  if (size > 4 && std::equal(data, data + 4, "GGUF")) {
    return run_fuzz_input(data, size, [](std::span<const std::byte> bytes) {
      check(saescope::model_config_from_gguf(saescope::parse_gguf(bytes, "fuzz")));
    });
  }
  return run_fuzz_text(data, size, [](std::string_view text) {
    check(saescope::model_config_from_json(saescope::parse_json(std::string(text), "fuzz"), "fuzz"));
  });
}
