#include "engine/prompt_share.h"

#include <unordered_set>

#include "engine/activation_cache.h"
#include "engine/wave_planner.h"
#include "model/prefix_tree.h"

namespace saescope {
namespace {

/// Walks through distinct prompts in order. visit(prompt)
template <typename Visit>
void for_each_distinct(const TokenizedPrompts& prompts, Visit&& visit) {
  std::unordered_set<PrefixKey, PrefixKeyHash> seen;
  for (TokenizedPrompts::Reader prompt(prompts); !prompt.done(); prompt.advance()) {
    if (seen.insert(prefix_key(prompt.current().ids)).second) visit(prompt.current());
  }
}

/// What each distinct prompt adds to the tree of its wave.
std::vector<uint64_t> costs_of(const TokenizedPrompts& prompts) {
  std::vector<uint64_t> costs;
  PrefixTree wave;
  for_each_distinct(prompts, [&](const PromptTokens& prompt) {
    if (wave.size() + wave.count_new_nodes(prompt.ids) > kUsualWaveNodes) wave = {};
    const std::size_t before = wave.size();
    wave.add(prompt.ids);
    costs.push_back(wave.size() - before);
  });
  return costs;
}

}  // namespace

TokenizedPrompts share_of_prompts(const TokenizedPrompts& prompts, Share task) {
  const std::vector<uint64_t> costs = costs_of(prompts);
  double total = 0;
  for (const uint64_t cost : costs) total += static_cast<double>(cost);
  TokenizedPrompts share;
  double before = 0;
  std::size_t next = 0;
  for_each_distinct(prompts, [&](const PromptTokens& prompt) {
    const auto cost = static_cast<double>(costs[next++]);
    const double middle = (before + cost / 2) / total;
    before += cost;
    if (static_cast<std::size_t>(middle * static_cast<double>(task.count)) == task.index) share.add(prompt);
  });
  return share;
}

}  // namespace saescope
