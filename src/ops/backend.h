#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/index_range.h"
#include "ops/array.h"
#include "ops/encode/encoder_parameters.h"
#include "ops/encode/feature_block.h"
#include "ops/weight.h"

namespace saescope {

/// Rotary position embedding: how the two numbers of a rotated pair lie in a head.
enum class RopeLayout {
  kHalves,       ///< (i, i + head_dim/2), as in Hugging Face checkpoints
  kInterleaved,  ///< (2i, 2i + 1), as in GGUF files of the llama architecture
};

/// Inverse frequencies, one for each pair of a head [head_dim / 2], scaling already applied.
struct RopeFrequencies {
  std::vector<float> inverse;
  RopeLayout layout = RopeLayout::kHalves;
  float magnitude = 1;  ///< multiplied to the rotated vectors (YaRN's attention factor)
};

/// Grouped-query attention: `heads` queries share `kv_heads` keys and values.
struct AttentionShape {
  std::size_t heads = 0;
  std::size_t kv_heads = 0;
  std::size_t head_dim = 0;
  float scale = 0;         ///< multiplied to q·k
  float softcap = 0;       ///< scores become softcap · tanh(score / softcap); 0: they stay as they are
  std::size_t window = 0;  ///< a query sees so many tokens, itself the last of them; 0: all before it
};

/// What the gate of a gated MLP goes through.
enum class GateFunction : uint8_t {
  kSilu,      ///< x · sigmoid(x) (SwiGLU)
  kGeluTanh,  ///< 0.5 · x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) (GEGLU; torch's
              ///< gelu(approximate="tanh"))
};

/// Whether an operator's results replace what its output holds, or are added to it.
enum class Store : uint8_t { kReplace, kAdd };

/// Which earlier tokens a token sees. Nodes are the distinct token prefixes of a wave; a node's parent
/// has a smaller index and stands one position before it.
struct TreeTopology {
  std::span<const int32_t> parent;    ///< [nodes], -1 for a root
  std::span<const int32_t> position;  ///< [nodes], 0 for a root
};

/// What a linear layer holds.
struct LinearWeight {
  const Weight& weight;         ///< [out, in]
  std::span<const float> bias;  ///< [out] or empty
};

/// Receives outputs [first_output, first_output + tile.cols) of all rows. @param tile may be changed; valid
/// during the call
using TileSink = std::function<void(std::size_t first_output, MatrixView<float> tile)>;

/// An SAE's encoder for some of its features, made by Backend::bind_encoder.
struct BoundEncoder {
  const EncoderParameters& parameters;
  IndexRange features;
  Weight weight;  ///< rows of these features; of all where an activation depends on other features, too
};

/// A device's memory does not hold what an operator needs besides its arrays, or an array. What was computed
/// before is as it was.
struct OutOfDeviceMemory : RunError {
  OutOfDeviceMemory(const std::string& operation, const std::string& reason)
      : RunError({.what = "the device's memory does not hold what is computed at once",
                  .where = operation,
                  .found = reason,
                  .hint = "end other programs on the device, or give a smaller --batch-tokens"}) {}
};

/// The operators of the forward pass and of SAE encoding. One forward is written over this interface;
/// `ReferenceBackend` is the naive definition that every other one is tested against.
///
/// All shapes are checked by the non-virtual functions; a mismatch is an internal error
/// (std::logic_error). Every result of a row depends on that row's inputs alone, bit by bit: not on how
/// many other rows are computed with it, nor on the number of threads.
class Backend {
 public:
  virtual ~Backend() = default;

  /// "cpu, avx512 kernels, oneDNN 2.6.3, avx512_core_bf16, 2 threads": for the closing summary.
  virtual std::string description() const = 0;

  /// What the bits of results depend on besides the input, where activations are multiplied in `dtype` (kF32
  /// or kBF16): results of another value may differ in rounding.
  virtual std::string numerics(DType dtype) const = 0;

  /// Bytes that `linear` and `glu` of so many rows may hold besides the arrays they are given.
  /// @param inputs, outputs of the weight
  virtual std::size_t workspace_bytes(std::size_t rows, std::size_t inputs, std::size_t outputs) const = 0;

  /// Bytes that `linear_tiles` holds for so many rows besides x.
  virtual std::size_t tiles_workspace_bytes(std::size_t rows) const = 0;

  /// Bytes that arrays and workspaces may take of a device's memory of its own; nothing where they lie in the
  /// process's. @throws RunError where the device does not answer
  virtual std::optional<uint64_t> device_bytes() const { return std::nullopt; }

  /// Gives memory back that is held only to be quicker, and takes no more for that.
  virtual void save_memory() {}

  /// Prepares a weight for the operators below; a device copies it to its memory. @param view lives as long
  /// as the result is used
  virtual Weight bind(const TensorView& view) { return view; }

