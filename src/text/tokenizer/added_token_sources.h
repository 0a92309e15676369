#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "text/tokenizer/added_token.h"

namespace saescope {

/// Where tokens stand that are cut out of the text, besides the `added_tokens` of tokenizer.json; as
/// PreTrainedTokenizerBase._from_pretrained of transformers 5 reads them.
struct AddedTokenSources {
  /// `added_tokens_decoder` of tokenizer_config.json or, where that has none, added_tokens.json: by the id
  /// that the file states. The tokenizer numbers tokens itself; the ids give only the order.
  std::map<int64_t, AddedToken> by_id;
  /// Whether by_id stands for all: tokenizer_config.json has an `added_tokens_decoder`.
  bool complete = false;
  std::vector<AddedToken> named;  ///< `bos_token` and its kind, and other keys `…_token`
  std::vector<AddedToken> extra;  ///< `extra_special_tokens`, formerly `additional_special_tokens`
};

/// What the tokenizer of `added_tokens` of tokenizer.json gets added, in this order
/// (TokenizersBackend.__init__).
/// @param own the tokenizer's added tokens so far @param stated those of tokenizer.json by the id it states
std::vector<AddedToken> tokens_to_add(const AddedTokenSources& sources, const std::vector<AddedToken>& own,
                                      const std::map<int64_t, AddedToken>& stated);

}  // namespace saescope
