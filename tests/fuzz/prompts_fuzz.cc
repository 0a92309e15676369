#include <sstream>

#include "base/utf8.h"
#include "fuzz_target.h"
#include "input/prompts_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using saescope::testing::require;
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    saescope::Prompts prompts;
    std::istringstream in{std::string(text)};
    saescope::append_prompts(in, "fuzz.jsonl", prompts);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const saescope::Prompt prompt = prompts[i];
      require(!prompt.content.empty() && prompt.line > 0);
      require(saescope::find_invalid_utf8(prompt.content) == std::string_view::npos);
      require(saescope::find_invalid_utf8(prompt.label) == std::string_view::npos);
    }
  });
}