  /// Whether the device has all of a bound weight, so that its next product reads nothing of the file.
  virtual bool holds(const Weight& /*weight*/) const { return false; }

  /// Prepares an encoder for `encode`. @param parameters must outlive the result, with the file its weight
  /// lies in
  /// @param features of which those are taken that the SAE has
  BoundEncoder bind_encoder(const EncoderParameters& parameters, IndexRange features = {});

  /// An uninitialised matrix. @param dtype kF32 or kBF16. @throws std::bad_alloc, or OutOfDeviceMemory
  virtual Array allocate(std::size_t rows, std::size_t cols, DType dtype) = 0;
  /// Copies host rows into an array of the same shape, rounding them where it is bfloat16.
  virtual void upload(MatrixView<const float> host, const Array& array) = 0;
  /// Copies an array into host rows of the same shape.
  virtual void download(const Array& array, MatrixView<float> host) = 0;

  /// out[r] = table[ids[r]] · scale.
  /// @param table [vocabulary, d], any floating dtype, contiguous @param out [ids, d] f32
  void embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out);

  /// RMSNorm (Zhang & Sennrich 2019; transformers' LlamaRMSNorm): out = x / sqrt(mean(x²) + eps) · weight,
  /// for each group of d numbers by itself (the norm of a head's queries and keys).
  /// @param x [rows, groups · d] f32 @param weight [d]
  /// @param out [rows, groups · d] f32, or bf16 (rounded once); may be x itself; f32 where `store` adds
  void rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                Store store = Store::kReplace);

  /// y = x · weightᵀ (+ bias) (+ y where accumulate), accumulated in float32.
  /// @param x [rows, in]: f32 multiplies in float32; bf16 multiplies with the weight rounded to bfloat16
  /// @param weight [out, in], any floating dtype; contiguous, or (plain dtypes) with dense rows or columns
  /// @param bias [out] or empty @param y [rows, out] f32
  void linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
              bool accumulate);

  /// y = x · weightᵀ as `linear` computes it, but handed over in tiles of some outputs in host memory, so
  /// that the whole of y never exists. `sink` is called from several threads at once, for different tiles, in
  /// no order; what it throws is thrown here.
  /// @param x [rows, in] f32
  void linear_tiles(const Array& x, const Weight& weight, const TileSink& sink);

  /// Rotates every head of x in place by its row's position.
  /// @param x [rows, heads · head_dim] f32 @param positions [rows]
  void rope(const Array& x, std::span<const int32_t> positions, const RopeFrequencies& frequencies);

  /// Causal attention over a prefix tree: query i, which stands at node query_nodes[i], sees that node
  /// and its ancestors, or the nearest of them where the shape has a window. @param q [queries, heads ·
  /// head_dim] f32 @param k, v [nodes, kv_heads · head_dim] f32 @param query_nodes ascending @param out
  /// [queries, heads · head_dim] f32 or bf16
  void attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                 const TreeTopology& tree, const AttentionShape& shape, const Array& out);

  /// A gated linear unit (Shazeer 2020; transformers' LlamaMLP before down_proj):
  /// out = function(x · gateᵀ) ⊙ (x · upᵀ).
  /// @param x, gate.weight, up.weight as in `linear`; both weights [out, in] @param out [rows, out] f32 or
  /// bf16
  void glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
           const Array& out);

  /// Encodes residual-stream activations with an SAE in float32, and hands the activations of the encoder's
  /// features over in blocks, so that the rows × features matrix never exists: dense ones, or what is not 0
  /// of them where that is all that is known (top-k) or worth its way (from a device). A feature's bits do
  /// not depend on the range that it is encoded in. @param x [rows, d] in host memory
  /// @throws NotFiniteActivation; what `sink` throws
  void encode(MatrixView<const float> x, const BoundEncoder& encoder, const FeatureSink& sink);

  /// out[i] = x[rows[i]]. Same dtype on both sides.
  void gather(const Array& x, std::span<const int32_t> rows, const Array& out);

 protected:
  virtual void do_embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out) = 0;
  virtual void do_rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                           Store store) = 0;
  virtual void do_linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
                         bool accumulate) = 0;
  virtual void do_rope(const Array& x, std::span<const int32_t> positions,
                       const RopeFrequencies& frequencies) = 0;
  virtual void do_attention(const Array& q, const Array& k, const Array& v,
                            std::span<const int32_t> query_nodes, const TreeTopology& tree,
                            const AttentionShape& shape, const Array& out) = 0;
  virtual void do_linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) = 0;
  virtual void do_glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
                      const Array& out) = 0;
  virtual void do_encode(MatrixView<const float> x, const BoundEncoder& encoder, const FeatureSink& sink);
  virtual void do_gather(const Array& x, std::span<const int32_t> rows, const Array& out) = 0;
};

}  // namespace saescope
