#include "text/tokenizer/added_token_sources.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

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
  // A tokenizer may have thousands, and there is one for each text.
  std::unordered_map<std::string_view, const AddedToken*> own_by_text;
  for (const AddedToken& token : own) own_by_text.emplace(token.content, &token);
  std::vector<AddedToken> result;
  for (const auto& [id, token] : by_id) {
    const auto known = own_by_text.find(token.content);
    if (known == own_by_text.end() || *known->second != token) result.push_back(token);
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
