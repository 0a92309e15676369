#include "model/model_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/json_text.h"
#include "model/rope_scaling.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

using nlohmann::json;

constexpr uint64_t kLargestExtent = uint64_t{1} << 31;
/// Far above any model's; the table of RoPE frequencies grows with it.
constexpr std::size_t kLargestHead = std::size_t{1} << 16;
/// Far above any model's, too; every layer's weights are named before they are looked for.
constexpr std::size_t kMostLayers = 4096;

/// Kinds of layers, as `layer_types` and `rope_parameters` name them.
constexpr const char* kFullAttention = "full_attention";
constexpr const char* kSlidingAttention = "sliding_attention";

/// Typed look-ups in config.json; `null` counts as absent, as in transformers.
class ConfigReader {
 public:
  ConfigReader(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) throw bad("", "a JSON object", object.type_name());
  }

  /// Whether the key is there, be it null.
  bool names(const char* key) const { return object_.contains(key); }
  const json* find(const char* key) const {
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  std::size_t size(const char* key, std::optional<std::size_t> fallback = std::nullopt) const {
    const json* value = find(key);
    if (value == nullptr && fallback) return *fallback;
    if (value == nullptr) throw bad(key, "a positive integer", "no such key");
    if (!value->is_number_integer() || value->get<double>() < 1 ||
        value->get<double>() > static_cast<double>(kLargestExtent)) {
      throw bad(key, "a positive integer", value->dump());
    }
    return value->get<std::size_t>();
  }
  double number(const char* key, std::optional<double> fallback = std::nullopt) const {
    const json* value = find(key);
    if (value == nullptr && fallback) return *fallback;
    if (value == nullptr) throw bad(key, "a positive number", "no such key");
    if (!value->is_number() || !(value->get<double>() > 0) || !std::isfinite(value->get<double>())) {
      throw bad(key, "a positive number", value->dump());
    }
    return value->get<double>();
  }
  bool flag(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) throw bad(key, "true or false", value->dump());
    return value->get<bool>();
  }
  std::string text(const char* key, const std::string& fallback) const {
    const json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_string()) throw bad(key, "a string", value->dump());
    return value->get<std::string>();
  }
  InputError bad(const std::string& key, std::string expected, std::string found) const {
    return InputError(
        {.what = key.empty() ? "unusable model configuration" : "unusable value of `" + key + "`",
         .where = where_,
         .expected = std::move(expected),
         .found = std::move(found)});
  }
  ConfigReader child(const json& object) const { return {object, where_}; }
  const std::string& where() const { return where_; }

 private:
  const json& object_;
  std::string where_;
};

/// Where transformers finds RoPE's parameters (`convert_rope_params_to_dict`): `rope_scaling` of version 4
/// counts before `rope_parameters` of version 5; what is not in them stands beside them.
class RopeReader {
 public:
  /// @param parameters what stands here counts before what stands beside it
  RopeReader(const ConfigReader& config, const json& parameters, std::size_t context)
      : config_(config), inner_(config.child(parameters)), context_(context) {}

  RopeFrequencies read(std::size_t head_dim, const char* theta_key = "rope_theta") const {
    constexpr double kDefaultTheta = 10000;
    const double theta = inner_.number("rope_theta", config_.number(theta_key, kDefaultTheta));
    const double partial =
        inner_.number("partial_rotary_factor", config_.number("partial_rotary_factor", 1.0));
    if (partial != 1) throw config_.bad("partial_rotary_factor", "1", fmt::format("{}", partial));
    RopeFrequencies rope;
    rope.inverse = rope_inverse_frequencies(theta, head_dim);
    const std::string type = inner_.text("rope_type", inner_.text("type", "default"));
    if (type == "llama3") {
      apply_llama3_scaling({.factor = inner_.number("factor"),
                            .low_freq_factor = inner_.number("low_freq_factor"),
                            .high_freq_factor = inner_.number("high_freq_factor"),
                            .original_context = original_context()},
                           rope.inverse);
    } else if (type == "linear") {
      const double factor = inner_.number("factor");
      for (float& frequency : rope.inverse) frequency = static_cast<float>(frequency / factor);
    } else if (type == "yarn") {
      read_yarn(theta, head_dim, rope);
    } else if (type != "default" && type != "dynamic") {  // dynamic NTK begins past the model's context
      throw config_.bad("rope_type", "default, linear, dynamic, llama3 or yarn", type);
    }
    return rope;
  }

