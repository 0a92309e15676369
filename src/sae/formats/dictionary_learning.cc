#include "sae/formats/dictionary_learning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/atomic_file.h"
#include "base/error.h"
#include "formats/json_document.h"
#include "ops/weight_rows.h"

namespace saescope {
namespace {

/// Look-ups in a state dict and its config.json, with the errors that name both files.
class StateReader {
 public:
  StateReader(const TorchStateDict& state, const nlohmann::json& trainer, std::string ae_path,
              std::string config_path)
      : state_(state),
        trainer_(trainer),
        ae_path_(std::move(ae_path)),
        config_path_(std::move(config_path)) {}

  bool has(const char* name) const { return state_.tensors.contains(name); }

  const TensorView& tensor(const char* name) const {
    const auto it = state_.tensors.find(name);
    if (it == state_.tensors.end()) {
      throw InputError(
          {.what = fmt::format("no tensor `{}`", name),
           .where = ae_path_,
           .expected = fmt::format("a state dict of class {}, which {} names", class_name(), config_path_),
           .found = list_keys()});
    }
    return it->second;
  }

  /// What the state dict holds, for messages.
  std::string list_keys() const {
    constexpr std::size_t kShown = 12;
    std::vector<std::string> names;
    for (const auto& [name, view] : state_.tensors) names.push_back(name);
    for (const auto& [name, value] : state_.scalars) names.push_back(name);
    if (names.empty()) return "no tensors";
    const std::size_t more = names.size() > kShown ? names.size() - kShown : 0;
    names.resize(names.size() - more);
    return fmt::format("the keys {}{}", fmt::join(names, ", "),
                       more > 0 ? fmt::format(" and {} more", more) : "");
  }

  std::string class_name() const {
    const auto it = trainer_.find("dict_class");
    if (it == trainer_.end() || !it->is_string()) {
      throw InputError({.what = "no `trainer.dict_class`",
                        .where = config_path_,
                        .expected = "the name of a class of dictionary_learning"});
    }
    return it->get<std::string>();
  }

  std::vector<float> vector(const char* name, std::size_t size) const {
    const TensorView& view = tensor(name);
    if (view.shape != Shape{size} || !is_plain_float(view.dtype)) {
      throw InputError({.what = fmt::format("unusable tensor `{}`", name),
                        .where = ae_path_,
                        .expected = fmt::format("floats [{}]", size),
                        .found = fmt::format("{} {}", name_of(view.dtype), to_string(view.shape))});
    }
    if (size > 1 && view.strides[0] == 0)
      throw bad_strides(name, view, "a number of its own for each element");
    std::vector<float> values(size);
    // A vector is a matrix of one column, which lets strided ones through.
    const TensorView column{view.dtype, {size, 1}, {view.strides[0], 1}, view.data};
    load_weight_rows(column, 0, size, values.data());
    return values;
  }

  /// A limit that is NaN would let no activation, or any, pass without a word.
  void require_no_nan(const char* name, std::span<const float> limits) const {
    const auto nan =
        std::find_if(limits.begin(), limits.end(), [](float limit) { return std::isnan(limit); });
    if (nan == limits.end()) return;
    throw InputError({.what = fmt::format("`{}` holds a value that is no number", name),
                      .where = ae_path_,
                      .expected = "numbers",
                      .found = fmt::format("NaN at index {}", nan - limits.begin()),
                      .hint = "the file is damaged; get it again"});
  }

  /// A number that ae.pt holds as a 0-dim tensor or as a plain Python number.
  std::optional<double> number(const char* name) const {
    if (const auto it = state_.scalars.find(name); it != state_.scalars.end()) {
      return std::visit([](auto value) { return static_cast<double>(value); }, it->second);
    }
    const auto it = state_.tensors.find(name);
    if (it == state_.tensors.end()) return std::nullopt;
    const TensorView& view = it->second;
    if (element_count(view.shape) != 1) throw not_a_number(name, view);
    if (is_plain_float(view.dtype)) {
      float value = 0;
      load_weight_rows({view.dtype, {1, 1}, {1, 1}, view.data}, 0, 1, &value);
      return value;
    }
    if (view.dtype == DType::kI32) return load<int32_t>(view);
    if (view.dtype == DType::kI64) return static_cast<double>(load<int64_t>(view));
    throw not_a_number(name, view);
  }

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

