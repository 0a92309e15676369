#include "ops/torch/torch_encode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "ops/encode/activation_function.h"
#include "ops/encode/top_k.h"

namespace saescope {
namespace {

/// The terms of a tile's features on the device [tile]; 0 behind the last of them.
struct TileTerms {
  TorchTensor scale, bias, gate;  ///< where the encoder has them
  TorchTensor limit;              ///< what activations must be above, nowhere below 0
};

class TermsOfTiles {
 public:
  TermsOfTiles(const TorchDevice& device, const EncoderParameters& parameters, std::size_t tile)
      : device_(device), parameters_(parameters), tile_(tile) {}

  TileTerms take(IndexRange features) const {
    TileTerms terms;
    terms.scale = send(parameters_.scale, features);
    terms.bias = send(parameters_.bias, features);
    terms.gate = send(parameters_.gate_bias, features);
    terms.limit = send_limit(features);
    return terms;
  }

 private:
  TorchTensor send(const std::vector<float>& all, IndexRange features) const {
    if (all.empty()) return {};
    return device_.upload(piece_of(all, features), {static_cast<int64_t>(tile_)});
  }

  TorchTensor send_limit(IndexRange features) const {
    if (parameters_.function != ActivationFunction::kJumpRelu) {
      const bool has_one = parameters_.function == ActivationFunction::kThreshold;
      return device_.constant(has_one ? std::max(parameters_.threshold, 0.0f) : 0.0f);
    }
    std::vector<float> limits = piece_of(parameters_.feature_threshold, features);
    for (float& limit : limits) limit = std::max(0.0f, limit);
    return device_.upload(limits, {static_cast<int64_t>(tile_)});
  }

  std::vector<float> piece_of(const std::vector<float>& all, IndexRange features) const {
    std::vector<float> piece(tile_, 0.0f);
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(features.begin), features.size(), piece.begin());
    return piece;
  }

  const TorchDevice& device_;
  const EncoderParameters& parameters_;
  std::size_t tile_;
};

/// apply_activation_function, the same operations with the same bits. What is not above a limit becomes 0;
/// NaN stays, since it is not at most anything.
class TorchActivation {
 public:
  TorchActivation(const TorchDevice& device, ActivationFunction function)
      : device_(device), is_gated_(function == ActivationFunction::kGated), zero_(device.constant(0)) {}

  TorchTensor apply(const TorchTensor& y, const TileTerms& terms) const {
    TorchTensor z = terms.scale.exists() ? device_.multiply(y, terms.scale) : y.same();
    if (terms.bias.exists()) z = device_.add(z, terms.bias);
    TorchTensor active = zero_where(device_.at_most(z, terms.limit), z);
    if (!is_gated_) return active;
    return zero_where(device_.at_most(device_.add(y, terms.gate), terms.limit), active);
  }

  TorchTensor zero_where(const TorchTensor& condition, const TorchTensor& values) const {
    return device_.choose(condition, zero_, values);
  }

 private:
  const TorchDevice& device_;
  bool is_gated_;
  TorchTensor zero_;
};

/// Leaves out of a tile what its rows cannot keep, where that depends on all features. What is left still
/// holds all that they keep, equal activations as well: RowChoice decides among those.
class RowSieve {
 public:
  RowSieve(const TorchDevice& device, const TorchActivation& activation, const EncoderParameters& parameters,
           const ProductExtents& extents)
      : device_(device),
        activation_(activation),
        function_(parameters.function),
        k_(parameters.k),
        rows_(static_cast<int64_t>(extents.rows)),
        tile_(static_cast<int64_t>(extents.outputs)),
        segment_(function_ == ActivationFunction::kGroupMax
                     ? std::gcd(static_cast<int64_t>(parameters.dict_size) / k_, tile_)
                     : 0) {}

  /// @param piece which piece of rows @param values [extents.rows, tile] activations
  TorchTensor sift(std::size_t piece, TorchTensor values) {
    if (function_ == ActivationFunction::kTopK) return keep_top(piece, values);
    if (function_ == ActivationFunction::kGroupMax) return keep_largest_of_groups(values);
    return values;
  }

 private:
  /// The k-th largest of a row so far lies below, or is, the k-th of all.
  TorchTensor keep_top(std::size_t piece, const TorchTensor& values) {
    if (tops_.size() <= piece) tops_.resize(piece + 1);
    const int64_t more = std::min(k_, tile_);
    const TorchTensor candidates = device_.empty({rows_, k_ + more});
    const auto part = [&](int64_t first, int64_t count) {
      return candidates.view({rows_, count}, {k_ + more, 1}, first);
    };
    if (tops_[piece].exists()) {
      part(0, k_).copy_from(tops_[piece]);
    } else {
      part(0, k_).set_zero();
    }
    part(k_, more).copy_from(device_.top(values, more));
    TorchTensor top = device_.top(candidates, k_);
    const TorchTensor least = top.view({rows_, 1}, {k_, 1}, k_ - 1);
    TorchTensor kept = activation_.zero_where(device_.greater(least, values), values);
    tops_[piece] = std::move(top);
    return kept;
  }

  /// A segment of neighbours lies within one group.
  TorchTensor keep_largest_of_groups(const TorchTensor& values) const {
    const TorchTensor segments = values.reshape({rows_ * tile_ / segment_, segment_});
    const TorchTensor smaller = device_.greater(device_.largest(segments), segments);
    return activation_.zero_where(smaller, segments).reshape({rows_, tile_});
  }

