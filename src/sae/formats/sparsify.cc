#include "sae/formats/sparsify.h"

#include <fmt/format.h>

#include <array>

#include "formats/safetensors.h"
#include "sae/formats/sae_config.h"
#include "sae/formats/sae_tensors.h"

namespace saescope {
namespace {

constexpr const char* kConfig = "cfg.json";
constexpr const char* kWeights = "sae.safetensors";
constexpr std::array kFiles = {kConfig, kWeights};
constexpr int64_t kDefaultK = 32;  // SparseCoderConfig's

/// A folder is named after the module that its SAE was trained on: "layers.12", "layers.12.mlp".
SaeOrigin origin_of(const std::filesystem::path& folder, const SaeConfig& config) {
  const std::string name = folder.filename().string();
  if (!name.starts_with("layers.")) return {{}, std::nullopt, config.path()};
  return {{}, residual_layer(name, config), folder.string()};
}

void require_residual_sae(const SaeConfig& config) {
  if (config.flag("transcode", false)) {
    throw config.refused(
        "this is a transcoder, which reads an MLP's input, not the residual stream behind a block", "an SAE",
        "transcode: true");
  }
  if (config.flag("signed", false)) throw config.bad("signed", "false", "true");
}

void set_activation(const SaeConfig& config, EncoderParameters& encoder) {
  const std::string activation = config.text("activation", "topk");
  if (activation != "topk" && activation != "groupmax") {
    throw config.bad("activation", "topk or groupmax", activation);
  }
  set_k(config.integer("k").value_or(kDefaultK), config.path(), encoder);
  encoder.function = activation == "topk" ? ActivationFunction::kTopK : ActivationFunction::kGroupMax;
  if (activation == "groupmax" && encoder.dict_size % static_cast<uint64_t>(encoder.k) != 0) {
    throw config.bad("k", fmt::format("a divisor of {} features", encoder.dict_size),
                     std::to_string(encoder.k));
  }
}

OpenedSae open_folder(const SaePlace& place) {
  const SaeConfig config = SaeConfig::read((place.path / kConfig).string());
  require_residual_sae(config);
  OpenedSae sae;
  sae.origin = origin_of(place.path, config);
  const auto& weights = sae.files.emplace_back(std::make_shared<const MappedFile>(place.path / kWeights));
  const std::string path = weights->path().string();
  const TorchStateDict state = {parse_safetensors(weights->bytes(), path).tensors, {}};
  const SaeTensors tensors(state, path, "the weights of an SAE of sparsify");
  EncoderParameters& encoder = sae.encoder;
  encoder.class_name = "SparseCoder";
  tensors.bind_weight("encoder.weight", Orientation::kOutIn, encoder);
  config.check_extent("d_in", encoder.activation_dim);
  if (config.integer("num_latents").value_or(0) != 0) config.check_extent("num_latents", encoder.dict_size);
  encoder.bias = tensors.vector("encoder.bias", encoder.dict_size);
  encoder.input_bias = tensors.vector("b_dec", encoder.activation_dim);
  set_activation(config, encoder);
  return sae;
}

}  // namespace

const SaeFormat kSparsify = {
    .name = "sparsify", .files = kFiles, .in_words = "cfg.json and sae.safetensors", .open = open_folder};

}  // namespace saescope
