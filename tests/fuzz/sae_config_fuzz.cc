#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "formats/json_document.h"
#include "fuzz_target.h"
#include "sae/formats/dictionary_learning.h"

namespace {

using saescope::DType;
using saescope::EncoderParameters;
using saescope::Shape;
using saescope::TensorView;
using saescope::TorchStateDict;
using saescope::testing::require;

constexpr uint64_t kActivationDim = 2;
constexpr uint64_t kDictSize = 3;
constexpr std::array<float, kActivationDim* kDictSize> kNumbers = {1, -1, 0.5F, 2, 0, 3};

TensorView view(Shape shape) {
  const std::vector<uint64_t> strides = saescope::contiguous_strides(shape);
  return {DType::kF32, std::move(shape), strides, reinterpret_cast<const std::byte*>(kNumbers.data())};
}

/// A state dict with the tensors of every class. The classes disagree about the shape of `threshold`.
TorchStateDict state_dict(const TensorView& threshold) {
  TorchStateDict state;
  state.tensors = {{"encoder.weight", view({kDictSize, kActivationDim})},
                   {"decoder.weight", view({kActivationDim, kDictSize})},
                   {"W_enc", view({kActivationDim, kDictSize})},
                   {"threshold", threshold}};
  for (const char* name : {"encoder.bias", "gate_bias", "mag_bias", "r_mag", "b_enc"}) {
    state.tensors[name] = view({kDictSize});
  }
  for (const char* name : {"bias", "decoder_bias", "b_dec"}) state.tensors[name] = view({kActivationDim});
  return state;
}

void check_binding(const TorchStateDict& state, const nlohmann::json& config) {
  const EncoderParameters encoder = saescope::bind_encoder(state, config, "ae.pt", "config.json");
  require(encoder.activation_dim == kActivationDim && encoder.dict_size == kDictSize);
  require(encoder.bias.empty() || encoder.bias.size() == kDictSize);
  require(encoder.k >= 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const TorchStateDict kOneThreshold = state_dict(view({}));
  static const TorchStateDict kFeatureThresholds = state_dict(view({kDictSize}));
  using saescope::testing::run_fuzz_text;
  for (const TorchStateDict* state : {&kOneThreshold, &kFeatureThresholds}) {
    run_fuzz_text(data, size, [&](std::string_view text) {
      check_binding(*state, saescope::parse_json(std::string(text), "config.json"));
    });
  }
  return 0;
}
