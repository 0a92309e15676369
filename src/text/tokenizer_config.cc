#include "text/tokenizer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.h"

namespace saescope {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson parse_object(std::string_view text, const std::string& where) {
  // The library takes a NUL for the end of the text, whatever follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    throw InputError(
        {.what = "not valid JSON", .where = where, .found = "a NUL byte at byte " + std::to_string(nul)});
  }
  // The library copies, compares and prints what it read by recursion.
  constexpr int kDeepest = 200;
  const auto check_depth = [&](int depth, OrderedJson::parse_event_t, OrderedJson&) {
    if (depth <= kDeepest) return true;
    throw InputError({.what = "the JSON document is nested too deeply",
                      .where = where,
                      .expected = fmt::format("at most {} levels", kDeepest)});
  };
  OrderedJson json;
  try {
    json = OrderedJson::parse(text, check_depth);
  } catch (const OrderedJson::exception& error) {
    throw InputError({.what = "not valid JSON", .where = where, .found = error.what()});
  }
  if (!json.is_object()) throw InputError({.what = "not a JSON object", .where = where});
  return json;
}

/// @param special what counts where the object does not say
AddedToken added_token_of(const OrderedJson& json, bool special, const std::string& where) {
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
                      .found = json.dump(-1, ' ', true, OrderedJson::error_handler_t::replace)});
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