  /// config.json's extent, where it has one, must be the tensor's.
  void check_extent(const char* key, uint64_t from_tensor) const {
    const auto it = trainer_.find(key);
    if (it == trainer_.end() || it->is_null()) return;
    if (!it->is_number_integer() || it->get<double>() != static_cast<double>(from_tensor)) {
      throw disagreement(key, it->dump(), std::to_string(from_tensor));
    }
  }

  InputError disagreement(const char* key, std::string in_config, std::string in_ae) const {
    return InputError({.what = fmt::format("config.json and ae.pt disagree about {}", key),
                       .where = ae_path_,
                       .expected = fmt::format("{} ({})", std::move(in_config), config_path_),
                       .found = fmt::format("{} ({})", std::move(in_ae), ae_path_),
                       .hint = "download both files of this SAE again"});
  }
  InputError bad_strides(const char* name, const TensorView& view, std::string expected) const {
    return InputError(
        {.what = fmt::format("unusable strides of `{}`", name),
         .where = ae_path_,
         .expected = std::move(expected),
         .found = fmt::format("strides {} of {}", to_string(view.strides), to_string(view.shape))});
  }
  const std::string& ae_path() const { return ae_path_; }
  const std::string& config_path() const { return config_path_; }

 private:
  template <typename T>
  static double load(const TensorView& view) {
    T value;
    std::copy_n(view.data, sizeof value, reinterpret_cast<std::byte*>(&value));
    return static_cast<double>(value);
  }
  InputError not_a_number(const char* name, const TensorView& view) const {
    return InputError({.what = fmt::format("unusable tensor `{}`", name),
                       .where = ae_path_,
                       .expected = "one number",
                       .found = fmt::format("{} {}", name_of(view.dtype), to_string(view.shape))});
  }

