#include "text/tokenizer/added_token_sources.h"

#include <algorithm>

namespace saescope {
namespace {

bool holds(const std::vector<AddedToken>& tokens, const std::string& content) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const AddedToken& token) { return token.content == content; });
}

}  // namespace

std::vector<AddedToken> tokens_to_add(const AddedTokenSources& sources, const std::vector<AddedToken>& own,
                                      const std::map<int64_t, AddedToken>& stated) {
  std::map<int64_t, AddedToken> by_id = sources.by_id;
  if (!sources.complete) {
    for (const auto& [id, token] : stated) by_id[id] = token;
  }
  std::vector<AddedToken> result;
  for (const auto& [id, token] : by_id) {
    if (std::find(own.begin(), own.end(), token) == own.end()) result.push_back(token);
  }
  // Those that the tokenizer or the list has are settled; of others that stand twice, the last one's flags
  // count.
  const std::vector<AddedToken> listed = result;
  for (const auto* tokens : {&sources.named, &sources.extra}) {
    for (const AddedToken& token : *tokens) {
      if (!holds(own, token.content) && !holds(listed, token.content)) result.push_back(token);
    }
  }
  for (AddedToken& token : result) token.special = token.special || holds(sources.named, token.content);
  return result;
}

}  // namespace saescope
