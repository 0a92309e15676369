#include "text/chat_template.h"

#include <array>
#include <vector>

#include "fuzz_target.h"

namespace {

using saescope::ChatTemplate;

// What the program passes for a prompt, and a conversation that reaches a template's other branches, with the
// variables that the corpus's expressions name.
constexpr std::array<const char*, 2> kContexts = {
    R"({"tools": null, "documents": null, "bos_token": "<s>", "eos_token": "</s>",
        "messages": [{"role": "user", "content": " How do you \"feel\"?\n"}], "add_generation_prompt": true})",
    R"({"tools": [{"type": "function", "function": {"name": "now", "description": "Time",
                   "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}}],
        "documents": [], "bos_token": "<s>", "eos_token": "</s>", "strftime_now": "26 Jul 2024",
        "enable_thinking": false, "n": 7, "f": 2.5, "s": "Hello, W\u00F6rld! \uD83C\uDF89", "yes": true,
        "d": {"b": 1, "a": [1, 2.0, null, true], "items": "shadow"}, "items": [3, 1, 2],
        "words": ["beta", "Alpha", "gamma", "alpha"], "lines": "one\ntwo\n\nfour", "html": "<b>'x' & \"y\"</b>",
        "blank": " \n\t padded \u00A0\n", "people": [{"name": "Ann", "age": 30, "city": {"name": "Oslo"}},
          {"name": "bob", "age": 25, "city": {"name": "Bern"}, "admin": true}],
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "caf\u00E9?"},
                     {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "id": "a1",
                       "function": {"name": "now", "arguments": {"zone": "UTC", "n": [1, 2.5, null, true]}}}]},
                     {"role": "tool", "content": "12:00", "tool_call_id": "a1"},
                     {"role": "user", "content": [{"type": "text", "text": "Thanks"}]}],
        "add_generation_prompt": false})"};

// A twentieth of the program's, because sanitizers make a step some fifty times slower.
constexpr uint64_t kMaxSteps = 500'000;

std::vector<nlohmann::ordered_json> read_contexts() {
  std::vector<nlohmann::ordered_json> contexts;
  for (const char* text : kContexts) contexts.push_back(nlohmann::ordered_json::parse(text));
  return contexts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const std::vector<nlohmann::ordered_json> kConversations = read_contexts();
  using saescope::testing::run_fuzz_text;
  return run_fuzz_text(data, size, [&](std::string_view source) {
    const ChatTemplate chat_template(std::string(source), "fuzz");
    for (const nlohmann::ordered_json& conversation : kConversations) {
      run_fuzz_text(data, size, [&](std::string_view) { chat_template.render(conversation, kMaxSteps); });
    }
  });
}
