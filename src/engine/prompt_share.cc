#include "engine/prompt_share.h"

#include <algorithm>
#include <unordered_set>

#include "engine/activation_cache.h"
#include "engine/wave_planner.h"
#include "model/prefix_tree.h"

namespace saescope {
namespace {

/// What a prompt costs in tokens.
struct Cost {
  uint64_t behind_others = 0;  ///< that the prompts before it in its wave do not share
  uint64_t alone = 0;          ///< as the first prompt of a task
};

/// Walks through distinct prompts in order. visit(prompt)
template <typename Visit>
void for_each_distinct(const TokenizedPrompts& prompts, Visit&& visit) {
  std::unordered_set<PrefixKey, PrefixKeyHash> seen;
  for (TokenizedPrompts::Reader prompt(prompts); !prompt.done(); prompt.advance()) {
    if (seen.insert(prefix_key(prompt.current().ids)).second) visit(prompt.current());
  }
}

std::vector<Cost> costs_of(const TokenizedPrompts& prompts) {
  std::vector<Cost> costs;
  PrefixTree wave;
  for_each_distinct(prompts, [&](const PromptTokens& prompt) {
    if (wave.size() + wave.count_new_nodes(prompt.ids) > kUsualWaveNodes) wave = {};
    const std::size_t before = wave.size();
    wave.add(prompt.ids);
    costs.push_back({wave.size() - before, prompt.ids.size()});
  });
  return costs;
}

/// The first prompts of tasks that take as many consecutive ones as cost no more than `most`, but at least
/// one.
std::vector<std::size_t> cut_at(const std::vector<Cost>& costs, uint64_t most) {
  std::vector<std::size_t> firsts;
  uint64_t load = 0;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    if (i > 0 && load + costs[i].behind_others <= most) {
      load += costs[i].behind_others;
      continue;
    }
    firsts.push_back(i);
    load = costs[i].alone;
  }
  return firsts;
}

/// The cut of which the dearest task is cheapest. At most `tasks` of them.
std::vector<std::size_t> best_cut(const std::vector<Cost>& costs, std::size_t tasks) {
  uint64_t low = 0;
  uint64_t high = 1;
  for (const Cost& cost : costs) high += cost.alone;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (cut_at(costs, middle).size() <= tasks) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return cut_at(costs, low);
}

}  // namespace

TokenizedPrompts share_of_prompts(const TokenizedPrompts& prompts, Share task) {
  const std::vector<Cost> costs = costs_of(prompts);
  const std::vector<std::size_t> firsts = best_cut(costs, task.count);
  const auto first_of = [&](std::size_t index) {
    return index < firsts.size() ? firsts[index] : costs.size();
  };
  const IndexRange own = {first_of(task.index), first_of(task.index + 1)};
  TokenizedPrompts share;
  std::size_t position = 0;
  for_each_distinct(prompts, [&](const PromptTokens& prompt) {
    if (own.contains(position++)) share.add(prompt);
  });
  return share;
}

}  // namespace saescope