  /// How far a model reaches that was stretched.
  std::size_t stretched_context() const {
    if (inner_.text("rope_type", inner_.text("type", "default")) != "yarn") return context_;
    return std::max(context_, static_cast<std::size_t>(yarn_factor() * original_context()));
  }

 private:
  double original_context() const {
    constexpr const char* kKey = "original_max_position_embeddings";
    return config_.number(kKey, inner_.number(kKey, static_cast<double>(context_)));
  }

  double yarn_factor() const {
    return inner_.number("factor", static_cast<double>(context_) / original_context());
  }

  void read_yarn(double theta, std::size_t head_dim, RopeFrequencies& rope) const {
    const double factor = yarn_factor();
    const json* truncate = inner_.find("truncate");
    rope.inverse = yarn_inverse_frequencies({.factor = factor,
                                             .original_context = original_context(),
                                             .beta_fast = inner_.number("beta_fast", 32),
                                             .beta_slow = inner_.number("beta_slow", 1),
                                             .truncate = truncate == nullptr || inner_.flag("truncate")},
                                            theta, head_dim);
    double magnitude = yarn_magnitude(factor);
    if (inner_.find("mscale") != nullptr && inner_.find("mscale_all_dim") != nullptr) {
      magnitude = yarn_magnitude(factor, inner_.number("mscale")) /
                  yarn_magnitude(factor, inner_.number("mscale_all_dim"));
    }
    rope.magnitude = static_cast<float>(inner_.number("attention_factor", magnitude));
  }

  const ConfigReader& config_;
  ConfigReader inner_;
  std::size_t context_;
};

/// The parameters of all layers.
json rope_parameters(const ConfigReader& config) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* found = config.find(key);
    if (found != nullptr && !(found->is_object() && found->empty())) return *found;
  }
  return json::object();
}

/// Those of one kind of layers where each has its own (`Gemma3TextConfig.convert_rope_params_to_dict`):
/// `rope_scaling` of version 4 is that of the layers without a window.
json rope_parameters_of(const ConfigReader& config, const char* layer_type) {
  json parameters = json::object();
  if (const json* by_type = config.find("rope_parameters"); by_type != nullptr && by_type->is_object()) {
    const auto found = by_type->find(layer_type);
    if (found != by_type->end() && found->is_object()) parameters = *found;
  }
  const json* scaling = config.find("rope_scaling");
  if (layer_type == kFullAttention && scaling != nullptr && scaling->is_object()) parameters.update(*scaling);
  return parameters;
}

/// RoPE of every layer, and how far the model reaches with it.
void read_rope(const ConfigReader& reader, ModelConfig& config) {
  const std::size_t head_dim = config.attention.head_dim;
  const bool local = config.architecture->block.local_rope;
  const json parameters = local ? rope_parameters_of(reader, kFullAttention) : rope_parameters(reader);
  const RopeReader rope(reader, parameters, config.context_length);
  config.rope = rope.read(head_dim);
  if (local) {
    const json of_windows = rope_parameters_of(reader, kSlidingAttention);
    config.local_rope =
        RopeReader(reader, of_windows, config.context_length).read(head_dim, "rope_local_base_freq");
  }
  config.context_length = rope.stretched_context();
}

