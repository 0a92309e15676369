#include "text/tokenizer_config.h"

#include "base/error.h"

namespace saescope {
namespace {

using Json = nlohmann::ordered_json;

Json parse_object(std::string_view text, const std::string& where) {
  // The library takes a NUL for the end of the text, whatever follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw InputError(
        {.what = "not valid JSON", .where = where, .found = "a NUL byte at byte " + std::to_string(nul)});
  }
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw InputError({.what = "not valid JSON", .where = where, .found = error.what()});
  }
  if (!json.is_object()) throw InputError({.what = "not a JSON object", .where = where});
  return json;
}

/// A special token is written as its text or as an object with a `content`.
std::optional<std::string> special_token(const Json& config, const char* key) {
  const auto token = config.find(key);
  if (token == config.end()) return std::nullopt;
  if (token->is_string()) return token->get<std::string>();
  if (!token->is_object()) return std::nullopt;
  const auto content = token->find("content");
  if (content == token->end() || !content->is_string()) return std::nullopt;
  return content->get<std::string>();
}

/// A text, or a list of named ones of which `default` counts.
std::optional<std::string> chat_template_in(const Json& config, const std::string& where) {
  const auto found = config.find("chat_template");
  if (found == config.end()) return std::nullopt;
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_array()) return std::nullopt;
  for (const Json& entry : *found) {
    const auto name = entry.find("name");
    if (name == entry.end() || *name != "default") continue;
    const auto source = entry.find("template");
    if (source != entry.end() && source->is_string()) return source->get<std::string>();
    throw InputError({.what = "the default chat template is no text",
                      .where = where + ": chat_template",
                      .expected = "{\"name\": \"default\", \"template\": \"…\"}"});
  }
  return std::nullopt;
}

}  // namespace

TokenizerConfig parse_tokenizer_config(std::string_view json, const std::string& where) {
  const Json config = parse_object(json, where);
  TokenizerConfig result;
  for (const char* key :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    if (auto token = special_token(config, key)) result.special_tokens[key] = *std::move(token);
  }
  result.chat_template = chat_template_in(config, where);
  return result;
}

}  // namespace saescope