  const TorchDevice& device_;
  const TorchActivation& activation_;
  ActivationFunction function_;
  int64_t k_, rows_, tile_, segment_;
  std::vector<TorchTensor> tops_;  ///< by piece [extents.rows, k], descending
};

/// A tile's activations, of which the device computes some still.
struct EncodedTile {
  std::size_t first_feature = 0, features = 0;
  std::vector<TorchTensor> pieces;  ///< [extents.rows, tile] each
};

class TileEncoder {
 public:
  TileEncoder(const TorchEncoding& encoding, const Array& x, const BoundEncoder& encoder)
      : device_(encoding.device),
        extents_(encoding.extents),
        store_(encoding.weights),
        rows_(x.rows()),
        first_feature_(needs_whole_row(encoder.parameters.function) ? 0 : encoder.features.begin),
        weight_{&encoder.weight},
        products_(device_, extents_, store_, x, weight_),
        terms_(device_, encoder.parameters, products_.tile()),
        activation_(device_, encoder.parameters.function),
        sieve_(device_, activation_, encoder.parameters, extents_) {}

  TileEncoder(const TileEncoder&) = delete;  // its parts refer to each other
  TileEncoder& operator=(const TileEncoder&) = delete;

  std::size_t features() const { return products_.outputs(); }
  std::size_t tile() const { return products_.tile(); }

  /// Asks the device for the activations of a tile.
  EncodedTile begin(std::size_t first) {
    return store_.with_room([&] {
      EncodedTile encoded = {first_feature_ + first, std::min(tile(), features() - first), {}};
      const TileTerms terms = terms_.take({encoded.first_feature, encoded.first_feature + encoded.features});
      products_.multiply(first, [&](const ProductPiece& piece) {
        encoded.pieces.push_back(
            sieve_.sift(encoded.pieces.size(), activation_.apply(piece.values[0], terms)));
      });
      return encoded;
    });
  }

  /// Waits for a tile and gives what is not 0 in it.
  void give(const EncodedTile& encoded, const FeatureSink& sink) {
    std::vector<MatrixEntry> entries;
    for (std::size_t piece = 0; piece < encoded.pieces.size(); ++piece) {
      store_.with_room([&] { collect(encoded, piece, entries); });
    }
    sink(encoded.first_feature, SparseMatrixView{entries, rows_, encoded.features});
  }

 private:
  void collect(const EncodedTile& encoded, std::size_t piece, std::vector<MatrixEntry>& entries) const {
    const std::size_t first_row = piece * extents_.rows;
    const std::size_t count = std::min(extents_.rows, rows_ - first_row) * tile();
    const TorchTensor values = encoded.pieces[piece].reshape({static_cast<int64_t>(count)});
    const TorchTensor places = device_.nonzero(values);
    const int64_t hits = places.size();
    if (hits == 0) return;
    const TorchTensor found = device_.empty({hits});
    device_.gather(values, places, found);
    const TorchTensor host_places = device_.empty_staging({hits}, DType::kI64);
    const TorchTensor host_values = device_.empty_staging({hits});
    host_places.copy_from(places);
    host_values.copy_from(found, true);
    append(encoded, first_row, {reinterpret_cast<const int64_t*>(host_places.data()), std::size_t(hits)},
           reinterpret_cast<const float*>(host_values.data()), entries);
  }

  void append(const EncodedTile& encoded, std::size_t first_row, std::span<const int64_t> places,
              const float* values, std::vector<MatrixEntry>& entries) const {
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto place = static_cast<std::size_t>(places[i]);
      const std::size_t row = first_row + place / tile();
      const std::size_t column = place % tile();
      if (!std::isfinite(values[i])) throw NotFiniteActivation(row, encoded.first_feature + column);
      entries.push_back({static_cast<uint32_t>(row), static_cast<uint32_t>(column), values[i]});
    }
  }

  const TorchDevice& device_;
  const ProductExtents& extents_;
  TorchWeights& store_;
  std::size_t rows_;
  std::size_t first_feature_;  ///< that the weight's first output is
  std::array<const Weight*, 1> weight_;
  TorchProducts products_;
  TermsOfTiles terms_;
  TorchActivation activation_;
  RowSieve sieve_;
};

/// A tile is given once the next one was asked for.
void encode_tiles(TileEncoder& encoder, const FeatureSink& sink) {
  std::optional<EncodedTile> before;
  for (std::size_t first = 0; first < encoder.features(); first += encoder.tile()) {
    EncodedTile next = encoder.begin(first);
    if (before) encoder.give(*before, sink);
    before = std::move(next);
  }
  if (before) encoder.give(*before, sink);
}

}  // namespace

void torch_encode(const TorchEncoding& encoding, const Array& x, const BoundEncoder& encoder,
                  const FeatureSink& sink) {
  TileEncoder tiles = encoding.weights.with_room([&] { return TileEncoder(encoding, x, encoder); });
  if (!needs_whole_row(encoder.parameters.function)) return encode_tiles(tiles, sink);
  RowChoice choice(encoder.parameters, x.rows());
  encode_tiles(tiles, [&](std::size_t first, const FeatureBlock& block) { choice.add(first, block); });
  choice.give(encoder.features, sink);
}

}  // namespace saescope