/// Says what a checkpoint is that this program cannot run, before anybody downloads it.
void refuse_other_models(const ConfigReader& config) {
  const std::string type = config.text("model_type", "");
  if (const json* quantization = config.find("quantization_config")) {
    const std::string method =
        quantization->is_object() ? config.child(*quantization).text("quant_method", "unknown") : "unknown";
    throw quantised_weights("with the method " + method, config.where() + ": quantization_config", method);
  }
  if (const json* mlx = config.find("quantization"); mlx != nullptr && mlx->is_object()) {
    throw quantised_weights("by MLX", config.where() + ": quantization", mlx->dump());
  }
  if (find_architecture(type) != nullptr) return;
  const auto is = [&](std::string_view what, std::string hint) {
    return InputError({.what = fmt::format("a model of the type {} is {}", shown_text(type), what),
                       .where = config.where(),
                       .expected = "a language model of the type " + architecture_names(),
                       .found = type,
                       .hint = std::move(hint)});
  };
  constexpr std::array<const char*, 4> kParts = {"vision_config", "audio_config", "thinker_config",
                                                 "speech_config"};
  if (std::any_of(kParts.begin(), kParts.end(),
                  [&](const char* key) { return config.find(key) != nullptr; })) {
    throw is("a wrapper of a language model with vision or audio", "use the text model by itself");
  }
  constexpr std::array<std::string_view, 12> kEncoders = {
      "bert",   "roberta",     "distilbert", "deberta", "deberta-v2", "electra",
      "albert", "xlm-roberta", "modernbert", "mpnet",   "camembert",  "nomic_bert"};
  if (std::find(kEncoders.begin(), kEncoders.end(), type) != kEncoders.end()) {
    throw is("an encoder, which has no assistant's turn", "use a chat model");
  }
  if (config.find("is_encoder_decoder") != nullptr && config.flag("is_encoder_decoder")) {
    throw is("an encoder-decoder", "use a chat model");
  }
  throw config.bad("model_type", architecture_names(), type.empty() ? "no such key" : type);
}

std::vector<bool> all_but_every(std::size_t period, std::size_t layers) {
  std::vector<bool> some(layers);
  for (std::size_t i = 0; i < layers; ++i) some[i] = (i + 1) % period != 0;
  return some;
}

/// Which layers have the window where config.json does not list them.
std::vector<bool> sliding_layers(const ConfigReader& reader, const ModelConfig& config) {
  const BlockDesign& block = config.architecture->block;
  std::vector<bool> slides(config.layers, true);
  if (block.window == WindowRule::kFromMaxWindowLayers) {
    constexpr std::size_t kDefaultFirst = 28;
    const json* key = reader.find("max_window_layers");
    const std::size_t first =
        key != nullptr && *key == 0 ? 0 : reader.size("max_window_layers", kDefaultFirst);
    std::fill_n(slides.begin(), std::min(first, config.layers), false);
  } else if (block.window == WindowRule::kPattern) {
    return all_but_every(reader.size("sliding_window_pattern", block.window_pattern), config.layers);
  }
  return slides;
}

/// `layer_types` of config.json, as far as the model has layers.
std::vector<bool> listed_sliding_layers(const ConfigReader& reader, const json& types, std::size_t layers) {
  if (!types.is_array()) throw reader.bad("layer_types", "a list", types.type_name());
  if (types.size() != layers) {
    throw reader.bad("layer_types", fmt::format("one for each of {} layers", layers),
                     fmt::format("{}", types.size()));
  }
  std::vector<bool> slides;
  for (const json& type : types) {
    if (type != kFullAttention && type != kSlidingAttention) {
      throw reader.bad("layer_types", fmt::format("{} or {}", kFullAttention, kSlidingAttention),
                       type.dump());
    }
    slides.push_back(type == kSlidingAttention);
  }
  return slides;
}

