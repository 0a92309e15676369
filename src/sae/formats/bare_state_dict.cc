#include "sae/formats/bare_state_dict.h"

#include <fmt/format.h>

#include "formats/torch_archive.h"
#include "sae/formats/sae_config.h"
#include "sae/formats/sae_tensors.h"

namespace saescope {
namespace {

void bind_linear(const SaeTensors& tensors, const std::string& layer, EncoderParameters& encoder) {
  tensors.bind_weight(layer + ".weight", Orientation::kOutIn, encoder);
  encoder.bias = tensors.vector(layer + ".bias", encoder.dict_size);
}

/// Width and k of "SAE-Res-Qwen3-8B-Base-W64K-L0_50".
struct QwenScopeName {
  uint64_t width = 0;
  int64_t k = 0;
};

QwenScopeName parse_qwen_scope(const SaePlace& place) {
  constexpr uint64_t kThousand = 1024;
  for (const std::string& text : {place.repository, place.path.string()}) {
    const auto width = number_behind("-W", text);
    const auto k = number_behind("K-L0_", text);
    if (width && k) return {static_cast<uint64_t>(*width) * kThousand, *k};
  }
  throw InputError({.what = "nothing says how many features this SAE keeps",
                    .where = place.path.string(),
                    .expected = "a repository or a folder named like SAE-Res-Qwen3-8B-Base-W64K-L0_50",
                    .found = place.repository.empty() ? "a file without a repository" : place.repository,
                    .hint = "put the file into a folder of its repository's name"});
}

void bind_qwen_scope(const SaeTensors& tensors, const SaePlace& place, OpenedSae& sae) {
  const QwenScopeName name = parse_qwen_scope(place);
  EncoderParameters& encoder = sae.encoder;
  encoder.class_name = "Qwen-Scope";
  encoder.function = ActivationFunction::kTopK;
  tensors.bind_weight("W_enc", Orientation::kOutIn, encoder);
  if (encoder.dict_size != name.width) {
    throw InputError({.what = "the SAE does not have the width that its repository's name says",
                      .where = place.path.string(),
                      .expected = fmt::format("{} features", name.width),
                      .found = fmt::format("{}", encoder.dict_size)});
  }
  encoder.bias = tensors.vector("b_enc", encoder.dict_size);
  set_k(name.k, place.path.string(), encoder);
  sae.origin.layer = number_behind("layer", place.path.filename().string());
}

OpenedSae open_file(const SaePlace& place) {
  OpenedSae sae;
  const auto& file = sae.files.emplace_back(std::make_shared<const MappedFile>(place.path));
  const std::string path = file->path().string();
  sae.origin.place = path;
  const TorchStateDict state = parse_torch_archive(file->bytes(), path);
  const SaeTensors tensors(
      state, path,
      "the state dict of an SAE: `encoder_linear.weight`, `W_enc` or `encoder.weight` with its bias");
  if (tensors.has("W_enc")) {
    bind_qwen_scope(tensors, place, sae);
    return sae;
  }
  const bool goodfire = tensors.has("encoder_linear.weight");
  sae.encoder.class_name = goodfire ? "Goodfire" : "qresearch";
  bind_linear(tensors, goodfire ? "encoder_linear" : "encoder", sae.encoder);
  sae.origin.layer = number_behind("-l", place.path.filename().string());
  return sae;
}

}  // namespace

const SaeFormat kBareStateDict = {
    .name = "a state dict", .files = {}, .in_words = "one .pt or .pth file", .open = open_file};

}  // namespace saescope
