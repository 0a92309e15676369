#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace saescope {

using TokenId = int32_t;

/// The vocabulary that a GGUF file carries in its metadata (`tokenizer.ggml.*`), as the file's format
/// document names it.
struct GgufVocabulary {
  std::string model;                ///< tokenizer.ggml.model; "gpt2" is byte-level BPE, "llama" SentencePiece
  std::string pre;                  ///< tokenizer.ggml.pre: smollm, llama-bpe, qwen2, …
  std::vector<std::string> tokens;  ///< tokenizer.ggml.tokens, index = id
  std::vector<std::string> merges;  ///< tokenizer.ggml.merges, "left right"
  std::vector<int32_t> types;       ///< tokenizer.ggml.token_type: 1 normal, 3 control, 4 user-defined, …
  std::string architecture = {};    ///< general.architecture: decides where `pre` is missing
  std::vector<float> scores = {};  ///< tokenizer.ggml.scores of "llama": the higher, the earlier it is merged
  bool add_space_prefix = true;    ///< tokenizer.ggml.add_space_prefix of "llama"
};

struct AddedTokenSources;

/// The Python class that transformers 5 makes a tokenizer of. Those with a name here have a pipeline of their
/// own: normaliser, pre-tokenizer, model options and added tokens of tokenizer.json do not count then.
enum class TokenizerClass : uint8_t {
  kAsFile,  ///< TokenizersBackend and others: what tokenizer.json says
  kQwen2,   ///< Qwen2Tokenizer
  kGpt2,    ///< GPT2Tokenizer
  kGemma,   ///< GemmaTokenizer
  kLlama,   ///< LlamaTokenizer
};

/// The arguments of a class, from tokenizer_config.json, that change its pipeline.
struct TokenizerArguments {
  /// A space in front of the first word. Byte-level classes put it in front of every piece, without this
  /// argument nowhere; LlamaTokenizer puts it in unless this is false.
  std::optional<bool> add_prefix_space = {};
  bool legacy = false;  ///< of LlamaTokenizer: a space in front of every stretch between added tokens
};

/// What makes a tokenizer besides its tokenizer.json; transformers 5 reads the same.
struct TokenizerSetup {
  const AddedTokenSources* added = nullptr;  ///< tokens that further files name; null: none do
  TokenizerClass python_class = TokenizerClass::kAsFile;
  TokenizerArguments arguments = {};
};

/// BPE tokenizer, over bytes or over characters. Ids are equal to those of the Python library `tokenizers`.
/// Immutable and safe to share between threads.
class Tokenizer {
 public:
  /// From the text of a `tokenizer.json`. @param where the file's name, for messages.
  /// @throws InputError where the file is malformed or asks for a component that is not implemented
  ///         (named in the message).
  static Tokenizer from_tokenizer_json(std::string_view json, const std::string& where,
                                       const TokenizerSetup& setup = {});

  /// From the texts of a `vocab.json` and a `merges.txt`, the way GPT-2 and Qwen 2 were published before
  /// there was tokenizer.json. Only their classes have a pipeline to go with them. @throws InputError
  static Tokenizer from_vocabulary_files(std::string_view vocab, std::string_view merges,
                                         const std::string& where, const TokenizerSetup& setup);

  /// From the metadata of a GGUF file. @throws InputError on an unknown kind or pre-tokenizer.
  static Tokenizer from_gguf(const GgufVocabulary& vocabulary, const std::string& where);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  /// Ids of `text` as `encode(text, add_special_tokens=False)`: added tokens in the text are
  /// recognised, none is put in front or behind. @throws InputError where `text` is not valid UTF-8.
  std::vector<TokenId> encode(std::string_view text) const;

  /// The part of `text` that each of `encode`'s ids stands for, as views that join to the whole text. A
  /// character whose bytes are split over tokens belongs to the last of them, the others may be empty; so may
  /// tokens of characters that a normaliser composed.
  std::vector<std::string_view> token_texts(std::string_view text) const;

  /// The bytes that one token stands for: `▁the` is " the", `<0xE2>` a byte. Bytes of one character can be
  /// split over tokens, so only the concatenation of a whole sequence is UTF-8 for certain. Added tokens give
  /// their text, an id that names no token gives nothing.
  std::string token_bytes(TokenId id) const;

  /// The bytes of all ids, one after the other; a space that a normaliser puts in front of the text included.
  std::string decode(const std::vector<TokenId>& ids) const;

  /// Whether the bytes of a text's tokens join to the text, but for what Unicode normalisation changes: no
  /// space is put in, nothing is left out or replaced.
  bool tokens_join_to_text() const;

  /// What differs from the file because of TokenizerSetup and changes ids, in a sentence; empty where nothing
  /// does.
  const std::string& remark() const;

  /// Number of ids (largest id + 1).
  std::size_t size() const;

  /// Id of a token, if there is one: an added token by its text, else a token of the vocabulary by its
  /// spelling there (a space is `Ġ`).
  std::optional<TokenId> find(std::string_view content) const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace saescope
