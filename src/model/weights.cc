#include "model/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

/// The two names of one part of a block.
struct PartName {
  const char* hugging_face;
  const char* gguf;
};

constexpr PartName kAttentionNorm = {"input_layernorm", "attn_norm"};
constexpr PartName kQuery = {"self_attn.q_proj", "attn_q"};
constexpr PartName kKey = {"self_attn.k_proj", "attn_k"};
constexpr PartName kValue = {"self_attn.v_proj", "attn_v"};
constexpr PartName kOutput = {"self_attn.o_proj", "attn_output"};
constexpr PartName kMlpNorm = {"post_attention_layernorm", "ffn_norm"};
constexpr PartName kGate = {"mlp.gate_proj", "ffn_gate"};
constexpr PartName kUp = {"mlp.up_proj", "ffn_up"};
constexpr PartName kDown = {"mlp.down_proj", "ffn_down"};

std::string embedding_name(TensorNaming naming) {
  return naming == TensorNaming::kGguf ? "token_embd.weight" : "model.embed_tokens.weight";
}

std::string part_name(TensorNaming naming, std::size_t layer, const PartName& part, const char* suffix) {
  return naming == TensorNaming::kGguf
             ? fmt::format("blk.{}.{}.{}", layer, part.gguf, suffix)
             : fmt::format("model.layers.{}.{}.{}", layer, part.hugging_face, suffix);
}

/// Fetches tensors by name and shape and collects everything that is wrong.
class Binder {
 public:
  Binder(const NamedTensors* tensors, TensorNaming naming) : tensors_(tensors), naming_(naming) {}

  TensorView matrix(const std::string& name, const Shape& shape) { return find(name, shape); }
  TensorView matrix(std::size_t layer, const PartName& part, const Shape& shape) {
    return find(part_name(naming_, layer, part, "weight"), shape);
  }
  std::vector<float> vector(std::size_t layer, const PartName& part, const char* suffix, std::size_t size) {
    const TensorView view = find(part_name(naming_, layer, part, suffix), {size});
    std::vector<float> values(view.data == nullptr ? 0 : size);
    if (view.data != nullptr) dequantize(view.dtype, view.data, size, values.data());
    return values;
  }
  const std::vector<std::string>& names() const { return names_; }

  void finish(const std::string& where) const {
    if (problems_.empty()) return;
    constexpr std::size_t kShown = 12;
    std::vector<std::string> shown(
        problems_.begin(),
        problems_.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, problems_.size())));
    if (problems_.size() > kShown) shown.push_back(fmt::format("and {} more", problems_.size() - kShown));
    throw InputError({.what = "the checkpoint does not hold the weights that its configuration describes",
                      .where = where,
                      .found = fmt::format("{}", fmt::join(shown, "\n            ")),
                      .hint = "the files may be of another model, or a download may be incomplete"});
  }

 private:
  TensorView find(const std::string& name, const Shape& shape) {
    names_.push_back(name);
    if (tensors_ == nullptr) return {};
    const auto it = tensors_->find(name);
    if (it == tensors_->end()) {
      problems_.push_back(fmt::format("no tensor {} {}", name, to_string(shape)));
      return {};
    }
    const TensorView& view = it->second;
    const bool is_float = is_plain_float(view.dtype) || is_quantized(view.dtype);
    if (view.shape != shape || !is_float) {
      problems_.push_back(fmt::format("{} is {} {}, expected a float tensor {}", name, name_of(view.dtype),
                                      to_string(view.shape), to_string(shape)));
      return {};
    }
    return view;
  }

  const NamedTensors* tensors_;
  TensorNaming naming_;
  std::vector<std::string> names_;
  std::vector<std::string> problems_;
};

/// The one place that says which weights a block has and how they are shaped.
LayerWeights bind_layer(Binder& binder, const ModelConfig& config, std::size_t layer) {
  const std::size_t hidden = config.hidden_size;
  const std::size_t q_dim = config.attention.heads * config.attention.head_dim;
  const std::size_t kv_dim = config.attention.kv_heads * config.attention.head_dim;
  const auto bias = [&](bool exists, const PartName& part, std::size_t size) {
    return exists ? binder.vector(layer, part, "bias", size) : std::vector<float>();
  };
  LayerWeights weights;
  weights.attention_norm = binder.vector(layer, kAttentionNorm, "weight", hidden);
  weights.q = binder.matrix(layer, kQuery, {q_dim, hidden});
  weights.k = binder.matrix(layer, kKey, {kv_dim, hidden});
  weights.v = binder.matrix(layer, kValue, {kv_dim, hidden});
  weights.o = binder.matrix(layer, kOutput, {hidden, q_dim});
  weights.q_bias = bias(config.qkv_bias, kQuery, q_dim);
  weights.k_bias = bias(config.qkv_bias, kKey, kv_dim);
  weights.v_bias = bias(config.qkv_bias, kValue, kv_dim);
  weights.o_bias = bias(config.output_bias, kOutput, hidden);
  weights.mlp_norm = binder.vector(layer, kMlpNorm, "weight", hidden);
  weights.gate = binder.matrix(layer, kGate, {config.intermediate_size, hidden});
  weights.up = binder.matrix(layer, kUp, {config.intermediate_size, hidden});
  weights.down = binder.matrix(layer, kDown, {hidden, config.intermediate_size});
  weights.gate_bias = bias(config.mlp_bias, kGate, config.intermediate_size);
  weights.up_bias = bias(config.mlp_bias, kUp, config.intermediate_size);
  weights.down_bias = bias(config.mlp_bias, kDown, hidden);
  return weights;
}

ModelWeights bind_all(Binder& binder, const ModelConfig& config, std::size_t layer_count,
                      TensorNaming naming) {
  ModelWeights weights;
  weights.embedding = binder.matrix(embedding_name(naming), {config.vocabulary, config.hidden_size});
  for (std::size_t layer = 0; layer < layer_count; ++layer) {
    weights.layers.push_back(bind_layer(binder, config, layer));
  }
  return weights;
}

}  // namespace

ModelWeights bind_weights(const NamedTensors& tensors, const ModelConfig& config, std::size_t layer_count,
                          TensorNaming naming, const std::string& where) {
  Binder binder(&tensors, naming);
  ModelWeights weights = bind_all(binder, config, layer_count, naming);
  binder.finish(where);
  return weights;
}

std::vector<std::string> needed_tensor_names(const ModelConfig& config, std::size_t layer_count,
                                             TensorNaming naming) {
  Binder binder(nullptr, naming);
  bind_all(binder, config, layer_count, naming);
  return binder.names();
}

}  // namespace saescope
