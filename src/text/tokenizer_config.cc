#include "text/tokenizer_config.h"

#include <algorithm>
#include <array>

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

/// @param special what counts where the object does not say
AddedToken added_token_of(const Json& json, bool special, const std::string& where) {
  AddedToken token;
  token.special = special;
  if (json.is_string()) {
    token.content = json.get<std::string>();
    token.normalized = !special;
    return token;
  }
  if (!json.is_object() || !json.contains("content") || !json["content"].is_string()) {
    throw InputError({.what = "malformed token",
                      .where = where,
                      .expected = "a text, or an object with `content`",
                      .found = json.dump(-1, ' ', true, Json::error_handler_t::replace)});
  }
  token.content = json["content"].get<std::string>();
  const auto flag = [&](const char* key, bool fallback) {
    const auto value = json.find(key);
    if (value == json.end() || value->is_null()) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    throw InputError({.what = "malformed token",
                      .where = where,
                      .expected = std::string("`") + key + "` as true or false",
                      .found = value->dump()});
  };
  token.special = flag("special", special);
  token.single_word = flag("single_word", false);
  token.lstrip = flag("lstrip", false);
  token.rstrip = flag("rstrip", false);
  token.normalized = flag("normalized", !token.special);
  return token;
}

bool is_named_token(const std::string& key, const Json& value) {
  constexpr std::string_view kSuffix = "_token";
  if (!key.ends_with(kSuffix)) return false;
  return value.is_string() || (value.is_object() && value.contains("content"));
}

constexpr std::array<const char*, 7> kNamedTokens = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                     "pad_token", "cls_token", "mask_token"};

constexpr const char* kExtra = "extra_special_tokens";
constexpr const char* kFormerExtra = "additional_special_tokens";

/// `extra_special_tokens` is a list of tokens, formerly under another name, or an object of named ones.
/// @param named gets the latter
void settle_extra(Json& config, Json& named) {
  const auto extra = config.find(kExtra);
  const bool missing = extra == config.end() || extra->is_null() || extra->empty();
  if (missing && config.contains(kFormerExtra)) {
    config[kExtra] = config[kFormerExtra];
    config.erase(kFormerExtra);
  } else if (!missing && extra->is_object()) {
    named.update(*extra);
    config.erase(kExtra);
  }
}

/// special_tokens_map.json over tokenizer_config.json.
void put_over(const Json& map, Json& config) {
  for (const auto& [key, value] : map.items()) {
    if (key == kExtra && value.is_array()) {
      Json all = config.contains(key) && config[key].is_array() ? config[key] : Json::array();
      for (const Json& token : value) {
        if (std::find(all.begin(), all.end(), token) == all.end()) all.push_back(token);
      }
      config[key] = std::move(all);
      continue;
    }
    config[key] = value;
    if (value.is_object() && key != kExtra) config[key]["special"] = true;
  }
}

/// The named special tokens: the usual ones, then those of a model's own kind.
void read_named(const Json& config, const Json& model_specific, const std::string& where,
                TokenizerConfig& result) {
  const auto take = [&](const std::string& key, const Json& value) {
    if (value.is_null()) return;
    const AddedToken token = added_token_of(value, true, where + ": " + key);
    if (token.content.empty()) return;
    result.special_tokens[key] = token.content;
    result.added.named.push_back(token);
  };
  for (const char* key : kNamedTokens) {
    if (const auto value = config.find(key); value != config.end()) take(key, *value);
  }
  for (const auto& [key, value] : config.items()) {
    const bool usual = std::find(kNamedTokens.begin(), kNamedTokens.end(), key) != kNamedTokens.end();
    if (!usual && is_named_token(key, value)) take(key, value);
  }
  for (const auto& [key, value] : model_specific.items()) take(key, value);
}

void read_extra(const Json& config, const std::string& where, TokenizerConfig& result) {
  const char* const key = config.contains(kExtra) ? kExtra : kFormerExtra;
  const auto list = config.find(key);
  if (list == config.end() || !list->is_array()) return;
  for (const Json& token : *list) {
    result.added.extra.push_back(added_token_of(token, true, where + ": " + key));
  }
}

