#include "model/prefix_tree.h"

namespace saescope {
namespace {

constexpr int32_t kNone = -1;

uint64_t child_key(int32_t parent, int32_t token) {
  return static_cast<uint64_t>(static_cast<uint32_t>(parent + 1)) << 32 | static_cast<uint32_t>(token);
}

}  // namespace

int32_t PrefixTree::find_child(int32_t parent, int32_t token) const {
  const auto it = child_.find(child_key(parent, token));
  return it == child_.end() ? kNone : it->second;
}

void PrefixTree::add(std::span<const int32_t> ids, std::vector<int32_t>* node_of_position) {
  if (node_of_position != nullptr) node_of_position->clear();
  int32_t node = kNone;
  for (std::size_t position = 0; position < ids.size(); ++position) {
    int32_t child = find_child(node, ids[position]);
    if (child == kNone) {
      child = static_cast<int32_t>(token_.size());
      token_.push_back(ids[position]);
      parent_.push_back(node);
      position_.push_back(static_cast<int32_t>(position));
      child_.emplace(child_key(node, ids[position]), child);
    }
    node = child;
    if (node_of_position != nullptr) node_of_position->push_back(node);
  }
}

std::size_t PrefixTree::count_new_nodes(std::span<const int32_t> ids) const {
  int32_t node = kNone;
  for (std::size_t position = 0; position < ids.size(); ++position) {
    node = find_child(node, ids[position]);
    if (node == kNone) return ids.size() - position;
  }
  return 0;
}

}  // namespace saescope