/// Which layers have which window.
void read_window(const ConfigReader& reader, ModelConfig& config) {
  constexpr std::size_t kDefaultWindow = 4096;  // of every class with windows; null is no window
  const WindowRule rule = config.architecture->block.window;
  const bool none = reader.names("sliding_window") && reader.find("sliding_window") == nullptr;
  if (rule == WindowRule::kNever || none) return;
  if (rule == WindowRule::kFromMaxWindowLayers && !reader.flag("use_sliding_window")) return;
  const json* types = reader.find("layer_types");
  config.slides = types == nullptr ? sliding_layers(reader, config)
                                   : listed_sliding_layers(reader, *types, config.layers);
  config.window = reader.size("sliding_window", kDefaultWindow);
}

/// What config.json says about the language model, with what its class fills in.
json language_model_config(const json& object, const Architecture& architecture) {
  json config = json::parse(architecture.defaults);
  const auto text = architecture.has_text_config ? object.find("text_config") : object.end();
  config.update(text != object.end() && text->is_object() ? *text : object);
  return config;
}

void require_activation(const ConfigReader& reader, GateFunction gate) {
  const bool gelu = gate == GateFunction::kGeluTanh;
  const char* const key = gelu ? "hidden_activation" : "hidden_act";
  const std::string expected = gelu ? "gelu_pytorch_tanh" : "silu";
  if (const std::string found = reader.text(key, expected); found != expected) {
    throw reader.bad(key, expected, found);
  }
}

/// Gemma's own numbers.
void read_scales(const ConfigReader& reader, ModelConfig& config) {
  const BlockDesign& block = config.architecture->block;
  AttentionShape& attention = config.attention;
  const double scalar =
      block.query_scalar ? reader.number("query_pre_attn_scalar") : static_cast<double>(attention.head_dim);
  attention.scale = static_cast<float>(1.0 / std::sqrt(scalar));
  if (block.softcap && reader.find("attn_logit_softcapping") != nullptr) {
    attention.softcap = static_cast<float>(reader.number("attn_logit_softcapping"));
  }
  if (reader.find("use_bidirectional_attention") != nullptr && reader.flag("use_bidirectional_attention")) {
    throw reader.bad("use_bidirectional_attention", "false: a causal language model", "true");
  }
}

float embedding_scale(const ModelConfig& config) {
  if (!config.architecture->block.scaled_embedding) return 1;
  return static_cast<float>(std::sqrt(static_cast<double>(config.hidden_size)));
}

bool has_bias(BiasRule rule, const ConfigReader& config, const char* key) {
  return rule == BiasRule::kAlways || (rule == BiasRule::kConfigured && config.flag(key));
}

/// What must hold between the numbers, wherever they came from.
void check(const ModelConfig& config, const std::string& where) {
  const AttentionShape& a = config.attention;
  const auto fail = [&](std::string what, std::string expected, std::string found) {
    throw InputError({.what = std::move(what),
                      .where = where,
                      .expected = std::move(expected),
                      .found = std::move(found)});
  };
  if (a.heads % a.kv_heads != 0) {
    fail("impossible attention shape", "key/value heads that divide the heads",
         fmt::format("{} heads, {} key/value heads", a.heads, a.kv_heads));
  }
  if (a.head_dim % 2 != 0 || a.head_dim > kLargestHead) {
    fail("impossible attention shape", fmt::format("an even head size of at most {}", kLargestHead),
         fmt::format("{}", a.head_dim));
  }
  if (config.layers > kMostLayers) {
    fail("impossible model size", fmt::format("at most {} layers", kMostLayers),
         fmt::format("{}", config.layers));
  }
  if (!(config.rms_norm_epsilon > 0) || !std::isfinite(config.rms_norm_epsilon)) {
    fail("unusable epsilon of the norms", "a positive number", fmt::format("{}", config.rms_norm_epsilon));
  }
  for (const std::size_t extent : {a.heads * a.head_dim, config.intermediate_size, config.vocabulary}) {
    if (extent < 1 || extent > kLargestExtent)
      fail("impossible model size", "extents from 1 to 2^31", fmt::format("{}", extent));
  }
}

