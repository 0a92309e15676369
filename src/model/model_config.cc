#include "model/model_config.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
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

 private:
  const json& object_;
  std::string where_;
};

/// transformers 5 nests everything under `rope_parameters`; 4 had `rope_theta` beside `rope_scaling`.
std::vector<float> rope_from_json(const ConfigReader& config, std::size_t head_dim) {
  const json* parameters = config.find("rope_parameters");
  if (parameters == nullptr) parameters = config.find("rope_scaling");
  constexpr double kDefaultTheta = 10000;
  double theta = config.number("rope_theta", kDefaultTheta);
  if (parameters == nullptr) return rope_inverse_frequencies(theta, head_dim);

  const ConfigReader rope = config.child(*parameters);
  theta = rope.number("rope_theta", theta);
  std::vector<float> inverse = rope_inverse_frequencies(theta, head_dim);
  const std::string type = rope.text("rope_type", rope.text("type", "default"));
  if (type == "llama3") {
    apply_llama3_scaling({.factor = rope.number("factor"),
                          .low_freq_factor = rope.number("low_freq_factor"),
                          .high_freq_factor = rope.number("high_freq_factor"),
                          .original_context = rope.number("original_max_position_embeddings")},
                         inverse);
  } else if (type == "linear") {
    const double factor = rope.number("factor");
    for (float& frequency : inverse) frequency = static_cast<float>(frequency / factor);
  } else if (type != "default") {
    throw config.bad("rope_type", "default, linear or llama3", type);
  }
  return inverse;
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
  } else if (scaling != "none") {
    throw InputError({.what = "unsupported RoPE scaling",
                      .where = file.where,
                      .expected = "none or linear",
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
  const std::string type = reader.text("model_type", "");
  config.architecture = find_architecture(type);
  if (config.architecture == nullptr) throw reader.bad("model_type", architecture_names(), type);
  if (const std::string act = reader.text("hidden_act", "silu"); act != "silu") {
    throw reader.bad("hidden_act", "silu", act);
  }
  if (reader.flag("use_sliding_window")) throw reader.bad("use_sliding_window", "false", "true");
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
  config.rope.inverse = rope_from_json(reader, attention.head_dim);
  check_frequencies(config.rope, where);
  return config;
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
