#include "cli/show_tokens.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assets/model_files.h"

namespace saescope {
namespace {

nlohmann::ordered_json tap_json(const ChatFormatter& formatter, const TokenType& type,
                                const FormattedPrompt& formatted) {
  const std::size_t index = formatter.find_token(type, formatted);
  return {{"index", index},
          {"id", formatted.ids[index]},
          {"text", formatter.tokenizer().token_bytes(formatted.ids[index])}};
}

}  // namespace

void show_tokens(const std::vector<ModelEntry>& models, const Prompts& prompts, Hub& hub, Progress& progress,
                 const std::function<void(const std::string&)>& print) {
  for (const ModelEntry& entry : models) {
    const ChatFormatter formatter = ModelFiles::open(entry, hub, progress)->formatter();
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const FormattedPrompt formatted = formatter.format(prompts[i]);
      nlohmann::ordered_json line = {
          {"model", entry.name}, {"prompt_idx", i}, {"text", formatted.text}, {"ids", formatted.ids}};
      line["taps"] = nlohmann::ordered_json::object();
      for (const TokenType& type : entry.tokens) {
        line["taps"][type.name] = tap_json(formatter, type, formatted);
      }
      // A token may hold part of a character; such bytes are shown as U+FFFD.
      print(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    }
  }
}

}  // namespace saescope
