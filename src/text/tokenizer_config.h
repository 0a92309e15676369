#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "text/tokenizer.h"
#include "text/tokenizer/added_token_sources.h"
#include "text/tokenizer_class.h"

namespace saescope {

/// What a `tokenizer_config.json` says about the tokenizer and to a chat template.
struct TokenizerConfig {
  /// `bos_token`, `eos_token` and their kind, those that the tokenizer has: variables of the template.
  nlohmann::ordered_json special_tokens = nlohmann::ordered_json::object();
  /// `chat_template`, where the file holds it; newer repositories keep it in a file of its own. See
  /// default_chat_template.
  nlohmann::ordered_json chat_template;
  std::string class_name;  ///< the Python class that counts, see class_that_counts
  TokenizerClass python_class = TokenizerClass::kAsFile;  ///< its kind
  TokenizerArguments arguments;
  AddedTokenSources added;

  /// What makes the tokenizer, besides its vocabulary. It refers to this object.
  TokenizerSetup setup() const { return {&added, python_class, arguments}; }
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
/// @param model what the class depends on, too; a class has default special tokens
/// @throws InputError where a text is not a JSON object, or a token malformed
TokenizerConfig read_tokenizer_config(const TokenizerSideFiles& files, const ModelHints& model = {});

/// The template that counts of those in tokenizer_config.json: a text, or of named ones (a list, or an
/// object of texts) the default; nothing where there is none.
/// @throws InputError where none of them is the default, or that is no text. @param where for messages
std::optional<std::string> default_chat_template(const TokenizerConfig& config, const std::string& where);

}  // namespace saescope