/// Factors that are 0 or far too large would make every activation NaN.
void check_frequencies(const RopeFrequencies& rope, const std::string& where) {
  for (const float frequency : rope.inverse) {
    if (std::isfinite(frequency)) continue;
    throw InputError({.what = "the parameters of RoPE lead to unusable frequencies",
                      .where = where,
                      .expected = "finite numbers",
                      .found = fmt::format("{}", frequency),
                      .hint = "check theta, the factors of the scaling and the tensor rope_freqs.weight"});
  }
}

template <typename T>
T gguf_value(const GgufFile& file, const std::string& key, std::optional<T> fallback) {
  if (const T* value = file.find<T>(key)) return *value;
  if (fallback) return *fallback;
  return file.require<T>(key);
}

std::size_t gguf_size(const GgufFile& file, const std::string& key,
                      std::optional<int64_t> fallback = std::nullopt) {
  const auto value = gguf_value<int64_t>(file, key, fallback);
  if (value < 1 || static_cast<uint64_t>(value) > kLargestExtent) {
    throw InputError({.what = "unusable value of `" + key + "`",
                      .where = file.where,
                      .expected = "a positive integer",
                      .found = std::to_string(value)});
  }
  return static_cast<std::size_t>(value);
}

double gguf_positive(const GgufFile& file, const std::string& key,
                     std::optional<double> fallback = std::nullopt) {
  const auto value = gguf_value<double>(file, key, fallback);
  if (!(value > 0) || !std::isfinite(value)) {
    throw InputError({.what = "unusable value of `" + key + "`",
                      .where = file.where,
                      .expected = "a positive number",
                      .found = fmt::format("{}", value)});
  }
  return value;
}

/// `rope_freqs.weight` holds a divisor for each frequency: that is how converters store llama3 scaling.
RopeFrequencies rope_from_gguf(const GgufFile& file, const std::string& prefix, std::size_t head_dim,
                               RopeLayout layout) {
  constexpr double kDefaultTheta = 10000;
  RopeFrequencies rope;
  rope.layout = layout;
  rope.inverse =
      rope_inverse_frequencies(gguf_positive(file, prefix + "rope.freq_base", kDefaultTheta), head_dim);
  const auto scaling = gguf_value<std::string>(file, prefix + "rope.scaling.type", "none");
  if (scaling == "linear") {
    const double factor = gguf_positive(file, prefix + "rope.scaling.factor");
    for (float& frequency : rope.inverse) frequency = static_cast<float>(frequency / factor);
  } else if (scaling == "yarn") {
    const double factor = gguf_positive(file, prefix + "rope.scaling.factor");
    rope.inverse = yarn_inverse_frequencies(
        {.factor = factor,
         .original_context = gguf_positive(file, prefix + "rope.scaling.original_context_length",
                                           gguf_positive(file, prefix + "context_length"))},
        gguf_positive(file, prefix + "rope.freq_base", kDefaultTheta), head_dim);
    rope.magnitude = static_cast<float>(gguf_positive(file, prefix + "rope.scaling.attn_factor", 1.0) *
                                        yarn_magnitude(factor));
  } else if (scaling != "none") {
    throw InputError({.what = "unsupported RoPE scaling",
                      .where = file.where,
                      .expected = "none, linear or yarn",
                      .found = scaling});
  }
  const auto factors = file.tensors.find("rope_freqs.weight");
  if (factors == file.tensors.end()) return rope;
  const TensorView& view = factors->second;
  if (view.dtype != DType::kF32 || element_count(view.shape) != rope.inverse.size()) {
    throw InputError({.what = "unusable tensor rope_freqs.weight",
                      .where = file.where,
                      .expected = fmt::format("F32 [{}]", rope.inverse.size()),
                      .found = fmt::format("{} {}", name_of(view.dtype), to_string(view.shape))});
  }
  std::vector<float> divisors(rope.inverse.size());
  dequantize(view.dtype, view.data, divisors.size(), divisors.data());
  for (std::size_t i = 0; i < divisors.size(); ++i) rope.inverse[i] /= divisors[i];
  return rope;
}