  const TorchStateDict& state_;
  const nlohmann::json& trainer_;
  std::string ae_path_;
  std::string config_path_;
};

enum class Orientation { kOutIn, kInOut };

TensorView transposed(const TensorView& view) {
  return {view.dtype, {view.shape[1], view.shape[0]}, {view.strides[1], view.strides[0]}, view.data};
}

/// Rows that share elements would let a small file stand for a dictionary of any size.
bool has_dense_rows_or_columns(const TensorView& matrix) {
  const auto dense = [&](std::size_t along, std::size_t across) {
    const bool apart = matrix.shape[across] == 1 || matrix.strides[across] >= matrix.shape[along];
    return matrix.strides[along] == 1 && apart;
  };
  return dense(0, 1) || dense(1, 0);
}

/// Binds the encoder's matrix as [F, d], whichever way round the class keeps it.
void bind_weight(const StateReader& reader, const char* name, Orientation orientation,
                 EncoderParameters& encoder) {
  const TensorView& stored = reader.tensor(name);
  if (stored.shape.size() != 2 || element_count(stored.shape) == 0 || !is_plain_float(stored.dtype)) {
    throw InputError({.what = fmt::format("unusable tensor `{}`", name),
                      .where = reader.ae_path(),
                      .expected = "a float matrix",
                      .found = fmt::format("{} {}", name_of(stored.dtype), to_string(stored.shape))});
  }
  encoder.weight = orientation == Orientation::kOutIn ? stored : transposed(stored);
  if (!has_dense_rows_or_columns(encoder.weight)) {
    throw reader.bad_strides(name, stored, "a matrix with dense rows or dense columns that do not overlap");
  }
  encoder.dict_size = encoder.weight.shape[0];
  encoder.activation_dim = encoder.weight.shape[1];
  reader.check_extent("dict_size", encoder.dict_size);
  reader.check_extent("activation_dim", encoder.activation_dim);
}

/// Norm of every feature's decoder column; the decoder is [d, F].
std::vector<float> decoder_norms(const StateReader& reader, const EncoderParameters& encoder) {
  const TensorView& decoder = reader.tensor("decoder.weight");
  if (decoder.shape != Shape{encoder.activation_dim, encoder.dict_size} || !is_plain_float(decoder.dtype)) {
    throw InputError({.what = "unusable tensor `decoder.weight`",
                      .where = reader.ae_path(),
                      .expected = fmt::format("floats [{}, {}]", encoder.activation_dim, encoder.dict_size),
                      .found = fmt::format("{} {}", name_of(decoder.dtype), to_string(decoder.shape))});
  }
  std::vector<double> sums(encoder.dict_size);
  std::vector<float> row(encoder.dict_size);
  for (std::size_t r = 0; r < encoder.activation_dim; ++r) {
    load_weight_rows(decoder, r, 1, row.data());
    for (std::size_t f = 0; f < row.size(); ++f) sums[f] += double{row[f]} * row[f];
  }
  std::transform(sums.begin(), sums.end(), row.begin(),
                 [](double s) { return static_cast<float>(std::sqrt(s)); });
  return row;
}

/// torch.allclose(norms, 1) with its default tolerances.
bool all_close_to_one(const std::vector<float>& norms) {
  constexpr double kTolerance = 1e-5 + 1e-8;
  return std::all_of(norms.begin(), norms.end(), [](float n) { return std::fabs(n - 1.0) <= kTolerance; });
}

void bind_linear(const StateReader& reader, const char* input_bias, EncoderParameters& encoder) {
  bind_weight(reader, "encoder.weight", Orientation::kOutIn, encoder);
  if (input_bias != nullptr) encoder.input_bias = reader.vector(input_bias, encoder.activation_dim);
  encoder.bias = reader.vector("encoder.bias", encoder.dict_size);
}

/// `from_pretrained` normalises the decoder's columns and scales the encoder by their norms.
void bind_auto_encoder(const StateReader& reader, EncoderParameters& encoder) {
  bind_linear(reader, "bias", encoder);
  const std::vector<float> norms = decoder_norms(reader, encoder);
  if (all_close_to_one(norms)) return;
  encoder.scale = norms;
  for (std::size_t f = 0; f < norms.size(); ++f) encoder.bias[f] *= norms[f];
}

void bind_gated(const StateReader& reader, EncoderParameters& encoder) {
  bind_weight(reader, "encoder.weight", Orientation::kOutIn, encoder);
  encoder.function = ActivationFunction::kGated;
  encoder.input_bias = reader.vector("decoder_bias", encoder.activation_dim);
  encoder.gate_bias = reader.vector("gate_bias", encoder.dict_size);
  reader.require_no_nan("gate_bias", encoder.gate_bias);
  encoder.bias = reader.vector("mag_bias", encoder.dict_size);
  encoder.scale = reader.vector("r_mag", encoder.dict_size);
  for (float& r : encoder.scale) r = std::exp(r);
}

void bind_jump_relu(const StateReader& reader, EncoderParameters& encoder) {
  bind_weight(reader, "W_enc", Orientation::kInOut, encoder);
  encoder.function = ActivationFunction::kJumpRelu;
  encoder.bias = reader.vector("b_enc", encoder.dict_size);
  encoder.feature_threshold = reader.vector("threshold", encoder.dict_size);
  reader.require_no_nan("threshold", encoder.feature_threshold);
}

void bind_top_k(const StateReader& reader, EncoderParameters& encoder) {
  bind_linear(reader, "b_dec", encoder);
  encoder.function = ActivationFunction::kTopK;
  encoder.k = reader.k();
  if (static_cast<uint64_t>(encoder.k) > encoder.dict_size) {
    throw InputError({.what = "k is larger than the dictionary",
                      .where = reader.config_path(),
                      .expected = fmt::format("at most {}", encoder.dict_size),
                      .found = fmt::format("{}", encoder.k)});
  }
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
  bind_weight(reader, "W_enc", Orientation::kInOut, encoder);
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
  encoder.class_name = reader.class_name();
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

/// `lm_name` and `layer` of a trainer's configuration.
SaeOrigin origin_of(const nlohmann::json& config, const std::string& place) {
  SaeOrigin origin;
  origin.place = place;
  const nlohmann::json& trainer = config.at("trainer");
  if (const auto model = trainer.find("lm_name"); model != trainer.end() && model->is_string()) {
    origin.model = model->get<std::string>();
  }
  if (const auto layer = trainer.find("layer"); layer != trainer.end() && layer->is_number_integer()) {
    origin.layer = layer->get<int64_t>();
  }
  return origin;
}

constexpr const char* kState = "ae.pt";
constexpr std::array kFiles = {kConfig, kState};

OpenedSae open_folder(const std::filesystem::path& folder) {
  auto file = std::make_shared<const MappedFile>(folder / kState);
  const std::string config_path = (folder / kConfig).string();
  const nlohmann::json config = parse_json(read_file(config_path), config_path);
  const std::string ae_path = file->path().string();
  return {{file},
          bind_encoder(parse_torch_archive(file->bytes(), ae_path), config, ae_path, config_path),
          origin_of(config, config_path)};
}

}  // namespace

const SaeFormat kDictionaryLearning = {"dictionary_learning", kFiles, "ae.pt and config.json",
                                       holds_all_files, open_folder};

}  // namespace saescope
