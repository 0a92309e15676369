#include "text/tokenizer_config.h"

#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    const saescope::TokenizerConfig config = saescope::parse_tokenizer_config(text, "fuzz");
    for (const auto& [name, token] : config.special_tokens.items()) {
      saescope::testing::require(token.is_string());
    }
  });
}
