#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "text/tokenizer.h"
#include "text/tokenizer/added_token_sources.h"

namespace saescope {

/// What a `tokenizer_config.json` says about the tokenizer and to a chat template.
struct TokenizerConfig {
  /// `bos_token`, `eos_token` and their kind, those that the tokenizer has: variables of the template.
  nlohmann::ordered_json special_tokens = nlohmann::ordered_json::object();
  /// The template itself, where the file holds it; newer repositories keep it in a file of its own.
  std::optional<std::string> chat_template;
  std::string tokenizer_class;  ///< the Python class that the file names, without "Fast"; empty: not said
  TokenizerClass python_class = TokenizerClass::kAsFile;  ///< the one that counts
  AddedTokenSources added;
};

/// Texts of the files beside tokenizer.json, each with its name for messages; those that are missing are
/// empty.
struct TokenizerSideFiles {
  struct File {
    std::string text;
    std::string where;
  };
  std::optional<File> tokenizer_config = {};    ///< tokenizer_config.json
  std::optional<File> special_tokens_map = {};  ///< special_tokens_map.json
  std::optional<File> added_tokens = {};        ///< added_tokens.json
};

/// Whether a tokenizer_config.json lists the added tokens, so that the two older files do not count.
/// @throws InputError where it is no JSON object
bool lists_added_tokens(const TokenizerSideFiles::File& tokenizer_config);

/// Reads the files in the order of transformers 5 (PreTrainedTokenizerBase._from_pretrained): with an
/// `added_tokens_decoder` tokenizer_config.json counts alone; else special_tokens_map.json is put over it and
/// added_tokens.json is read.
/// @param model_type of config.json: transformers has a tokenizer class for some, and for qwen2 that one
/// alone
///        counts (AutoTokenizer.from_pretrained). Such classes have default special tokens.
/// @throws InputError where a text is not a JSON object, its chat template is no text, or a token malformed
TokenizerConfig read_tokenizer_config(const TokenizerSideFiles& files, std::string_view model_type = {});

}  // namespace saescope
