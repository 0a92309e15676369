#include <algorithm>
#include <string>

#include "fuzz_target.h"
#include "tokenizer_check.h"

namespace {

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

/// The pre-tokenizer's name; a line for each token, its type in front as one digit; an empty line; a
/// line for each merge. (The target gguf reads the file that holds all this.)
saescope::GgufVocabulary read_vocabulary(std::string_view text) {
  saescope::GgufVocabulary vocabulary;
  vocabulary.model = "gpt2";
  vocabulary.pre = take_line(text);
  for (std::string_view line = take_line(text); !line.empty(); line = take_line(text)) {
    vocabulary.types.push_back(line.front() - '0');
    vocabulary.tokens.emplace_back(line.substr(1));
  }
  while (!text.empty()) vocabulary.merges.emplace_back(take_line(text));
  return vocabulary;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    using saescope::Tokenizer;
    saescope::testing::check_tokenizer(Tokenizer::from_gguf(read_vocabulary(text), "fuzz"), text);
  });
}
