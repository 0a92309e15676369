#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace saescope {

/// What decides, besides tokenizer_config.json, of which Python class a tokenizer is.
struct ModelHints {
  std::string model_type = {};       ///< of config.json
  std::string tokenizer_class = {};  ///< of config.json: counts where tokenizer_config.json names none
  bool byte_level = false;  ///< whether tokenizer.json names the component ByteLevel, see names_byte_level
};

/// What tokenizer_config.json says of the class.
struct DeclaredClass {
  std::string name = {};     ///< `tokenizer_class`, empty where there is none
  bool custom_code = false;  ///< `auto_map` names a class that comes with the model
};

/// The class that AutoTokenizer.from_pretrained of transformers 5 takes, without "Fast"; empty: the one that
/// does what the file says (TokenizersBackend). A name that it does not know means that one, too.
std::string class_that_counts(const DeclaredClass& declared, const ModelHints& model);

/// The kind of a class's name; kAsFile of all that have no pipeline here.
TokenizerClass tokenizer_class_of(std::string_view name);

/// The name of a kind; of kAsFile "TokenizersBackend".
std::string_view name_of(TokenizerClass python_class);

/// Whether transformers 5 has for this class a pipeline that is not implemented here, so that ids differ.
bool has_unknown_pipeline(std::string_view name);

/// Whether the text of a tokenizer.json names ByteLevel, as transformers looks for it
/// (TokenizersBackend._tokenizer_json_has_byte_level).
bool names_byte_level(std::string_view tokenizer_json);

}  // namespace saescope