/// What GGUF files of Gemma do not hold is what llama.cpp fills in.
void read_gguf_scales(const GgufFile& file, const std::string& prefix, ModelConfig& config) {
  const BlockDesign& block = config.architecture->block;
  AttentionShape& attention = config.attention;
  const bool wide = block.wide_queries_layers == config.layers;
  const std::size_t scalar = wide ? config.hidden_size / attention.heads : attention.head_dim;
  attention.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(scalar)));
  constexpr double kDefaultCap = 50;
  if (block.softcap) {
    attention.softcap =
        static_cast<float>(gguf_positive(file, prefix + "attn_logit_softcapping", kDefaultCap));
  }
  config.embedding_scale = embedding_scale(config);
}

/// Which layers have a window: listed, or all but every n-th.
std::vector<bool> gguf_sliding_layers(const GgufFile& file, const std::string& prefix,
                                      const ModelConfig& config) {
  const std::string key = prefix + "attention.sliding_window_pattern";
  const auto entry = file.metadata.find(key);
  if (entry != file.metadata.end() && std::holds_alternative<std::vector<bool>>(entry->second)) {
    const auto& listed = std::get<std::vector<bool>>(entry->second);
    if (listed.size() == config.layers) return listed;
    throw InputError({.what = "unusable value of `" + key + "`",
                      .where = file.where,
                      .expected = fmt::format("one for each of {} layers", config.layers),
                      .found = std::to_string(listed.size())});
  }
  const auto pattern = static_cast<int64_t>(config.architecture->block.window_pattern);
  return all_but_every(gguf_size(file, key, pattern), config.layers);
}

/// Windows of the architectures whose layers take turns; converters write no others.
void read_gguf_window(const GgufFile& file, const std::string& prefix, ModelConfig& config) {
  constexpr double kLocalTheta = 10000;
  const BlockDesign& block = config.architecture->block;
  if (block.window != WindowRule::kPattern) return;
  const std::string key = prefix + "attention.sliding_window";
  if (block.gguf_window == 0 && file.find<int64_t>(key) == nullptr) return;
  config.window = gguf_size(file, key, static_cast<int64_t>(block.gguf_window));
  config.slides = gguf_sliding_layers(file, prefix, config);
  if (!block.local_rope) return;
  config.local_rope.layout = block.gguf_rope;
  config.local_rope.inverse = rope_inverse_frequencies(
      gguf_positive(file, prefix + "rope.freq_base_swa", kLocalTheta), config.attention.head_dim);
}

}  // namespace

AttentionShape ModelConfig::attention_of(std::size_t layer) const {
  AttentionShape shape = attention;
  if (has_window(layer)) shape.window = window;
  return shape;
}

InputError quantised_weights(std::string_view how, std::string where, std::string found) {
  return InputError({.what = fmt::format("the weights are quantised {}, which is not read", how),
                     .where = std::move(where),
                     .expected = "weights in F32, F16 or BF16, or a GGUF file",
                     .found = std::move(found),
                     .hint = kReadableWeights});
}

