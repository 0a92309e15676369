#include "fuzz_target.h"
#include "tokenizer_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view json) {
    saescope::testing::check_tokenizer(saescope::Tokenizer::from_tokenizer_json(json, "fuzz"), json);
  });
}
