#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {

/// What a Python class of transformers 5 puts in the place of what its tokenizer.json says.
struct ClassPipeline {
  TokenSpelling spelling = TokenSpelling::kBytes;
  Normalizer normalizer = {};
  PreTokenizer pre_tokenizer = {};
  BpeOptions options = {};
  std::optional<std::string> unknown = std::nullopt;  ///< the text of `unk_token`
  TokenDecoder decoder = {};
};

/// The pipeline of a class; nothing for kAsFile. @param where the file, for messages
std::optional<ClassPipeline> pipeline_of(const TokenizerSetup& setup, const std::string& where);

/// The decoder of SentencePiece's vocabularies: a mark is a space, tokens of bytes are bytes.
TokenDecoder sentencepiece_decoder();

/// Says in a sentence what of a file does not count because of the class, where that may change ids; else
/// empty.
/// @param normalizer,pre_tokenizer the objects of the file
std::string remark_on_class(const TokenizerSetup& setup, const nlohmann::json& normalizer,
                            const nlohmann::json& pre_tokenizer);

}  // namespace saescope