int64_t token_id_of(const Json& json, const std::string& where) {
  if (json.is_number_integer()) return json.get<int64_t>();
  throw InputError({.what = "the id of an added token is no number", .where = where, .found = json.dump()});
}

void read_added_tokens_decoder(const Json& decoder, const std::string& where, AddedTokenSources& added) {
  added.complete = true;
  if (!decoder.is_object()) {
    throw InputError({.what = "malformed added tokens",
                      .where = where + ": added_tokens_decoder",
                      .expected = "an object of tokens by id",
                      .found = decoder.dump(-1, ' ', true, Json::error_handler_t::replace)});
  }
  for (const auto& [id, token] : decoder.items()) {
    const Json number = Json::parse(id, nullptr, false);
    added.by_id[token_id_of(number.is_discarded() ? Json(id) : number, where + ": added_tokens_decoder")] =
        added_token_of(token, false, where + ": added_tokens_decoder." + id);
  }
}

/// added_tokens.json: ids by token, special where a special token's text.
void read_added_tokens_file(const TokenizerSideFiles::File& file, AddedTokenSources& added) {
  const auto is_special = [&](const std::string& content) {
    const auto same = [&](const AddedToken& token) { return token.content == content; };
    return std::any_of(added.named.begin(), added.named.end(), same) ||
           std::any_of(added.extra.begin(), added.extra.end(), same);
  };
  const Json ids = parse_object(file.text, file.where);
  for (const auto& [content, id] : ids.items()) {
    AddedToken token;
    token.content = content;
    token.special = is_special(content);
    token.normalized = !token.special;
    added.by_id[token_id_of(id, file.where)] = std::move(token);
  }
}

void refuse_unread(const Json& config, const std::string& where) {
  const auto value = config.find("split_special_tokens");
  if (value != config.end() && *value == true) {
    throw InputError(
        {.what = "split_special_tokens is not implemented: the markers of chat templates would be text",
         .where = where,
         .expected = "false",
         .found = "true"});
  }
  if (const auto files = config.find("fast_tokenizer_files"); files != config.end()) {
    throw InputError(
        {.what = "the tokenizer has a file for each version of transformers, which is not implemented",
         .where = where + ": fast_tokenizer_files",
         .expected = "one tokenizer.json",
         .hint = "load and save it with the transformers of your choice"});
  }
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

bool lists_added_tokens(const TokenizerSideFiles::File& tokenizer_config) {
  return parse_object(tokenizer_config.text, tokenizer_config.where).contains("added_tokens_decoder");
}

TokenizerConfig read_tokenizer_config(const TokenizerSideFiles& files, bool as_qwen2) {
  TokenizerConfig result;
  Json config = Json::object();
  std::string where = "tokenizer_config.json";
  if (files.tokenizer_config) {
    where = files.tokenizer_config->where;
    config = parse_object(files.tokenizer_config->text, where);
  }
  refuse_unread(config, where);
  result.chat_template = chat_template_in(config, where);
  if (const auto name = config.find("tokenizer_class"); name != config.end() && name->is_string()) {
    result.tokenizer_class = name->get<std::string>();
  }
  if (result.tokenizer_class.ends_with("Fast"))
    result.tokenizer_class.resize(result.tokenizer_class.size() - 4);
  Json model_specific = Json::object();
  settle_extra(config, model_specific);
  const bool complete = config.contains("added_tokens_decoder");
  if (complete) {
    read_added_tokens_decoder(config["added_tokens_decoder"], where, result.added);
  } else if (files.special_tokens_map) {
    Json map = parse_object(files.special_tokens_map->text, files.special_tokens_map->where);
    if (map.contains(kExtra) && map[kExtra].is_object()) {
      model_specific.update(map[kExtra]);
      map.erase(kExtra);
    }
    put_over(map, config);
  }
  if (as_qwen2) {
    for (const char* key : {"unk_token", "eos_token", "pad_token"}) {
      if (!config.contains(key)) config[key] = "<|endoftext|>";
    }
  }
  read_named(config, model_specific, where, result);
  read_extra(config, where, result);
  if (!complete && files.added_tokens) read_added_tokens_file(*files.added_tokens, result.added);
  return result;
}

}  // namespace saescope
