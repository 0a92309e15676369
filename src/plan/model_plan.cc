#include "plan/model_plan.h"

#include <algorithm>
#include <set>
#include <utility>

namespace saescope {

std::vector<TokenType> ModelPlan::tokens() const {
  if (every_token_type) return entry.tokens;
  std::set<std::string> used;
  for (const LayerPlan& layer : layers) {
    for (const SourcePlan& source : layer.sources) {
      for (const TokenPlan& token : source.tokens) used.insert(token.token.name);
    }
  }
  std::vector<TokenType> result = entry.tokens;
  std::erase_if(result, [&](const TokenType& token) { return used.count(token.name) == 0; });
  return result;
}

ModelPlan plan_all_features(ModelEntry entry) {
  std::vector<TokenPlan> tokens;
  for (const TokenType& type : entry.tokens) tokens.push_back({type});
  std::sort(tokens.begin(), tokens.end(),
            [](const TokenPlan& a, const TokenPlan& b) { return a.token.name < b.token.name; });
  std::vector<int64_t> layers = entry.layers;
  std::sort(layers.begin(), layers.end());
  ModelPlan plan{std::move(entry), {}};
  for (const int64_t layer : layers) {
    const Source source{plan.entry.name, plan.entry.trainer, layer};
    plan.layers.push_back({layer, {{source, plan.entry.sae_folder(source.trainer, layer), true, tokens}}});
  }
  return plan;
}

}  // namespace saescope
