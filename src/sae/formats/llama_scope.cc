#include "sae/formats/llama_scope.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "formats/safetensors.h"
#include "sae/formats/sae_config.h"
#include "sae/formats/sae_tensors.h"

namespace saescope {
namespace {

constexpr std::array kFiles = {"hyperparams.json", "checkpoints/final.safetensors"};
constexpr std::array kR1Files = {"config.json", "sae_weights.safetensors"};

/// Average norms of the activations that the SAE was trained on, which were scaled to √d.
struct ActivationNorms {
  double in = 0;
  double out = 0;
};

/// What the authors' code would do that this does not.
void require_plain(const SaeConfig& config) {
  if (const std::string function = config.text("act_fn", "jumprelu"); function != "jumprelu") {
    throw config.bad("act_fn", "jumprelu", function);
  }
  for (const char* key : {"apply_decoder_bias_to_pre_encoder", "use_glu_encoder"}) {
    if (config.flag(key, false)) throw config.bad(key, "false", "true");
  }
}

/// A folder's files, opened, with the encoder bound but for its activation function.
struct Opened {
  OpenedSae sae;
  TorchStateDict state;
};

Opened open_files(const std::filesystem::path& weights, const SaeConfig& config) {
  Opened opened;
  require_plain(config);
  opened.sae.origin = {{}, residual_layer(config.text("hook_point_in"), config), config.path()};
  const auto& file = opened.sae.files.emplace_back(std::make_shared<const MappedFile>(weights));
  opened.state = {parse_safetensors(file->bytes(), file->path().string()).tensors, {}};
  return opened;
}

SaeTensors tensors_of(const Opened& opened) {
  return {opened.state, opened.sae.files.front()->path().string(), "the weights of an SAE of Llama Scope"};
}

void bind_linear(const SaeTensors& tensors, const SaeConfig& config, EncoderParameters& encoder) {
  tensors.bind_weight("encoder.weight", Orientation::kOutIn, encoder);
  config.check_extent("d_model", encoder.activation_dim);
  config.check_extent("d_sae", encoder.dict_size);
  encoder.bias = tensors.vector("encoder.bias", encoder.dict_size);
}

double input_scale(const ActivationNorms& norms, const EncoderParameters& encoder) {
  return std::sqrt(static_cast<double>(encoder.activation_dim)) / norms.in;
}

/// n of every feature; ones where the SAE was trained without.
std::vector<float> gate_factors(const SaeTensors& tensors, const SaeConfig& config,
                                const ActivationNorms& norms, const EncoderParameters& encoder) {
  if (!config.flag("sparsity_include_decoder_norm", true)) {
    return std::vector<float>(encoder.dict_size, 1.0f);
  }
  std::vector<float> factors = tensors.decoder_norms("decoder.weight", Orientation::kOutIn, encoder);
  for (float& factor : factors) factor = static_cast<float>(factor * norms.out / norms.in);
  return factors;
}

double positive(const SaeConfig& config, const char* key) {
  const auto value = config.number(key);
  if (value && *value > 0 && std::isfinite(*value)) return *value;
  throw config.bad(key, "a positive number", value ? fmt::format("{}", *value) : "no such key");
}

OpenedSae open_llama_scope(const SaePlace& place) {
  const SaeConfig config = SaeConfig::read((place.path / kFiles[0]).string());
  if (const std::string norm = config.text("norm_activation"); norm != "dataset-wise") {
    throw config.bad("norm_activation", "dataset-wise", norm);
  }
  const SaeConfig measured = config.child("dataset_average_activation_norm");
  const ActivationNorms norms = {positive(measured, "in"), positive(measured, "out")};
  Opened opened = open_files(place.path / kFiles[1], config);
  const SaeTensors tensors = tensors_of(opened);
  EncoderParameters& encoder = opened.sae.encoder;
  encoder.class_name = "Llama Scope";
  encoder.function = ActivationFunction::kThreshold;
  bind_linear(tensors, config, encoder);
  const double s = input_scale(norms, encoder);
  const double threshold = positive(config, "jump_relu_threshold");
  if (place.reading == SaeReading::kSaeLens) {
    encoder.scale.assign(encoder.dict_size, static_cast<float>(s));
    encoder.threshold = static_cast<float>(threshold * s);
    return std::move(opened.sae);
  }
  encoder.scale = gate_factors(tensors, config, norms, encoder);
  for (std::size_t f = 0; f < encoder.dict_size; ++f) {
    encoder.bias[f] = static_cast<float>(encoder.bias[f] / s) * encoder.scale[f];
  }
  encoder.threshold = static_cast<float>(threshold);
  return std::move(opened.sae);
}

std::string norm_name(const SaeConfig& config, const char* hook) {
  return "dataset_average_activation_norm." + config.text(hook);
}

bool has_norms(const SaeTensors& tensors, const SaeConfig& config) {
  return tensors.has(norm_name(config, "hook_point_in"));
}

/// Of a hook, from the tensors; 1 / 1 with √d where the weights were folded already.
ActivationNorms stored_norms(const SaeTensors& tensors, const SaeConfig& config,
                             const EncoderParameters& encoder) {
  const double none = std::sqrt(static_cast<double>(encoder.activation_dim));
  if (config.text("norm_activation", "dataset-wise") == "inference") return {none, none};
  const auto find = [&](const char* key) {
    const std::string name = norm_name(config, key);
    const auto norm = tensors.number(name);
    if (norm && *norm > 0 && std::isfinite(*norm)) return *norm;
    throw InputError(
        {.what = fmt::format("no usable tensor `{}`", name),
         .where = tensors.path(),
         .expected = "the average norm of the activations, one positive number",
         .found = norm ? fmt::format("{}", *norm) : tensors.list_keys(),
         .hint = "without it SAELens' reading can be had with sae_reading = \"saelens\" in the entry"});
  };
  return {find("hook_point_in"), find("hook_point_out")};
}

OpenedSae open_llama_scope_r1(const SaePlace& place) {
  const SaeConfig config = SaeConfig::read((place.path / kR1Files[0]).string());
  Opened opened = open_files(place.path / kR1Files[1], config);
  const SaeTensors tensors = tensors_of(opened);
  EncoderParameters& encoder = opened.sae.encoder;
  encoder.class_name = "Llama Scope R1";
  encoder.function = ActivationFunction::kJumpRelu;
  bind_linear(tensors, config, encoder);
  encoder.feature_threshold = tensors.vector("log_jumprelu_threshold", encoder.dict_size);
  tensors.require_no_nan("log_jumprelu_threshold", encoder.feature_threshold);
  for (float& threshold : encoder.feature_threshold) threshold = std::exp(threshold);
  if (place.reading == SaeReading::kSaeLens && !has_norms(tensors, config)) return std::move(opened.sae);
  const ActivationNorms norms = stored_norms(tensors, config, encoder);
  const double s = input_scale(norms, encoder);
  if (place.reading == SaeReading::kSaeLens) {
    encoder.scale.assign(encoder.dict_size, static_cast<float>(s));
    return std::move(opened.sae);
  }
  const std::vector<float> factors = gate_factors(tensors, config, norms, encoder);
  for (std::size_t f = 0; f < encoder.dict_size; ++f) {
    encoder.bias[f] = static_cast<float>(encoder.bias[f] / s);
    encoder.feature_threshold[f] /= factors[f];
  }
  return std::move(opened.sae);
}

}  // namespace

const SaeFormat kLlamaScope = {.name = "Llama Scope",
                               .files = kFiles,
                               .in_words = "hyperparams.json and checkpoints/final.safetensors",
                               .open = open_llama_scope};

const SaeFormat kLlamaScopeR1 = {.name = "Llama Scope R1",
                                 .files = kR1Files,
                                 .in_words = "config.json and sae_weights.safetensors",
                                 .open = open_llama_scope_r1};

}  // namespace saescope
