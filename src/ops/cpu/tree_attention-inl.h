// Attention of a block of queries, once for each instruction set (see kernels.cc).
#if defined(SAESCOPE_OPS_CPU_TREE_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SAESCOPE_OPS_CPU_TREE_ATTENTION_INL_H_
#undef SAESCOPE_OPS_CPU_TREE_ATTENTION_INL_H_
#else
#define SAESCOPE_OPS_CPU_TREE_ATTENTION_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "ops/cpu/kernels.h"
#include "ops/cpu/register_block-inl.h"

HWY_BEFORE_NAMESPACE();
namespace saescope::HWY_NAMESPACE {

inline constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// The keys of a tile that a query sees: [first, end).
struct VisibleKeys {
  std::size_t first = 0;
  std::size_t end = 0;
};

/// scores · scale, and their tanh where they are capped. @param scores [cols], cols a multiple of kLanes
HWY_INLINE void scale_scores(float* scores, std::size_t cols, const AttentionShape& shape) {
  const Floats d;
  const Vec scales = hn::Set(d, shape.scale);
  for (std::size_t j = 0; j < cols; j += kVecLanes) {
    hn::Store(hn::Mul(hn::Load(d, scores + j), scales), d, scores + j);
  }
  if (shape.softcap == 0) return;
  const Vec cap = hn::Set(d, shape.softcap);
  for (std::size_t j = 0; j < cols; j += kVecLanes) {
    hn::Store(hn::Mul(tanh(hn::Div(hn::Load(d, scores + j), cap)), cap), d, scores + j);
  }
}

/// Turns one row of scores into weights e^(s - top), after moving the row's sums to the new top. Keys that
/// are not visible weigh exactly nothing. @param scores [cols], cols a multiple of kLanes @param sums [dim],
/// likewise
HWY_INLINE void softmax_row(float* scores, std::size_t cols, VisibleKeys visible, const AttentionShape& shape,
                            float& top, float& total, float* sums, std::size_t dim) {
  const Floats d;
  if (visible.first >= visible.end) {
    std::fill_n(scores, cols, 0.0f);
    return;
  }
  scale_scores(scores, cols, shape);
  std::fill(scores, scores + visible.first, kMinusInfinity);
  std::fill(scores + visible.end, scores + cols, kMinusInfinity);
  Vec best = hn::Set(d, top);
  for (std::size_t j = 0; j < cols; j += kVecLanes) {
    const Vec score = hn::Load(d, scores + j);
    best = hn::IfThenElse(hn::Gt(score, best), score, best);
  }
  HWY_ALIGN float lanes[kVecLanes];
  hn::Store(best, d, lanes);
  const float new_top = *std::max_element(lanes, lanes + kVecLanes);
  const float shrink = hn::GetLane(exp(hn::Set(d, top - new_top)));
  const Vec tops = hn::Set(d, new_top);
  Vec weights[kParts];
  for (Vec& part : weights) part = hn::Zero(d);
  for (std::size_t j = 0; j < cols; j += kLanes) {
    for (std::size_t i = 0; i < kParts; ++i) {
      float* place = scores + j + i * kVecLanes;
      const Vec weight = exp(hn::Sub(hn::Load(d, place), tops));
      weights[i] = hn::Add(weights[i], weight);
      hn::Store(weight, d, place);
    }
  }
  total = total * shrink + sum_lanes(weights);
  top = new_top;
  if (shrink == 1.0f) return;
  const Vec factor = hn::Set(d, shrink);
  for (std::size_t c = 0; c < dim; c += kVecLanes)
    hn::Store(hn::Mul(hn::Load(d, sums + c), factor), d, sums + c);
}

/// One call of Kernels::attend.
class BlockAttention {
 public:
  BlockAttention(const AttentionBlock& block, AttentionWorkspace& work)
      : block_(block),
        work_(work),
        dim_(block.shape.head_dim),
        group_(block.shape.heads / block.shape.kv_heads),
        rows_(block.queries * group_) {}

