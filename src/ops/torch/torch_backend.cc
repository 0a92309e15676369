#include "ops/torch/torch_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ops/cpu/run_tasks.h"
#include "ops/encode/encode.h"
#include "ops/torch/torch_attention.h"
#include "ops/torch/torch_encode.h"
#include "ops/weight_rows.h"
#include "tensor/buffer.h"

namespace saescope {
namespace {

// A GPU's are large enough to fill it; the processor's small, since tests have few rows.
constexpr ProductExtents kGpuExtents = {.rows = 1024, .outputs = 4096};
constexpr ProductExtents kCpuExtents = {.rows = 64, .outputs = 512};
// Changes with every change of the operators that may change bits.
constexpr const char* kRevision = "torch operators 1";

TorchTensor host_tensor(const TorchDevice& device, MatrixView<const float> host) {
  return device.on_host(host.data, {static_cast<int64_t>(host.rows), static_cast<int64_t>(host.cols)},
                        {static_cast<int64_t>(host.stride), 1}, DType::kF32);
}

/// Hands a block of outputs over in pieces that fit a processor's cache, from all threads.
void hand_over(MatrixView<float> block, std::size_t first_output, int threads, const TileSink& sink) {
  constexpr std::size_t kTogether = 512;
  run_tasks(threads, (block.cols + kTogether - 1) / kTogether, [&](std::size_t, std::size_t index) {
    const std::size_t first = index * kTogether;
    sink(first_output + first,
         {block.data + first, block.rows, std::min(kTogether, block.cols - first), block.stride});
  });
}

}  // namespace

TorchBackend::TorchBackend(const TorchLibrary& library, TorchDeviceName device, int threads,
                           uint64_t kept_bytes)
    : device_(library, device, threads),
      threads_(threads),
      extents_(device.is_gpu ? kGpuExtents : kCpuExtents),
      weights_(device_, extents_, kept_bytes, threads),
      vectors_(device_),
      rope_(device_) {}

std::string TorchBackend::description() const {
  const bool has_bf16 = weights_.product_type(DType::kBF16) == DType::kBF16;
  return fmt::format("{}{}{}, {} thread{}", device_.description(),
                     has_bf16 ? "" : " (bf16 values are multiplied in float32)",
                     rows_are_apart_ ? "" : " (the last bits depend on what is computed together)", threads_,
                     threads_ == 1 ? "" : "s");
}

/// A GPU's kernels depend on its kind and on PyTorch's libraries; the processor's also on the threads.
std::string TorchBackend::numerics(DType dtype) const {
  return fmt::format("{}, {}, {} products of {} × {}{}{}", kRevision, device_.description(),
                     name_of(weights_.product_type(dtype)), extents_.rows, extents_.outputs,
                     device_.is_gpu() ? "" : fmt::format(", {} threads", threads_),
                     rows_are_apart_ ? "" : ", rows depend on their wave");
}

std::size_t TorchBackend::workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const {
  const std::size_t whole = (rows + extents_.rows - 1) / extents_.rows * extents_.rows;
  const std::size_t tile = std::max(outputs, extents_.outputs);
  // The filled-up input; of gate and up a tile and its product each, and what their functions make of it.
  return sizeof(float) * (whole * std::max(inputs, outputs) + 2 * tile * inputs + 5 * extents_.rows * tile);
}

std::size_t TorchBackend::tiles_workspace_bytes(std::size_t rows) const {
  return sizeof(float) * rows * 2 * extents_.outputs;
}

/// Half of it: the other one is the weights'.
std::optional<uint64_t> TorchBackend::device_bytes() const {
  const auto free = device_.free_bytes();
  return free ? std::optional(*free / 2) : std::nullopt;
}

Array TorchBackend::allocate(std::size_t rows, std::size_t cols, DType dtype) {
  const auto owner = std::make_shared<TorchTensor>(
      device_.empty({static_cast<int64_t>(rows), static_cast<int64_t>(cols)}, dtype));
  return {std::shared_ptr<std::byte>(owner, owner->data()), dtype, rows, cols};
}

void TorchBackend::upload(MatrixView<const float> host, const Array& array) {
  if (host.rows > 0) tensor_of(device_, array).copy_from(host_tensor(device_, host));
}

void TorchBackend::download(const Array& array, MatrixView<float> host) {
  if (host.rows > 0) host_tensor(device_, host).copy_from(tensor_of(device_, array), true);
}

/// Rows are taken on the host: of a vocabulary's table a wave needs a few.
void TorchBackend::do_embed(const Weight& table, std::span<const int32_t> ids, float scale,
                            const Array& out) {
  Matrix<float> rows(ids.size(), out.cols());
#pragma omp parallel for num_threads(threads_) schedule(static)
  for (std::size_t r = 0; r < ids.size(); ++r) {
    float* const row = rows.row(r);
    load_weight_rows(table, static_cast<std::size_t>(ids[r]), 1, row);
    if (scale != 1) std::transform(row, row + out.cols(), row, [&](float value) { return value * scale; });
  }
  upload(rows.view(), out);
}

void TorchBackend::do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                               Store store) {
  if (x.rows() == 0) return;
  torch_rms_norm(device_, x, {vectors_.find(weight), epsilon, store}, weight.size(), extents_.rows, out);
}

