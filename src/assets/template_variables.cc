#include "assets/template_variables.h"

namespace saescope {

nlohmann::ordered_json template_variables(const nlohmann::ordered_json& special_tokens,
                                          const ModelEntry& entry) {
  nlohmann::ordered_json variables = {{"tools", nullptr}, {"documents", nullptr}};
  for (const auto& [name, value] : special_tokens.items()) variables[name] = value;
  for (const auto& [name, value] : entry.template_vars.items()) variables[name] = value;
  return variables;
}

InputError no_chat_template(const std::string& where) {
  return InputError(
      {.what = "the model has no chat template",
       .where = where,
       .expected = "chat_template.jinja, or `chat_template` in tokenizer_config.json or the GGUF metadata",
       .hint = "use the instruct version of the model"});
}

}  // namespace saescope
