#include "sae/formats/gemma_scope.h"

#include <fmt/format.h>

#include <array>
#include <system_error>

#include "formats/npz.h"
#include "formats/safetensors.h"
#include "sae/formats/sae_config.h"
#include "sae/formats/sae_tensors.h"

namespace saescope {
namespace {

constexpr std::array kFiles1 = {"params.npz"};
constexpr std::array kFiles2 = {"params.safetensors"};
constexpr std::array kOptional2 = {"config.json"};
constexpr std::array<std::string_view, 3> kNeeded1 = {"W_enc", "b_enc", "threshold"};

void bind_jump_relu(const SaeTensors& tensors, std::string_view weight, EncoderParameters& encoder) {
  tensors.bind_weight(weight, Orientation::kInOut, encoder);
  encoder.function = ActivationFunction::kJumpRelu;
  encoder.bias = tensors.vector("b_enc", encoder.dict_size);
  encoder.feature_threshold = tensors.vector("threshold", encoder.dict_size);
  tensors.require_no_nan("threshold", encoder.feature_threshold);
}

/// The layer that the folders of an SAE name. @throws InputError where they name something else
std::optional<int64_t> layer_of(const std::filesystem::path& folder) {
  const std::string path = folder.string();
  for (const std::string_view other : {"embedding", "transcoder", "attn_out", "mlp_out", "clt"}) {
    if (path.find(other) == std::string::npos) continue;
    throw InputError({.what = "this SAE was not trained on the residual stream behind a block",
                      .where = path,
                      .expected = "an SAE of the residual stream",
                      .found = std::string(other)});
  }
  return number_behind("layer_", path);
}

OpenedSae open_gemma_scope_1(const SaePlace& place) {
  OpenedSae sae;
  sae.origin = {{}, layer_of(place.path), place.path.string()};
  const auto& file = sae.files.emplace_back(std::make_shared<const MappedFile>(place.path / kFiles1[0]));
  const std::string path = file->path().string();
  NpzArrays arrays = parse_npz(file->bytes(), path, kNeeded1);
  sae.unpacked = std::move(arrays.unpacked);
  const TorchStateDict state = {std::move(arrays.arrays), {}};
  sae.encoder.class_name = "Gemma Scope";
  bind_jump_relu(SaeTensors(state, path, "the arrays of an SAE of Gemma Scope"), "W_enc", sae.encoder);
  return sae;
}

/// "gemma-v3-4b-it" is how some of its configurations spell gemma-3-4b-it.
std::string model_of(const SaeConfig& config) {
  constexpr std::string_view kVersion = "-v3";
  std::string model = config.text("model_name");
  if (const std::size_t at = model.find(kVersion); at != std::string::npos) {
    model.replace(at, kVersion.size(), "-3");
  }
  return model;
}

SaeOrigin read_config(const SaePlace& place) {
  const std::filesystem::path path = place.path / kOptional2[0];
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {{}, layer_of(place.path), place.path.string()};
  const SaeConfig config = SaeConfig::read(path.string());
  if (const std::string kind = config.text("architecture", "jump_relu"); kind != "jump_relu") {
    throw config.bad("architecture", "jump_relu", kind);
  }
  auto layer = residual_layer(config.text("hf_hook_point_in"), config);
  return {model_of(config), layer ? layer : layer_of(place.path), config.path()};
}

OpenedSae open_gemma_scope_2(const SaePlace& place) {
  OpenedSae sae;
  sae.origin = read_config(place);
  const auto& file = sae.files.emplace_back(std::make_shared<const MappedFile>(place.path / kFiles2[0]));
  const std::string path = file->path().string();
  const TorchStateDict state = {parse_safetensors(file->bytes(), path).tensors, {}};
  sae.encoder.class_name = "Gemma Scope 2";
  const SaeTensors tensors(state, path, "the weights of an SAE of Gemma Scope 2");
  if (tensors.has("affine_skip_connection")) {
    throw InputError({.what = "this is a transcoder, which reads an MLP's input, not the residual stream",
                      .where = path,
                      .expected = "an SAE",
                      .found = "the tensor affine_skip_connection"});
  }
  bind_jump_relu(tensors, "w_enc", sae.encoder);
  return sae;
}

}  // namespace

const SaeFormat kGemmaScope1 = {
    .name = "Gemma Scope", .files = kFiles1, .in_words = "params.npz", .open = open_gemma_scope_1};

const SaeFormat kGemmaScope2 = {.name = "Gemma Scope 2",
                                .files = kFiles2,
                                .optional_files = kOptional2,
                                .in_words = "params.safetensors",
                                .open = open_gemma_scope_2};

}  // namespace saescope
