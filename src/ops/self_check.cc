#include "ops/self_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "ops/reference/reference_backend.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

constexpr std::size_t kHeads = 4, kKvHeads = 2, kHeadDim = 16;
constexpr std::size_t kWidth = kHeads * kHeadDim;
constexpr std::size_t kOutputs = 96;

class Inputs {
 public:
  const std::vector<float>& numbers(std::size_t size) {
    std::vector<float>& values = kept_.emplace_back(size);
    std::generate(values.begin(), values.end(), [&] { return normal_(random_); });
    return values;
  }
  Weight weight(std::size_t outputs, std::size_t inputs) {
    const std::vector<float>& values = numbers(outputs * inputs);
    return TensorView::dense(DType::kF32, {outputs, inputs},
                             reinterpret_cast<const std::byte*>(values.data()));
  }

 private:
  std::mt19937 random_{20};
  std::normal_distribution<float> normal_;
  std::deque<std::vector<float>> kept_;
};

Array array_of(Backend& backend, const std::vector<float>& values, std::size_t cols,
               DType dtype = DType::kF32) {
  Array array = backend.allocate(values.size() / cols, cols, dtype);
  backend.upload({values.data(), array.rows(), cols, cols}, array);
  return array;
}

std::vector<float> values_in(Backend& backend, const Array& array) {
  std::vector<float> values(array.rows() * array.cols());
  backend.download(array, {values.data(), array.rows(), array.cols(), array.cols()});
  return values;
}

/// An operator by itself: what it gives on a backend.
using Trial = std::function<std::vector<float>(Backend&)>;

void compare(const char* name, Backend& backend, const Trial& trial) {
  constexpr double kAllowed =
      1e-4;  // of the largest number: rounding is a hundredth of it, a wrong index all
  ReferenceBackend reference;
  const std::vector<float> actual = trial(backend);
  const std::vector<float> expected = trial(reference);
  double top = 0;
  double error = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    top = std::max(top, std::fabs(double{expected[i]}));
    const double difference = std::fabs(double{actual[i]} - expected[i]);
    error = std::max(error, std::isnan(difference) ? HUGE_VAL : difference);
  }
  if (error <= kAllowed * top) return;
  throw RunError({.what = "the device does not compute what it is asked to",
                  .where = fmt::format("{}, operator {}", backend.description(), name),
                  .expected = fmt::format("results up to {:.4g} within {:.0e} of them", top, kAllowed),
                  .found = fmt::format("a difference of {:.4g}", error),
                  .hint = "--device cpu; please report it with this text"});
}

/// A trunk of 300 tokens and a branch that leaves it after 100.
struct SmallTree {
  std::vector<int32_t> parent, position, queries;
  SmallTree() {
    for (int32_t i = 0; i < 340; ++i) {
      parent.push_back(i == 300 ? 99 : i - 1);
      position.push_back(i < 300 ? i : i - 200);
    }
    queries.resize(parent.size());
    std::iota(queries.begin(), queries.end(), 0);
  }
};

std::vector<float> attend(Backend& backend, Inputs inputs) {
  const SmallTree tree;
  const std::size_t nodes = tree.parent.size();
  const AttentionShape shape{kHeads, kKvHeads, kHeadDim, 0.25f, 0, 280};
  const Array q = array_of(backend, inputs.numbers(nodes * kWidth), kWidth);
  const Array k = array_of(backend, inputs.numbers(nodes * kKvHeads * kHeadDim), kKvHeads * kHeadDim);
  const Array v = array_of(backend, inputs.numbers(nodes * kKvHeads * kHeadDim), kKvHeads * kHeadDim);
  const Array out = backend.allocate(nodes, kWidth, DType::kF32);
  backend.attention(q, k, v, tree.queries, {tree.parent, tree.position}, shape, out);
  return values_in(backend, out);
}

std::vector<float> turn(Backend& backend, Inputs inputs) {
  const std::vector<int32_t> positions = {0, 1, 500, 4000};
  RopeFrequencies frequencies;
  for (std::size_t i = 0; i < kHeadDim / 2; ++i) frequencies.inverse.push_back(std::pow(0.1f, float(i)));
  const Array x = array_of(backend, inputs.numbers(positions.size() * kWidth), kWidth);
  backend.rope(x, positions, frequencies);
  const Array turned = backend.allocate(2, kWidth, DType::kF32);
  backend.gather(x, std::vector<int32_t>{3, 1}, turned);
  return values_in(backend, turned);
}