  void run() {
    load_queries();
    std::fill_n(work_.sums.data(), rows_ * work_.padded_dim, 0.0f);
    std::fill_n(work_.top.begin(), rows_, kMinusInfinity);
    std::fill_n(work_.total.begin(), rows_, 0.0f);
    for (std::size_t first = first_tile(); first < block_.path.size(); first += kAttentionTile) {
      const std::size_t keys = std::min(kAttentionTile, block_.path.size() - first);
      score_keys(first, keys);
      weigh_keys(first, keys);
      add_values(first, keys);
    }
    for (std::size_t r = 0; r < rows_; ++r) {
      const float scale = 1.0f / work_.total[r];
      float* sums = work_.sums.data() + r * work_.padded_dim;
      for (std::size_t c = 0; c < dim_; ++c) sums[c] *= scale;
    }
  }

 private:
  /// Position on the path of the first key that the query at a position sees.
  std::size_t first_seen(std::size_t position) const {
    const std::size_t window = block_.shape.window;
    return window == 0 || position < window ? 0 : position + 1 - window;
  }

  std::size_t first_position() const { return block_.path.size() - block_.queries; }

  /// Tiles that lie wholly before the windows are passed over.
  std::size_t first_tile() const { return first_seen(first_position()) / kAttentionTile * kAttentionTile; }

  void load_queries() {
    for (std::size_t r = 0; r < rows_; ++r) {
      const std::size_t head = block_.kv_head * group_ + r % group_;
      std::copy_n(block_.q.row(block_.first_query + r / group_) + head * dim_, dim_,
                  work_.queries.data() + r * dim_);
    }
  }

  const float* head_of(MatrixView<const float> matrix, std::size_t position) const {
    return matrix.row(block_.path[position]) + block_.kv_head * dim_;
  }

  void score_keys(std::size_t first, std::size_t keys) {
    std::array<const float*, kPanelCols> rows;
    for (std::size_t n = 0; n < keys; n += kPanelCols) {
      const std::size_t cols = std::min(kPanelCols, keys - n);
      for (std::size_t i = 0; i < cols; ++i) rows[i] = head_of(block_.k, first + n + i);
      pack_transposed(rows.data(), cols, dim_, work_.keys.data());
      multiply_rows(work_.queries.data(), dim_, rows_, dim_, work_.keys.data(), work_.scores.data() + n,
                    kAttentionTile, false);
    }
  }

  void weigh_keys(std::size_t first, std::size_t keys) {
    const std::size_t cols = (keys + kLanes - 1) / kLanes * kLanes;
    const std::size_t dim = (dim_ + kLanes - 1) / kLanes * kLanes;
    const auto within = [&](std::size_t position) {
      return position > first ? std::min(position - first, keys) : 0;
    };
    for (std::size_t r = 0; r < rows_; ++r) {
      const std::size_t position = first_position() + r / group_;
      softmax_row(work_.scores.data() + r * kAttentionTile, cols,
                  {within(first_seen(position)), within(position + 1)}, block_.shape, work_.top[r],
                  work_.total[r], work_.sums.data() + r * work_.padded_dim, dim);
    }
  }

  void add_values(std::size_t first, std::size_t keys) {
    for (std::size_t c = 0; c < dim_; c += kPanelCols) {
      const std::size_t cols = std::min(kPanelCols, dim_ - c);
      for (std::size_t j = 0; j < keys; ++j) {
        float* place = work_.values.data() + j * kPanelCols;
        std::fill(std::copy_n(head_of(block_.v, first + j) + c, cols, place), place + kPanelCols, 0.0f);
      }
      multiply_rows(work_.scores.data(), kAttentionTile, rows_, keys, work_.values.data(),
                    work_.sums.data() + c, work_.padded_dim, true);
    }
  }

  const AttentionBlock& block_;
  AttentionWorkspace& work_;
  std::size_t dim_;
  std::size_t group_;
  std::size_t rows_;
};

inline void attend(const AttentionBlock& block, AttentionWorkspace& work) {
  BlockAttention(block, work).run();
}

}  // namespace saescope::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
