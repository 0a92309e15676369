#include "sae/formats/dictionary_learning.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/json_document.h"
#include "sae/formats/sae_config.h"
#include "sae/formats/sae_tensors.h"

namespace saescope {
namespace {

std::string class_of(const nlohmann::json& trainer, const std::string& config_path) {
  const auto it = trainer.find("dict_class");
  if (it == trainer.end() || !it->is_string()) {
    throw InputError({.what = "no `trainer.dict_class`",
                      .where = config_path,
                      .expected = "the name of a class of dictionary_learning"});
  }
  return it->get<std::string>();
}

/// Look-ups in a state dict and its config.json, with the errors that name both files.
class StateReader : public SaeTensors {
 public:
  StateReader(const TorchStateDict& state, const nlohmann::json& trainer, std::string ae_path,
              const std::string& config_path)
      : SaeTensors(state, std::move(ae_path),
                   fmt::format("a state dict of class {}, which {} names", class_of(trainer, config_path),
                               config_path)),
        trainer_(trainer),
        config_path_(config_path) {}

  /// `k` stands in both files; as in the package they must agree.
  int64_t k() const {
    const auto it = trainer_.find("k");
    if (it == trainer_.end() || !it->is_number_integer() || it->get<int64_t>() <= 0) {
      throw InputError(
          {.what = "no usable `trainer.k`", .where = config_path_, .expected = "a positive integer"});
    }
    const auto stored = number("k");
    if (stored && *stored != it->get<double>()) {
      throw disagreement("k", fmt::format("{}", it->get<int64_t>()), fmt::format("{}", *stored));
    }
    return it->get<int64_t>();
  }

  /// As SaeTensors does it; config.json's extents, where it has them, must be the tensor's.
  void bind_checked_weight(const char* name, Orientation orientation, EncoderParameters& encoder) const {
    bind_weight(name, orientation, encoder);
    check_extent("dict_size", encoder.dict_size);
    check_extent("activation_dim", encoder.activation_dim);
  }

  const std::string& config_path() const { return config_path_; }

 private:
  void check_extent(const char* key, uint64_t from_tensor) const {
    const auto it = trainer_.find(key);
    if (it == trainer_.end() || it->is_null()) return;
    if (!it->is_number_integer() || it->get<double>() != static_cast<double>(from_tensor)) {
      throw disagreement(key, it->dump(), std::to_string(from_tensor));
    }
  }

  InputError disagreement(const char* key, std::string in_config, std::string in_ae) const {
    return InputError({.what = fmt::format("config.json and ae.pt disagree about {}", key),
                       .where = path(),
                       .expected = fmt::format("{} ({})", std::move(in_config), config_path_),
                       .found = fmt::format("{} ({})", std::move(in_ae), path()),
                       .hint = "download both files of this SAE again"});
  }