bool is_named_token(const std::string& key, const OrderedJson& value) {
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
void settle_extra(OrderedJson& config, OrderedJson& named) {
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
void put_over(const OrderedJson& map, OrderedJson& config) {
  for (const auto& [key, value] : map.items()) {
    if (key == kExtra && value.is_array()) {
      OrderedJson all = config.contains(key) && config[key].is_array() ? config[key] : OrderedJson::array();
      for (const OrderedJson& token : value) {
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
void read_named(const OrderedJson& config, const OrderedJson& model_specific, const std::string& where,
                TokenizerConfig& result) {
  const auto take = [&](const std::string& key, const OrderedJson& value) {
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

void read_extra(const OrderedJson& config, const std::string& where, TokenizerConfig& result) {
  const char* const key = config.contains(kExtra) ? kExtra : kFormerExtra;
  const auto list = config.find(key);
  if (list == config.end() || !list->is_array()) return;
  for (const OrderedJson& token : *list) {
    result.added.extra.push_back(added_token_of(token, true, where + ": " + key));
  }
}

int64_t token_id_of(const OrderedJson& json, const std::string& where) {
  if (json.is_number_integer()) return json.get<int64_t>();
  throw InputError({.what = "the id of an added token is no number", .where = where, .found = json.dump()});
}

void read_added_tokens_decoder(const OrderedJson& decoder, const std::string& where,
                               AddedTokenSources& added) {
  added.complete = true;
  if (!decoder.is_object()) {
    throw InputError({.what = "malformed added tokens",
                      .where = where + ": added_tokens_decoder",
                      .expected = "an object of tokens by id",
                      .found = decoder.dump(-1, ' ', true, OrderedJson::error_handler_t::replace)});
  }
  for (const auto& [id, token] : decoder.items()) {
    const OrderedJson number = OrderedJson::parse(id, nullptr, false);
    added.by_id[token_id_of(number.is_discarded() ? OrderedJson(id) : number,
                            where + ": added_tokens_decoder")] =
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
  const OrderedJson ids = parse_object(file.text, file.where);
  for (const auto& [content, id] : ids.items()) {
    AddedToken token;
    token.content = content;
    token.special = is_special(content);
    token.normalized = !token.special;
    added.by_id[token_id_of(id, file.where)] = std::move(token);
  }
}

void refuse_unread(const OrderedJson& config, const std::string& where) {
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

/// The template of this name in a list of named ones; of several the last, as in the dictionary that
/// transformers makes of it.
const OrderedJson* named_template(const OrderedJson& list, const char* wanted) {
  const OrderedJson* found = nullptr;
  for (const OrderedJson& entry : list) {
    const auto name = entry.find("name");
    const auto source = entry.find("template");
    if (name != entry.end() && *name == wanted && source != entry.end()) found = &*source;
  }
  return found;
}

std::string text_member(const OrderedJson& config, const char* key) {
  const auto value = config.find(key);
  return value != config.end() && value->is_string() ? value->get<std::string>() : std::string();
}

/// Whether a class that comes with the model is to be loaded: `auto_map` is one, or an object of them.
bool has_custom_code(const OrderedJson& config) {
  const auto map = config.find("auto_map");
  if (map == config.end()) return false;
  if (map->is_array()) return true;
  const auto of_tokenizer = map->find("AutoTokenizer");
  return of_tokenizer != map->end() && !of_tokenizer->is_null();
}

TokenizerArguments read_arguments(const OrderedJson& config) {
  TokenizerArguments arguments;
  const auto prefix = config.find("add_prefix_space");
  if (prefix != config.end() && prefix->is_boolean()) arguments.add_prefix_space = prefix->get<bool>();
  arguments.legacy = config.contains("legacy") && config["legacy"] == true;
  return arguments;
}

/// The default arguments of a class.
std::vector<std::pair<std::string, std::string>> default_tokens(TokenizerClass python_class) {
  switch (python_class) {
    case TokenizerClass::kQwen2:
      return {{"unk_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"pad_token", "<|endoftext|>"}};
    case TokenizerClass::kGpt2:
      return {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|endoftext|>"}, {"unk_token", "<|endoftext|>"}};
    case TokenizerClass::kGemma:
      return {{"bos_token", "<bos>"},
              {"eos_token", "<eos>"},
              {"unk_token", "<unk>"},
              {"pad_token", "<pad>"},
              {"mask_token", "<mask>"}};
    case TokenizerClass::kLlama:
      return {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"unk_token", "<unk>"}};
    case TokenizerClass::kAsFile:
      break;
  }
  return {};
}

}  // namespace

bool lists_added_tokens(const TokenizerSideFiles::File& tokenizer_config) {
  return parse_object(tokenizer_config.text, tokenizer_config.where).contains("added_tokens_decoder");
}

std::optional<std::string> default_chat_template(const TokenizerConfig& config, const std::string& where) {
  const OrderedJson& source = config.chat_template;
  constexpr const char* kDefault = "default";
  if (source.is_null()) return std::nullopt;
  if (source.is_string()) return source.get<std::string>();
  const OrderedJson* named = nullptr;
  if (source.is_array()) named = named_template(source, kDefault);
  if (source.is_object() && source.contains(kDefault)) named = &source[kDefault];
  if (named != nullptr && named->is_string()) return named->get<std::string>();
  throw InputError({.what = named == nullptr ? "none of the chat templates is the default"
                                             : "the default chat template is no text",
                    .where = where,
                    .expected = "a text, or named ones of which one is called default",
                    .hint = "set `chat_template` in the model's entry to one of them"});
}

TokenizerConfig read_tokenizer_config(const TokenizerSideFiles& files, const ModelHints& model) {
  TokenizerConfig result;
  OrderedJson config = OrderedJson::object();
  std::string where = "tokenizer_config.json";
  if (files.tokenizer_config) {
    where = files.tokenizer_config->where;
    config = parse_object(files.tokenizer_config->text, where);
  }
  refuse_unread(config, where);
  if (const auto source = config.find("chat_template"); source != config.end()) {
    result.chat_template = *source;
  }
  result.class_name =
      class_that_counts({text_member(config, "tokenizer_class"), has_custom_code(config)}, model);
  result.python_class = tokenizer_class_of(result.class_name);
  OrderedJson model_specific = OrderedJson::object();
  settle_extra(config, model_specific);
  const bool complete = config.contains("added_tokens_decoder");
  if (complete) {
    read_added_tokens_decoder(config["added_tokens_decoder"], where, result.added);
  } else if (files.special_tokens_map) {
    OrderedJson map = parse_object(files.special_tokens_map->text, files.special_tokens_map->where);
    if (map.contains(kExtra) && map[kExtra].is_object()) {
      model_specific.update(map[kExtra]);
      map.erase(kExtra);
    }
    put_over(map, config);
  }
  result.arguments = read_arguments(config);
  for (const auto& [key, text] : default_tokens(result.python_class)) {
    if (!config.contains(key)) config[key] = text;
  }
  read_named(config, model_specific, where, result);
  read_extra(config, where, result);
  if (!complete && files.added_tokens) read_added_tokens_file(*files.added_tokens, result.added);
  return result;
}

}  // namespace saescope
