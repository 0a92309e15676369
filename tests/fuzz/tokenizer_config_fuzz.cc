#include "text/tokenizer_config.h"

#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    const saescope::TokenizerConfig config = saescope::read_tokenizer_config(
        {.tokenizer_config = saescope::TokenizerSideFiles::File{std::string(text), "fuzz"},
         .special_tokens_map = saescope::TokenizerSideFiles::File{std::string(text), "fuzz"},
         .added_tokens = saescope::TokenizerSideFiles::File{std::string(text), "fuzz"}});
    saescope::default_chat_template(config, "fuzz");
    for (const auto& [name, token] : config.special_tokens.items()) {
      saescope::testing::require(token.is_string());
    }
  });
}