  const nlohmann::json& trainer_;
  const std::string& config_path_;
};

/// torch.allclose(norms, 1) with its default tolerances.
bool all_close_to_one(const std::vector<float>& norms) {
  constexpr double kTolerance = 1e-5 + 1e-8;
  return std::all_of(norms.begin(), norms.end(), [](float n) { return std::fabs(n - 1.0) <= kTolerance; });
}

void bind_linear(const StateReader& reader, const char* input_bias, EncoderParameters& encoder) {
  reader.bind_checked_weight("encoder.weight", Orientation::kOutIn, encoder);
  if (input_bias != nullptr) encoder.input_bias = reader.vector(input_bias, encoder.activation_dim);
  encoder.bias = reader.vector("encoder.bias", encoder.dict_size);
}

/// `from_pretrained` normalises the decoder's columns and scales the encoder by their norms.
void bind_auto_encoder(const StateReader& reader, EncoderParameters& encoder) {
  bind_linear(reader, "bias", encoder);
  const std::vector<float> norms = reader.decoder_norms("decoder.weight", Orientation::kOutIn, encoder);
  if (all_close_to_one(norms)) return;
  encoder.scale = norms;
  for (std::size_t f = 0; f < norms.size(); ++f) encoder.bias[f] *= norms[f];
}

void bind_gated(const StateReader& reader, EncoderParameters& encoder) {
  reader.bind_checked_weight("encoder.weight", Orientation::kOutIn, encoder);
  encoder.function = ActivationFunction::kGated;
  encoder.input_bias = reader.vector("decoder_bias", encoder.activation_dim);
  encoder.gate_bias = reader.vector("gate_bias", encoder.dict_size);
  reader.require_no_nan("gate_bias", encoder.gate_bias);
  encoder.bias = reader.vector("mag_bias", encoder.dict_size);
  encoder.scale = reader.vector("r_mag", encoder.dict_size);
  for (float& r : encoder.scale) r = std::exp(r);
}

void bind_jump_relu(const StateReader& reader, EncoderParameters& encoder) {
  reader.bind_checked_weight("W_enc", Orientation::kInOut, encoder);
  encoder.function = ActivationFunction::kJumpRelu;
  encoder.bias = reader.vector("b_enc", encoder.dict_size);
  encoder.feature_threshold = reader.vector("threshold", encoder.dict_size);
  reader.require_no_nan("threshold", encoder.feature_threshold);
}

void bind_top_k(const StateReader& reader, EncoderParameters& encoder) {
  bind_linear(reader, "b_dec", encoder);
  encoder.function = ActivationFunction::kTopK;
  set_k(reader.k(), reader.config_path(), encoder);
}

void bind_threshold(const StateReader& reader, EncoderParameters& encoder) {
  encoder.function = ActivationFunction::kThreshold;
  encoder.k = reader.k();
  const auto threshold = reader.number("threshold");
  if (!threshold) reader.tensor("threshold");  // throws: it is missing
  encoder.threshold = static_cast<float>(*threshold);
  reader.require_no_nan("threshold", {&encoder.threshold, 1});
}

void bind_batch_top_k(const StateReader& reader, EncoderParameters& encoder) {
  bind_linear(reader, "b_dec", encoder);
  bind_threshold(reader, encoder);
}

void bind_matryoshka(const StateReader& reader, EncoderParameters& encoder) {
  reader.bind_checked_weight("W_enc", Orientation::kInOut, encoder);
  encoder.input_bias = reader.vector("b_dec", encoder.activation_dim);
  encoder.bias = reader.vector("b_enc", encoder.dict_size);
  bind_threshold(reader, encoder);
}

const std::map<std::string, void (*)(const StateReader&, EncoderParameters&), std::less<>>& binders() {
  static const std::map<std::string, void (*)(const StateReader&, EncoderParameters&), std::less<>> kBinders =
      {
          {"AutoEncoder", bind_auto_encoder},
          {"AutoEncoderNew",
           [](const StateReader& reader, EncoderParameters& e) { bind_linear(reader, nullptr, e); }},
          {"AutoEncoderTopK", bind_top_k},
          {"BatchTopKSAE", bind_batch_top_k},
          {"GatedAutoEncoder", bind_gated},
          {"JumpReluAutoEncoder", bind_jump_relu},
          {"MatryoshkaBatchTopKSAE", bind_matryoshka},
      };
  return kBinders;
}

}  // namespace

EncoderParameters bind_encoder(const TorchStateDict& state, const nlohmann::json& config,
                               const std::string& ae_path, const std::string& config_path) {
  const auto trainer = config.is_object() ? config.find("trainer") : config.end();
  if (!config.is_object() || trainer == config.end() || !trainer->is_object()) {
    throw InputError(
        {.what = "not the configuration of an SAE", .where = config_path, .expected = "an object `trainer`"});
  }
  const StateReader reader(state, *trainer, ae_path, config_path);
  EncoderParameters encoder;
  encoder.class_name = class_of(*trainer, config_path);
  const auto binder = binders().find(encoder.class_name);
  if (binder == binders().end()) {
    std::string known;
    for (const auto& [name, unused] : binders()) known += (known.empty() ? "" : ", ") + name;
    throw InputError({.what = "unknown dictionary class",
                      .where = config_path,
                      .expected = "one of " + known,
                      .found = encoder.class_name});
  }
  binder->second(reader, encoder);
  return encoder;
}

namespace {

constexpr const char* kConfig = "config.json";

/// A number, also one written as a text.
std::optional<int64_t> whole_number(const nlohmann::json& value) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::string text_in(const nlohmann::json& object, const char* key) {
  const auto value = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

/// What a trainer's configuration (`lm_name`, `layer`, `submodule_name`) and the buffer's (`io`) say.
SaeOrigin origin_of(const nlohmann::json& config, const std::string& place) {
  const nlohmann::json& trainer = config.at("trainer");
  SaeOrigin origin = {.model = text_in(trainer, "lm_name"), .layer = {}, .place = place};
  if (const auto layer = trainer.find("layer"); layer != trainer.end()) origin.layer = whole_number(*layer);
  const std::string submodule = text_in(trainer, "submodule_name");
  const auto names = [&](std::string_view part) { return submodule.find(part) != std::string::npos; };
  if (names("mlp") || names("attn") || names("attention")) {
    origin.other = submodule;
  } else if (!origin.layer) {
    origin.layer = number_behind("layer_", submodule);
  }
  // What goes into a block is the residual stream behind the one before.
  const auto buffer = config.find("buffer");
  if (origin.layer && buffer != config.end() && text_in(*buffer, "io") == "in") --*origin.layer;
  return origin;
}

constexpr const char* kState = "ae.pt";
constexpr std::array kFiles = {kConfig, kState};

OpenedSae open_folder(const SaePlace& place) {
  auto file = std::make_shared<const MappedFile>(place.path / kState);
  const std::string config_path = (place.path / kConfig).string();
  const nlohmann::json config = parse_json(read_file(config_path), config_path);
  const std::string ae_path = file->path().string();
  return {{file},
          bind_encoder(parse_torch_archive(file->bytes(), ae_path), config, ae_path, config_path),
          origin_of(config, config_path)};
}

}  // namespace

const SaeFormat kDictionaryLearning = {
    .name = "dictionary_learning", .files = kFiles, .in_words = "ae.pt and config.json", .open = open_folder};

}  // namespace saescope
