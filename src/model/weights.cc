#include "model/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "base/error.h"
#include "tensor/quantized.h"

namespace saescope {
namespace {

std::string embedding_name(TensorNaming naming) {
  return naming == TensorNaming::kGguf ? "token_embd.weight" : "model.embed_tokens.weight";
}

std::string tensor_name(TensorNaming naming, std::size_t layer, const TensorSpec& spec) {
  const char* suffix = spec.kind == TensorSpec::Kind::kBias ? "bias" : "weight";
  return naming == TensorNaming::kGguf
             ? fmt::format("blk.{}.{}.{}", layer, spec.gguf, suffix)
             : fmt::format("model.layers.{}.{}.{}", layer, spec.hugging_face, suffix);
}

std::size_t size_of(Extent extent, const ModelConfig& config) {
  switch (extent) {
    case Extent::kHidden:
      return config.hidden_size;
    case Extent::kQueries:
      return config.attention.heads * config.attention.head_dim;
    case Extent::kKeys:
      return config.attention.kv_heads * config.attention.head_dim;
    case Extent::kIntermediate:
      return config.intermediate_size;
    case Extent::kHead:
      return config.attention.head_dim;
  }
  return 0;
}

/// Fetches tensors by name and shape and collects everything that is wrong.
class Binder {
 public:
  explicit Binder(const NamedTensors* tensors) : tensors_(tensors) {}

  TensorView matrix(const std::string& name, const Shape& shape) { return find(name, shape); }

  std::vector<float> vector(const std::string& name, std::size_t size) {
    const TensorView view = find(name, {size});
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
    shown.push_back(fmt::format("its tensors are {}", some_names()));
    const std::string form = quantised_form();
    throw InputError({.what = "the checkpoint does not hold the weights that its configuration describes",
                      .where = where,
                      .found = fmt::format("{}", fmt::join(shown, "\n            ")),
                      .hint = form.empty()
                                  ? "the files may be of another model, or a download may be incomplete"
                                  : fmt::format("{}; {}", form, kReadableWeights)});
  }

 private:
  std::string some_names() const {
    constexpr std::size_t kShown = 4;
    std::vector<std::string> shown;
    for (const auto& [name, view] : *tensors_) {
      if (shown.size() == kShown)
        return fmt::format("{} and {} more", fmt::join(shown, ", "), tensors_->size() - kShown);
      shown.push_back(fmt::format("{} {} {}", name, name_of(view.dtype), to_string(view.shape)));
    }
    return shown.empty() ? "none" : fmt::format("{}", fmt::join(shown, ", "));
  }

  /// What tensors beside the usual ones tell of weights that were quantised; empty where none do.
  std::string quantised_form() const {
    static const std::map<std::string_view, const char*> kForms = {
        {".qweight", "the weights are quantised with GPTQ or AWQ, which is not read"},
        {".weight_packed", "the weights are quantised with compressed-tensors, which is not read"},
        {".SCB", "the weights are quantised with bitsandbytes, which is not read"},
        {".weight.absmax", "the weights are quantised with bitsandbytes, which is not read"},
        {".weight_scale", "the weights are quantised to 8 bits, which is not read"},
        {".weight_scale_inv", "the weights are quantised to 8 bits, which is not read"},
        {".biases", "the weights are quantised by MLX, which is not read"}};
    for (const auto& [name, view] : *tensors_) {
      for (const auto& [suffix, form] : kForms) {
        if (name.ends_with(suffix)) return form;
      }
    }
    return {};
  }

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
    const bool dense = view.is_contiguous();
    if (is_float && view.shape == shape && !dense) {
      problems_.push_back(fmt::format("{} is not stored row by row", name));
      return {};
    }
    if (view.shape != shape || !is_float) {
      problems_.push_back(fmt::format("{} is {} {}, expected a float tensor {}", name, name_of(view.dtype),
                                      to_string(view.shape), to_string(shape)));
      return {};
    }
    return view;
  }

  const NamedTensors* tensors_;
  std::vector<std::string> names_;
  std::vector<std::string> problems_;
};

LayerWeights bind_layer(Binder& binder, const ModelConfig& config, std::size_t layer, TensorNaming naming) {
  LayerWeights weights;
  for (const TensorSpec& spec : config.architecture->tensors) {
    if (spec.exists != nullptr && !(config.*spec.exists)) continue;
    const std::string name = tensor_name(naming, layer, spec);
    const std::size_t outputs = size_of(spec.outputs, config);
    if (spec.kind == TensorSpec::Kind::kMatrix) {
      weights.set_matrix(spec.weight, binder.matrix(name, {outputs, size_of(spec.inputs, config)}));
    } else {
      std::vector<float> values = binder.vector(name, outputs);
      if (spec.kind == TensorSpec::Kind::kVector && naming == TensorNaming::kHuggingFace) {
        for (float& value : values) value += config.architecture->block.norm_offset;
      }
      weights.set_vector(spec, std::move(values));
    }
  }
  return weights;
}

ModelWeights bind_all(Binder& binder, const ModelConfig& config, std::size_t layer_count,
                      TensorNaming naming) {
  ModelWeights weights;
  weights.embedding = binder.matrix(embedding_name(naming), {config.vocabulary, config.hidden_size});
  for (std::size_t layer = 0; layer < layer_count; ++layer) {
    weights.layers.push_back(bind_layer(binder, config, layer, naming));
  }
  return weights;
}

}  // namespace

void LayerWeights::set_vector(const TensorSpec& spec, std::vector<float> values) {
  auto& vectors = spec.kind == TensorSpec::Kind::kBias ? biases_ : norms_;
  vectors[index(spec.weight)] = std::move(values);
}

uint64_t LayerWeights::elements() const {
  uint64_t elements = 0;
  for (const Weight& matrix : matrices_) elements += matrix.data == nullptr ? 0 : element_count(matrix.shape);
  return elements;
}

void ModelWeights::bind_to(Backend& backend) {
  embedding = backend.bind(embedding);
  for (LayerWeights& layer : layers) {
    for (std::size_t i = 0; i < kBlockWeights; ++i) {
      const auto which = static_cast<BlockWeight>(i);
      if (layer.matrix(which).data != nullptr) layer.set_matrix(which, backend.bind(layer.matrix(which)));
    }
  }
}

ModelWeights bind_weights(const NamedTensors& tensors, const ModelConfig& config, std::size_t layer_count,
                          TensorNaming naming, const std::string& where) {
  Binder binder(&tensors);
  ModelWeights weights = bind_all(binder, config, layer_count, naming);
  binder.finish(where);
  return weights;
}

std::vector<std::string> needed_tensor_names(const ModelConfig& config, std::size_t layer_count,
                                             TensorNaming naming) {
  Binder binder(nullptr);
  bind_all(binder, config, layer_count, naming);
  return binder.names();
}

}  // namespace saescope