ModelConfig model_config_from_json(const json& object, const std::string& where) {
  const ConfigReader whole(object, where);
  ModelConfig config;
  refuse_other_models(whole);
  config.architecture = find_architecture(whole.text("model_type", ""));
  const json merged = language_model_config(object, *config.architecture);
  const ConfigReader reader(merged, where);
  const BlockDesign& block = config.architecture->block;
  require_activation(reader, block.gate);
  config.hidden_size = reader.size("hidden_size");
  config.intermediate_size = reader.size("intermediate_size");
  config.layers = reader.size("num_hidden_layers");
  config.vocabulary = reader.size("vocab_size");
  config.context_length = reader.size("max_position_embeddings");
  config.rms_norm_epsilon = static_cast<float>(reader.number("rms_norm_eps", 1e-6));
  config.embedding_scale = embedding_scale(config);
  AttentionShape& attention = config.attention;
  attention.heads = reader.size("num_attention_heads");
  attention.kv_heads = reader.size("num_key_value_heads", attention.heads);
  attention.head_dim =
      reader.size("head_dim", std::max<std::size_t>(config.hidden_size / attention.heads, 1));
  read_scales(reader, config);
  config.qkv_bias = has_bias(block.qkv_bias, reader, "attention_bias");
  config.output_bias = has_bias(block.output_bias, reader, "attention_bias");
  config.mlp_bias = has_bias(block.mlp_bias, reader, "mlp_bias");
  check(config, where);
  read_rope(reader, config);
  read_window(reader, config);
  check_frequencies(config.rope, where);
  check_frequencies(config.local_rope, where);
  return config;
}

std::string fingerprint(const ModelConfig& config) {
  const AttentionShape& a = config.attention;
  const auto text_of = [](const RopeFrequencies& rope) {
    return fmt::format("{} {} {}", static_cast<int>(rope.layout), rope.magnitude,
                       fmt::join(rope.inverse, ","));
  };
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", config.architecture->name,
                     config.hidden_size, config.intermediate_size, config.vocabulary, config.rms_norm_epsilon,
                     config.embedding_scale, config.qkv_bias, config.output_bias, config.mlp_bias, a.heads,
                     a.kv_heads, a.head_dim, a.scale, a.softcap, config.window, fmt::join(config.slides, ""),
                     text_of(config.rope), text_of(config.local_rope));
}

ModelConfig model_config_from_gguf(const GgufFile& file) {
  ModelConfig config;
  const auto& name = file.require<std::string>("general.architecture");
  config.architecture = find_architecture(name);
  if (config.architecture == nullptr) {
    throw InputError({.what = "unsupported architecture",
                      .where = file.where,
                      .expected = architecture_names(),
                      .found = name});
  }
  const std::string prefix = name + ".";
  config.hidden_size = gguf_size(file, prefix + "embedding_length");
  config.intermediate_size = gguf_size(file, prefix + "feed_forward_length");
  config.layers = gguf_size(file, prefix + "block_count");
  config.context_length = gguf_size(file, prefix + "context_length");
  config.rms_norm_epsilon =
      static_cast<float>(gguf_positive(file, prefix + "attention.layer_norm_rms_epsilon"));
  config.vocabulary = file.require<std::vector<std::string>>("tokenizer.ggml.tokens").size();
  AttentionShape& attention = config.attention;
  attention.heads = gguf_size(file, prefix + "attention.head_count");
  attention.kv_heads =
      gguf_size(file, prefix + "attention.head_count_kv", static_cast<int64_t>(attention.heads));
  const std::size_t head_dim = std::max<std::size_t>(config.hidden_size / attention.heads, 1);
  attention.head_dim = gguf_size(file, prefix + "attention.key_length", static_cast<int64_t>(head_dim));
  read_gguf_scales(file, prefix, config);
  config.qkv_bias = file.tensors.contains("blk.0.attn_q.bias");
  config.output_bias = file.tensors.contains("blk.0.attn_output.bias");
  config.mlp_bias = file.tensors.contains("blk.0.ffn_gate.bias");
  check(config, file.where);
  config.rope = rope_from_gguf(file, prefix, attention.head_dim, config.architecture->block.gguf_rope);
  check_frequencies(config.rope, file.where);
  read_gguf_window(file, prefix, config);
  check_frequencies(config.local_rope, file.where);
  return config;
}

}  // namespace saescope