/// The products of one of a piece's weights, whole, so that what follows has fixed extents as well.
TorchTensor TorchBackend::with_bias(const ProductPiece& piece, std::size_t weight,
                                    std::span<const float> bias) {
  const TorchTensor& values = piece.values[weight];
  if (bias.empty()) return values.same();
  const TorchTensor terms = device_.empty({static_cast<int64_t>(piece.tile)});
  if (piece.outputs < piece.tile) terms.set_zero();
  terms.view({static_cast<int64_t>(piece.outputs)}, {1})
      .copy_from(vectors_.find(bias).view({static_cast<int64_t>(piece.outputs)}, {1},
                                          static_cast<int64_t>(piece.first_output)));
  return device_.add(values, terms);
}

void TorchBackend::do_linear(const Array& x, const Weight& weight, std::span<const float> bias,
                             const Array& y, bool accumulate) {
  const TorchTensor result = tensor_of(device_, y);
  const std::array weights = {&weight};
  TorchProducts(device_, extents_, weights_, x, weights).multiply_all([&](const ProductPiece& piece) {
    const TorchTensor values = piece.existing(with_bias(piece, 0, bias));
    const TorchTensor place = piece.place_in(result, y.cols());
    if (accumulate) {
      place.copy_from(device_.add(place, values));
    } else {
      place.copy_from(values);
    }
  });
}

void TorchBackend::do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up,
                          GateFunction function, const Array& out) {
  const TorchTensor result = tensor_of(device_, out);
  const std::array weights = {&gate.weight, &up.weight};
  TorchProducts(device_, extents_, weights_, x, weights).multiply_all([&](const ProductPiece& piece) {
    const TorchTensor gates = with_bias(piece, 0, gate.bias);
    const TorchTensor factors =
        function == GateFunction::kSilu ? device_.silu(gates) : device_.gelu_tanh(gates);
    const TorchTensor product = device_.multiply(factors, with_bias(piece, 1, up.bias));
    piece.place_in(result, out.cols()).copy_from(piece.existing(product));
  });
}

/// Blocks of outputs come to the host while the device computes the next one.
void TorchBackend::do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) {
  struct Block {
    TorchTensor memory;
    DeviceMark arrived;
    std::size_t first_output = 0, outputs = 0;
  };
  const std::array weights = {&weight};
  auto products = weights_.with_room([&] { return TorchProducts(device_, extents_, weights_, x, weights); });
  const auto rows = static_cast<int64_t>(x.rows());
  const auto tile = static_cast<int64_t>(products.tile());
  std::array<Block, 2> blocks;
  for (Block& block : blocks) block.memory = device_.empty_staging({rows, tile});
  const auto begin = [&](Block& block, std::size_t first) {
    weights_.with_room([&] {
      products.multiply(first, [&](const ProductPiece& piece) {
        const auto [from, count] =
            std::array{static_cast<int64_t>(piece.first_row), static_cast<int64_t>(piece.rows)};
        block.memory.view({count, tile}, {tile, 1}, from * tile)
            .copy_from(piece.values[0].view({count, tile}, {tile, 1}));
      });
    });
    block.arrived = device_.mark();
    block.first_output = first;
    block.outputs = std::min(products.tile(), products.outputs() - first);
  };
  const auto deliver = [&](Block& block) {
    if (block.outputs == 0) return;
    block.arrived.wait();
    auto* const values = reinterpret_cast<float*>(block.memory.data());
    hand_over({values, x.rows(), block.outputs, products.tile()}, block.first_output, threads_, sink);
    block.outputs = 0;
  };
  std::size_t turn = 0;
  for (std::size_t first = 0; first < products.outputs(); first += products.tile()) {
    begin(blocks[turn % 2], first);
    deliver(blocks[++turn % 2]);
  }
  deliver(blocks[(turn + 1) % 2]);
}

void TorchBackend::do_encode(MatrixView<const float> x, const BoundEncoder& encoder,
                             const FeatureSink& sink) {
  torch_encode({device_, extents_, weights_}, prepare_input(encoder.parameters, x, *this), encoder, sink);
}

void TorchBackend::do_rope(const Array& x, std::span<const int32_t> positions,
                           const RopeFrequencies& frequencies) {
  rope_.rotate(x, positions, frequencies);
}

void TorchBackend::do_attention(const Array& q, const Array& k, const Array& v,
                                std::span<const int32_t> query_nodes, const TreeTopology& tree,
                                const AttentionShape& shape, const Array& out) {
  torch_tree_attention(device_, q, k, v, query_nodes, tree, shape, out);
}

void TorchBackend::do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) {
  if (rows.empty()) return;
  const auto indices = std::vector<int64_t>(rows.begin(), rows.end());
  device_.gather(tensor_of(device_, x), device_.upload(indices, {static_cast<int64_t>(rows.size())}),
                 tensor_of(device_, out));
}

}  // namespace saescope