/// Whole numbers, whose products are exact on any device, so that equal activations are equal everywhere.
std::vector<float> encode_rows(Backend& backend, ActivationFunction function) {
  constexpr std::size_t kRows = 3, kFeatures = 600, kLargest = 8;
  std::mt19937 random(21);
  const auto whole_numbers = [&](std::size_t size) {
    std::vector<float> values(size);
    for (float& value : values) value = static_cast<float>(random() % 5) - 2;
    return values;
  };
  const std::vector<float> weight = whole_numbers(kFeatures * kWidth);
  const std::vector<float> x = whole_numbers(kRows * kWidth);
  EncoderParameters parameters;
  parameters.activation_dim = kWidth;
  parameters.dict_size = kFeatures;
  parameters.weight =
      TensorView::dense(DType::kF32, {kFeatures, kWidth}, reinterpret_cast<const std::byte*>(weight.data()));
  parameters.scale.assign(kFeatures, 2);
  parameters.bias = whole_numbers(kFeatures);
  parameters.gate_bias = whole_numbers(kFeatures);
  parameters.feature_threshold = whole_numbers(kFeatures);
  parameters.function = function;
  parameters.threshold = 7;
  parameters.k = kLargest;
  std::vector<float> activations(kRows * kFeatures, 0);
  backend.encode({x.data(), kRows, kWidth, kWidth}, backend.bind_encoder(parameters),
                 [&](std::size_t first, const FeatureBlock& block) {
                   for_each_hit(block, [&](std::size_t row, std::size_t column, float activation) {
                     activations[row * kFeatures + first + column] = activation;
                   });
                 });
  return activations;
}

/// A product with its bias, a gated unit and a norm of the same rows.
std::vector<float> compute_rows(Backend& backend, std::size_t rows, DType dtype) {
  Inputs inputs;
  const Weight gate = inputs.weight(kOutputs, kWidth);
  const Weight up = inputs.weight(kOutputs, kWidth);
  const std::vector<float>& bias = inputs.numbers(kOutputs);
  const std::vector<float>& x = inputs.numbers(rows * kWidth);
  std::vector<float> results;
  const auto add = [&](const Array& array) {
    const std::vector<float> values = values_in(backend, array.row_range(0, 1));
    results.insert(results.end(), values.begin(), values.end());
  };
  const Array product = backend.allocate(rows, kOutputs, DType::kF32);
  const Array gated = backend.allocate(rows, kOutputs, DType::kF32);
  const Array normed = backend.allocate(rows, kWidth, DType::kF32);
  backend.linear(array_of(backend, x, kWidth, dtype), gate, bias, product, false);
  backend.glu(array_of(backend, x, kWidth, dtype), {gate, bias}, {up, {}}, GateFunction::kSilu, gated);
  backend.rms_norm(array_of(backend, x, kWidth), std::span(bias).first(kHeadDim), 1e-5f, normed);
  add(product);
  add(gated);
  add(normed);
  return results;
}

}  // namespace

void check_operators(Backend& backend) {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    compare("linear, glu or rms_norm", backend, [&](Backend& b) { return compute_rows(b, 3, dtype); });
  }
  compare("rope or gather", backend, [](Backend& b) { return turn(b, {}); });
  compare("attention", backend, [](Backend& b) { return attend(b, {}); });
  for (const ActivationFunction function :
       {ActivationFunction::kThreshold, ActivationFunction::kJumpRelu, ActivationFunction::kGated,
        ActivationFunction::kTopK, ActivationFunction::kGroupMax}) {
    compare("encode", backend, [&](Backend& b) { return encode_rows(b, function); });
  }
}

bool keeps_rows_apart(Backend& backend) {
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const std::vector<float> alone = compute_rows(backend, 1, dtype);
    for (const std::size_t rows : {2, 65, 513, 1300}) {
      if (compute_rows(backend, rows, dtype) != alone) return false;
    }
  }
  return true;
}

}  // namespace saescope
