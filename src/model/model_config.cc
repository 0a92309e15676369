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
  RopeReader(const ConfigReader& config, std::size_t context)
      : config_(config), inner_(config.child(parameters_of(config))), context_(context) {}

  RopeFrequencies read(std::size_t head_dim) const {
    constexpr double kDefaultTheta = 10000;
    const double theta = inner_.number("rope_theta", config_.number("rope_theta", kDefaultTheta));
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
  static const json& parameters_of(const ConfigReader& config) {
    static const json kNone = json::object();
    for (const char* key : {"rope_scaling", "rope_parameters"}) {
      const json* found = config.find(key);
      if (found != nullptr && !(found->is_object() && found->empty())) return *found;
    }
    return kNone;
  }

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

/// Says what a checkpoint is that this program cannot run, before anybody downloads it.
void refuse_other_models(const ConfigReader& config) {
  const std::string type = config.text("model_type", "");
  if (const json* quantization = config.find("quantization_config")) {
    const std::string method =
        quantization->is_object() ? config.child(*quantization).text("quant_method", "unknown") : "unknown";
    throw InputError(
        {.what = fmt::format("the weights are quantised with the method {}, which is not read", method),
         .where = config.where() + ": quantization_config",
         .expected = "weights in F32, F16 or BF16, or a GGUF file",
         .found = method,
         .hint = "use the model in bfloat16, or quantised as GGUF"});
  }
  if (find_architecture(type) != nullptr) return;
  const auto is = [&](std::string_view what, std::string hint) {
    return InputError({.what = fmt::format("a model of the type {} is {}", shown_text(type), what),
                       .where = config.where(),
                       .expected = "a language model of the type " + architecture_names(),
                       .found = type,
                       .hint = std::move(hint)});
  };
  if (config.find("vision_config") != nullptr || config.find("audio_config") != nullptr) {
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

/// From which layer on which window slides.
void read_window(const ConfigReader& reader, ModelConfig& config) {
  constexpr std::size_t kDefaultWindow = 4096;  // of MistralConfig and Qwen2Config; null is no window
  const WindowRule rule = config.architecture->block.window;
  const bool none = reader.names("sliding_window") && reader.find("sliding_window") == nullptr;
  if (rule == WindowRule::kNever || none) return;
  if (rule == WindowRule::kFromMaxWindowLayers) {
    if (!reader.flag("use_sliding_window")) return;
    constexpr std::size_t kDefaultFirst = 28;
    const json* first = reader.find("max_window_layers");
    const bool from_zero = first != nullptr && *first == 0;
    config.first_window_layer = from_zero ? 0 : reader.size("max_window_layers", kDefaultFirst);
  }
  config.window = reader.size("sliding_window", kDefaultWindow);
  const json* types = reader.find("layer_types");
  if (types == nullptr) return;
  if (!types->is_array()) throw reader.bad("layer_types", "a list", types->type_name());
  const auto slides = std::find(types->begin(), types->end(), "sliding_attention");
  config.first_window_layer = static_cast<std::size_t>(slides - types->begin());
  if (slides == types->end()) config.window = 0;
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

}  // namespace

ModelConfig model_config_from_json(const json& object, const std::string& where) {
  const ConfigReader reader(object, where);
  ModelConfig config;
  refuse_other_models(reader);
  config.architecture = find_architecture(reader.text("model_type", ""));
  if (const std::string act = reader.text("hidden_act", "silu"); act != "silu") {
    throw reader.bad("hidden_act", "silu", act);
  }
  config.hidden_size = reader.size("hidden_size");
  config.intermediate_size = reader.size("intermediate_size");
  config.layers = reader.size("num_hidden_layers");
  config.vocabulary = reader.size("vocab_size");
  config.context_length = reader.size("max_position_embeddings");
  config.rms_norm_epsilon = static_cast<float>(reader.number("rms_norm_eps", 1e-6));
  AttentionShape& attention = config.attention;
  attention.heads = reader.size("num_attention_heads");
  attention.kv_heads = reader.size("num_key_value_heads", attention.heads);
  attention.head_dim =
      reader.size("head_dim", std::max<std::size_t>(config.hidden_size / attention.heads, 1));
  attention.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(attention.head_dim)));
  const BlockDesign& block = config.architecture->block;
  config.qkv_bias = has_bias(block.qkv_bias, reader, "attention_bias");
  config.output_bias = has_bias(block.output_bias, reader, "attention_bias");
  config.mlp_bias = has_bias(block.mlp_bias, reader, "mlp_bias");
  check(config, where);
  const RopeReader rope(reader, config.context_length);
  config.rope = rope.read(attention.head_dim);
  config.context_length = rope.stretched_context();
  read_window(reader, config);
  check_frequencies(config.rope, where);
  return config;
}

std::string fingerprint(const ModelConfig& config) {
  const AttentionShape& a = config.attention;
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", config.architecture->name,
                     config.hidden_size, config.intermediate_size, config.vocabulary, config.rms_norm_epsilon,
                     config.qkv_bias, config.output_bias, config.mlp_bias, a.heads, a.kv_heads, a.head_dim,
                     a.scale, config.window, config.first_window_layer, static_cast<int>(config.rope.layout),
                     config.rope.magnitude, fmt::join(config.rope.inverse, ","));
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
  attention.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(attention.head_dim)));
  config.qkv_bias = file.tensors.contains("blk.0.attn_q.bias");
  config.output_bias = file.tensors.contains("blk.0.attn_output.bias");
  config.mlp_bias = file.tensors.contains("blk.0.ffn_gate.bias");
  check(config, file.where);
  config.rope = rope_from_gguf(file, prefix, attention.head_dim, config.architecture->block.gguf_rope);
  check_frequencies(config.rope, file.where);
  return config;
}

}  // namespace saescope
