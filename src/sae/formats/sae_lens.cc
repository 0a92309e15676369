#include "sae/formats/sae_lens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "formats/safetensors.h"
#include "sae/formats/sae_config.h"
#include "sae/formats/sae_tensors.h"

namespace saescope {
namespace {

constexpr const char* kConfig = "cfg.json";
constexpr const char* kWeights = "sae_weights.safetensors";
constexpr std::array kFiles = {kConfig, kWeights};

/// Before version 6 the keys of SAE and language model stand side by side, under older names.
bool is_before_6(const SaeConfig& config) {
  std::string version = config.text("sae_lens_version");
  if (version.empty()) version = config.child("metadata").text("sae_lens_version");
  return version.empty() || std::atoi(version.c_str()) < 6;
}

/// cfg.json under the names of version 6.
struct LensConfig {
  std::string architecture;
  bool subtract_b_dec = true;
  std::string normalize;
  std::string reshape;
  std::string hook;
  std::string model;
  std::optional<int64_t> k;
  bool rescale_by_decoder_norm = false;
};

LensConfig read_6(const SaeConfig& config) {
  const SaeConfig metadata = config.child("metadata");
  LensConfig read;
  read.architecture = config.text("architecture", "standard");
  read.subtract_b_dec = config.flag("apply_b_dec_to_input", true);
  read.normalize = config.text("normalize_activations", "none");
  read.reshape = config.text("reshape_activations", "none");
  read.hook = metadata.text("hook_name");
  read.model = metadata.text("model_name");
  read.k = config.integer("k");
  read.rescale_by_decoder_norm = config.flag("rescale_acts_by_decoder_norm", false);
  return read;
}

std::string renamed(const SaeConfig& config, const char* key, const char* older) {
  return config.text(key, config.text(older));
}

LensConfig read_before_6(const SaeConfig& config) {
  LensConfig read;
  read.architecture = config.text("architecture", "standard");
  read.subtract_b_dec = config.flag("apply_b_dec_to_input", true);
  const nlohmann::json* normalize = config.find("normalize_activations");
  if (normalize != nullptr && normalize->is_boolean()) {
    read.normalize = normalize->get<bool>() ? "expected_average_only_in" : "none";
  } else {
    read.normalize = config.text("normalize_activations", "none");
  }
  read.hook = renamed(config, "hook_name", "hook_point");
  const bool of_heads = read.hook.find("hook_z") != std::string::npos;
  read.reshape = config.text("reshape_activations", of_heads ? "hook_z" : "none");
  read.model = config.text("model_name");
  const std::string function = renamed(config, "activation_fn", "activation_fn_str");
  if (function == "topk") {
    read.architecture = "topk";
    read.k = config.child("activation_fn_kwargs").integer("k");
  } else if (!function.empty() && function != "relu") {
    throw config.bad("activation_fn", "relu or topk", function);
  }
  return read;
}

InputNorm input_norm(const LensConfig& config, const SaeConfig& file, std::vector<std::string>& notes) {
  if (config.normalize == "constant_norm_rescale") return InputNorm::kConstantNorm;
  if (config.normalize == "layer_norm") return InputNorm::kLayerNorm;
  if (config.normalize == "expected_average_only_in") {
    notes.push_back(
        fmt::format("{} asks for activations that were scaled by their average norm, which it does not say: "
                    "they are encoded as "
                    "they are, as SAELens does with files on disk",
                    file.path()));
  } else if (config.normalize != "none") {
    throw file.bad("normalize_activations",
                   "none, constant_norm_rescale, layer_norm or expected_average_only_in", config.normalize);
  }
  return InputNorm::kNone;
}

/// Only decoding multiplies by it; SAELens refuses one that is there and not announced.
void check_scaling_factor(const SaeTensors& tensors, const SaeConfig& config, std::size_t features) {
  constexpr const char* kName = "scaling_factor";
  if (!tensors.has(kName) || config.flag("finetuning_scaling_factor", false)) return;
  constexpr double kTolerance = 1e-5 + 1e-8;  // torch.allclose
  const std::vector<float> factors = tensors.vector(kName, features);
  const bool ones =
      std::all_of(factors.begin(), factors.end(), [](float f) { return std::fabs(f - 1.0) <= kTolerance; });
  if (!ones)
    throw config.bad("finetuning_scaling_factor", "true, since the weights have such factors", "false");
}

void bind_standard(const SaeTensors& tensors, const LensConfig&, const SaeConfig&,
                   EncoderParameters& encoder) {
  encoder.bias = tensors.vector("b_enc", encoder.dict_size);
}

void bind_jump_relu(const SaeTensors& tensors, const LensConfig&, const SaeConfig&,
                    EncoderParameters& encoder) {
  encoder.function = ActivationFunction::kJumpRelu;
  encoder.bias = tensors.vector("b_enc", encoder.dict_size);
  encoder.feature_threshold = tensors.vector("threshold", encoder.dict_size);
  tensors.require_no_nan("threshold", encoder.feature_threshold);
}

void bind_top_k(const SaeTensors& tensors, const LensConfig& config, const SaeConfig& file,
                EncoderParameters& encoder) {
  encoder.function = ActivationFunction::kTopK;
  encoder.bias = tensors.vector("b_enc", encoder.dict_size);
  if (!config.k) throw file.bad("k", "a positive integer", "no such key");
  set_k(*config.k, file.path(), encoder);
  if (!config.rescale_by_decoder_norm) return;
  encoder.scale = tensors.decoder_norms("W_dec", Orientation::kInOut, encoder);
  for (std::size_t f = 0; f < encoder.dict_size; ++f) encoder.bias[f] *= encoder.scale[f];
}

void bind_gated(const SaeTensors& tensors, const LensConfig&, const SaeConfig&, EncoderParameters& encoder) {
  encoder.function = ActivationFunction::kGated;
  encoder.gate_bias = tensors.vector("b_gate", encoder.dict_size);
  tensors.require_no_nan("b_gate", encoder.gate_bias);
  encoder.bias = tensors.vector("b_mag", encoder.dict_size);
  encoder.scale = tensors.vector("r_mag", encoder.dict_size);
  for (float& r : encoder.scale) r = std::exp(r);
}

using Binder = void (*)(const SaeTensors&, const LensConfig&, const SaeConfig&, EncoderParameters&);

/// @throws InputError that says what an architecture is that cannot be read
Binder find_binder(const std::string& architecture, const SaeConfig& config) {
  static const std::map<std::string, Binder, std::less<>> kBinders = {
      {"standard", bind_standard}, {"jumprelu", bind_jump_relu}, {"topk", bind_top_k}, {"gated", bind_gated}};
  if (const auto binder = kBinders.find(architecture); binder != kBinders.end()) return binder->second;
  const bool transcoder = architecture.find("transcoder") != std::string::npos;
  throw config.refused(
      transcoder ? "this is a transcoder, which reads an MLP's input, not the residual stream behind a block"
                 : "SAEs of this architecture are not read",
      "an SAE of the architecture standard, jumprelu, topk or gated", architecture);
}

OpenedSae open_folder(const SaePlace& place) {
  const SaeConfig file = SaeConfig::read((place.path / kConfig).string());
  const LensConfig config = is_before_6(file) ? read_before_6(file) : read_6(file);
  const Binder bind = find_binder(config.architecture, file);
  OpenedSae sae;
  sae.origin = {config.model, residual_layer(config.hook, file), file.path()};
  if (config.reshape != "none") throw file.bad("reshape_activations", "none", config.reshape);
  const auto& weights = sae.files.emplace_back(std::make_shared<const MappedFile>(place.path / kWeights));
  const std::string path = weights->path().string();
  const TorchStateDict state = {parse_safetensors(weights->bytes(), path).tensors, {}};
  const SaeTensors tensors(state, path,
                           fmt::format("the weights of a {} SAE of SAELens", config.architecture));
  EncoderParameters& encoder = sae.encoder;
  encoder.class_name = config.architecture;
  tensors.bind_weight("W_enc", Orientation::kInOut, encoder);
  file.check_extent("d_in", encoder.activation_dim);
  file.check_extent("d_sae", encoder.dict_size);
  check_scaling_factor(tensors, file, encoder.dict_size);
  encoder.input_norm = input_norm(config, file, sae.notes);
  if (config.subtract_b_dec) encoder.input_bias = tensors.vector("b_dec", encoder.activation_dim);
  bind(tensors, config, file, encoder);
  return sae;
}

}  // namespace

const SaeFormat kSaeLens = {.name = "SAELens",
                            .files = kFiles,
                            .in_words = "cfg.json and sae_weights.safetensors",
                            .open = open_folder};

}  // namespace saescope
