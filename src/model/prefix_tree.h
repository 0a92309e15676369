#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "ops/backend.h"

namespace saescope {

/// The distinct token prefixes of a set of sequences: what a causal model computes at a token depends on
/// the tokens before it alone, so each prefix is computed once. Nodes are numbered in order of
/// insertion; a sequence adds one contiguous run of new nodes.
class PrefixTree {
 public:
  /// Inserts a sequence. @param node_of_position if given, receives the node of every position
  void add(std::span<const int32_t> ids, std::vector<int32_t>* node_of_position = nullptr);
  /// How many nodes `add` would create.
  std::size_t count_new_nodes(std::span<const int32_t> ids) const;

  std::size_t size() const { return token_.size(); }
  std::span<const int32_t> tokens() const { return token_; }
  TreeTopology topology() const { return {parent_, position_}; }

 private:
  int32_t find_child(int32_t parent, int32_t token) const;

  std::vector<int32_t> token_;
  std::vector<int32_t> parent_;
  std::vector<int32_t> position_;
  std::unordered_map<uint64_t, int32_t> child_;  ///< (parent + 1) << 32 | token
};

}  // namespace saescope
