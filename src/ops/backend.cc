#include "ops/backend.h"

#include <fmt/format.h>

#include <stdexcept>

#include "ops/encode/encode.h"
#include "ops/weight_rows.h"

namespace saescope {
namespace {

void require(bool holds, std::string_view op, std::string_view condition) {
  if (!holds) throw std::logic_error(fmt::format("{}: {} does not hold", op, condition));
}

bool is_f32(const Array& array) { return array.dtype() == DType::kF32; }

void require_weight(const Array& x, const TensorView& weight, std::string_view op) {
  require(weight.shape.size() == 2 && weight.shape[1] == x.cols(), op, "weight is [out, x.cols]");
  require(weight.is_contiguous() ||
              (is_plain_float(weight.dtype) && (weight.strides[0] == 1 || weight.strides[1] == 1)),
          op, "weight is contiguous, or plain with dense rows or columns");
}

}  // namespace

void Backend::embed(const Weight& table, std::span<const int32_t> ids, float scale, const Array& out) {
  require(table.shape.size() == 2 && table.is_contiguous(), "embed", "table is [vocabulary, d], contiguous");
  require(is_f32(out) && out.rows() == ids.size() && out.cols() == table.shape[1], "embed",
          "out is f32 [ids, d]");
  for (const int32_t id : ids) {
    require(id >= 0 && static_cast<uint64_t>(id) < table.shape[0], "embed", "id < vocabulary");
  }
  do_embed(table, ids, scale, out);
}

void Backend::rms_norm(const Array& x, std::span<const float> weight, float epsilon, const Array& out,
                       Store store) {
  require(is_f32(x) && !weight.empty() && x.cols() % weight.size() == 0, "rms_norm",
          "x is f32 [rows, groups * weight]");
  require(out.rows() == x.rows() && out.cols() == x.cols(), "rms_norm", "out has the shape of x");
  require(store == Store::kReplace || is_f32(out), "rms_norm", "out is f32 where results are added");
  do_rms_norm(x, weight, epsilon, out, store);
}

void Backend::linear(const Array& x, const Weight& weight, std::span<const float> bias, const Array& y,
                     bool accumulate) {
  require_weight(x, weight, "linear");
  require(is_f32(y) && y.rows() == x.rows() && y.cols() == weight.shape[0], "linear", "y is f32 [rows, out]");
  require(bias.empty() || bias.size() == weight.shape[0], "linear", "bias is [out]");
  if (x.rows() > 0) do_linear(x, weight, bias, y, accumulate);
}

void Backend::linear_tiles(const Array& x, const Weight& weight, const TileSink& sink) {
  require(is_f32(x), "linear_tiles", "x is f32");
  require_weight(x, weight, "linear_tiles");
  if (x.rows() > 0) do_linear_tiles(x, weight, sink);
}

void Backend::rope(const Array& x, std::span<const int32_t> positions, const RopeFrequencies& frequencies) {
  require(is_f32(x) && x.rows() == positions.size(), "rope", "one position for each row of x");
  require(x.cols() % (2 * frequencies.inverse.size()) == 0, "rope", "x holds whole heads");
  do_rope(x, positions, frequencies);
}

void Backend::attention(const Array& q, const Array& k, const Array& v, std::span<const int32_t> query_nodes,
                        const TreeTopology& tree, const AttentionShape& shape, const Array& out) {
  require(is_f32(q) && q.rows() == query_nodes.size() && q.cols() == shape.heads * shape.head_dim,
          "attention", "q is f32 [queries, heads * head_dim]");
  require(is_f32(k) && k.cols() == shape.kv_heads * shape.head_dim && k.rows() <= tree.parent.size(),
          "attention", "k is f32 [nodes, kv_heads * head_dim]");
  require(is_f32(v) && v.rows() == k.rows() && v.cols() == k.cols(), "attention", "v has the shape of k");
  require(out.rows() == q.rows() && out.cols() == q.cols(), "attention", "out has the shape of q");
  require(shape.heads % shape.kv_heads == 0, "attention", "kv_heads divides heads");
  for (const int32_t node : query_nodes) {
    require(node >= 0 && static_cast<std::size_t>(node) < k.rows(), "attention", "query node has a key");
  }
  do_attention(q, k, v, query_nodes, tree, shape, out);
}

void Backend::glu(const Array& x, const LinearWeight& gate, const LinearWeight& up, GateFunction function,
                  const Array& out) {
  for (const LinearWeight& part : {gate, up}) {
    require_weight(x, part.weight, "glu");
    require(out.rows() == x.rows() && out.cols() == part.weight.shape[0], "glu", "out is [rows, out]");
    require(part.bias.empty() || part.bias.size() == out.cols(), "glu", "bias is [out]");
  }
  if (x.rows() > 0) do_glu(x, gate, up, function, out);
}

BoundEncoder Backend::bind_encoder(const EncoderParameters& parameters, IndexRange features) {
  const IndexRange existing = features.intersect({0, parameters.dict_size});
  if (needs_whole_row(parameters.function)) return {parameters, existing, bind(parameters.weight)};
  return {parameters, existing, bind(weight_outputs(parameters.weight, existing.begin, existing.size()))};
}

void Backend::encode(MatrixView<const float> x, const BoundEncoder& encoder, const FeatureSink& sink) {
  require(x.cols == encoder.parameters.activation_dim, "encode", "x is [rows, activation_dim]");
  if (x.rows > 0 && encoder.features.size() > 0) do_encode(x, encoder, sink);
}

void Backend::do_encode(MatrixView<const float> x, const BoundEncoder& encoder, const FeatureSink& sink) {
  encode_in_tiles(x, encoder, *this, sink);
}

void Backend::gather(const Array& x, std::span<const int32_t> rows, const Array& out) {
  require(out.dtype() == x.dtype() && out.cols() == x.cols() && out.rows() == rows.size(), "gather",
          "out is [rows, x.cols] of x's dtype");
  for (const int32_t row : rows) {
    require(row >= 0 && static_cast<std::size_t>(row) < x.rows(), "gather", "row < x.rows");
  }
  do_gather(x, rows, out);
}

}  // namespace saescope
