#include "app/model_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "app/cache_folder.h"
#include "base/atomic_file.h"
#include "base/error.h"
#include "base/utf8.h"
#include "tensor/mapped_file.h"
#include "text/tokenizer_config.h"

namespace saescope {
namespace {

using nlohmann::ordered_json;

bool is_gguf(const std::filesystem::path& path) { return path.extension() == ".gguf"; }

InputError no_template(const std::string& where) {
  return InputError(
      {.what = "the model has no chat template",
       .where = where,
       .expected = "chat_template.jinja, or `chat_template` in tokenizer_config.json or the GGUF metadata",
       .hint = "use the instruct version of the model"});
}

void add_variables(ordered_json& variables, const ordered_json& more) {
  for (const auto& [name, value] : more.items()) variables[name] = value;
}

ChatFormatter formatter_from_folder(const std::filesystem::path& folder, const ModelEntry& entry) {
  const std::filesystem::path tokenizer_path = folder / "tokenizer.json";
  const std::filesystem::path config_path = folder / "tokenizer_config.json";
  const std::filesystem::path jinja_path = folder / "chat_template.jinja";
  TokenizerConfig config = parse_tokenizer_config(read_file(config_path), config_path.string());
  ordered_json variables = {{"tools", nullptr}, {"documents", nullptr}};
  add_variables(variables, config.special_tokens);
  add_variables(variables, entry.template_vars);
  std::optional<std::string> source;
  std::string where = jinja_path.string();
  if (std::filesystem::exists(jinja_path)) {
    source = read_file(jinja_path);
  } else {
    source = std::move(config.chat_template);
    where = config_path.string() + ": chat_template";
  }
  if (!source) throw no_template(folder.string());
  return {Tokenizer::from_tokenizer_json(read_file(tokenizer_path), tokenizer_path.string()),
          ChatTemplate(*source, where), std::move(variables), entry.name};
}

/// The text of the token whose id a metadata key holds.
std::optional<std::string> gguf_token(const GgufFile& file, const std::vector<std::string>& tokens,
                                      const char* key) {
  const int64_t* id = file.find<int64_t>(key);
  if (id == nullptr) return std::nullopt;
  if (*id < 0 || static_cast<uint64_t>(*id) >= tokens.size()) {
    throw InputError({.what = fmt::format("`{}` is not an id of the vocabulary", key),
                      .where = file.where,
                      .expected = fmt::format("0 to {}", tokens.size() - 1),
                      .found = std::to_string(*id)});
  }
  const std::string& token = tokens[static_cast<std::size_t>(*id)];
  if (find_invalid_utf8(token) != std::string::npos) {
    throw InputError({.what = fmt::format("the token of `{}` is not UTF-8", key),
                      .where = file.where,
                      .expected = "a text that the chat template can print",
                      .found = token});
  }
  return token;
}

ChatFormatter formatter_from_gguf(const std::filesystem::path& path, const ModelEntry& entry) {
  const MappedFile mapped(path);
  const GgufFile file = parse_gguf(mapped.bytes(), path.string());
  GgufVocabulary vocabulary;
  vocabulary.model = file.require<std::string>("tokenizer.ggml.model");
  if (const auto* pre = file.find<std::string>("tokenizer.ggml.pre")) vocabulary.pre = *pre;
  vocabulary.tokens = file.require<std::vector<std::string>>("tokenizer.ggml.tokens");
  vocabulary.merges = file.require<std::vector<std::string>>("tokenizer.ggml.merges");
  if (const auto* types = file.find<std::vector<int64_t>>("tokenizer.ggml.token_type")) {
    vocabulary.types.assign(types->begin(), types->end());
  }
  ordered_json variables = {{"tools", nullptr}, {"documents", nullptr}};
  constexpr std::array<std::pair<const char*, const char*>, 4> kSpecialTokens = {{
      {"bos_token", "tokenizer.ggml.bos_token_id"},
      {"eos_token", "tokenizer.ggml.eos_token_id"},
      {"unk_token", "tokenizer.ggml.unknown_token_id"},
      {"pad_token", "tokenizer.ggml.padding_token_id"},
  }};
  for (const auto& [name, key] : kSpecialTokens) {
    if (const auto token = gguf_token(file, vocabulary.tokens, key)) variables[name] = *token;
  }
  add_variables(variables, entry.template_vars);
  const auto* source = file.find<std::string>("tokenizer.chat_template");
  if (source == nullptr) throw no_template(path.string());
  return {Tokenizer::from_gguf(vocabulary, path.string()),
          ChatTemplate(*source, path.string() + ": tokenizer.chat_template"), std::move(variables),
          entry.name};
}

/// A file that a model cannot do without.
std::filesystem::path require_file(Hub& hub, const std::string& repo, const std::string& file) {
  const auto path = hub.cached_file(repo, file);
  if (!path) {
    throw InputError({.what = fmt::format("the repository has no file {}", file),
                      .where = fmt::format("{}/{}", hub.settings().endpoint, repo),
                      .expected = "a checkpoint in Hugging Face layout with safetensors weights"});
  }
  return *path;
}

std::filesystem::path fetch_from_hub(const std::string& repo, std::size_t layer_count, Hub& hub) {
  const std::filesystem::path folder = require_file(hub, repo, "config.json").parent_path();
  require_file(hub, repo, "tokenizer.json");
  require_file(hub, repo, "tokenizer_config.json");
  hub.cached_file(repo, "chat_template.jinja");  // optional: older repositories keep it in the config
  if (layer_count == 0) return folder;
  const ModelConfig config = read_model_config(folder);
  check_layer_count(config, layer_count, repo);
  const auto index = hub.cached_file(repo, "model.safetensors.index.json");
  const auto index_json = index ? std::optional(read_file(*index)) : std::nullopt;
  for (const std::string& file : needed_weight_files(index_json, config, layer_count, repo)) {
    require_file(hub, repo, file);
  }
  return folder;
}

/// Where SAEs go when the configured folder cannot be written.
std::filesystem::path fallback_folder(const ModelEntry& entry) {
  return user_cache_folder() / "saes" / entry.name;
}

/// Whether a file exists; not where its folder may not be looked into.
bool is_there(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

/// Whether a file can be created below this folder, which is created where it is missing.
bool can_write(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return !error && ::access(folder.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

std::filesystem::path locate_model(const ModelEntry& entry, std::size_t layer_count, Hub& hub) {
  if (!entry.model_is_path) return fetch_from_hub(entry.model, layer_count, hub);
  const std::filesystem::path path = entry.model;
  const bool exists =
      is_gguf(path) ? std::filesystem::is_regular_file(path) : std::filesystem::is_directory(path);
  if (!exists) {
    throw InputError({.what = fmt::format("model {}: no such model", entry.name),
                      .where = entry.model,
                      .expected = is_gguf(path) ? "a GGUF file" : "a folder in Hugging Face layout",
                      .hint = "correct `model` in the configuration"});
  }
  return path;
}

std::optional<std::filesystem::path> find_dictionary(const ModelEntry& entry, const Source& source) {
  const std::string relative = entry.sae_folder(source.trainer, source.layer);
  for (const std::filesystem::path& root : {std::filesystem::path(entry.sae_dir), fallback_folder(entry)}) {
    const std::filesystem::path folder = root / relative;
    if (is_there(folder / "ae.pt") && is_there(folder / "config.json")) return folder;
  }
  return std::nullopt;
}

std::filesystem::path locate_dictionary(const ModelEntry& entry, const Source& source, Hub& hub,
                                        Reporter& reporter) {
  if (const auto folder = find_dictionary(entry, source)) return *folder;
  const std::string relative = entry.sae_folder(source.trainer, source.layer);
  if (entry.sae.empty()) {
    throw InputError(
        {.what = fmt::format("no SAE for {}", source.name()),
         .where = (std::filesystem::path(entry.sae_dir) / relative).string(),
         .expected = "ae.pt and config.json in this folder",
         .hint = fmt::format("put them there, correct `sae_dir` or `sae_path` of [models.{0}], or give "
                             "`sae`, the repository to download them from",
                             entry.name)});
  }
  std::filesystem::path target = entry.sae_dir;
  if (!can_write(target)) {
    reporter.warn(
        fmt::format("the folder {} (`sae_dir` of [models.{}]) cannot be written; SAEs go to {} instead",
                    entry.sae_dir, entry.name, fallback_folder(entry).string()));
    target = fallback_folder(entry);
  }
  for (const char* file : {"config.json", "ae.pt"})
    hub.local_file(entry.sae, fmt::format("{}/{}", relative, file), target);
  return target / relative;
}

ChatFormatter open_chat_formatter(const std::filesystem::path& path, const ModelEntry& entry) {
  return is_gguf(path) ? formatter_from_gguf(path, entry) : formatter_from_folder(path, entry);
}

ModelConfig read_config_of(const std::filesystem::path& path) {
  if (!is_gguf(path)) return read_model_config(path);
  const MappedFile mapped(path);
  return model_config_from_gguf(parse_gguf(mapped.bytes(), path.string()));
}

Checkpoint open_checkpoint(const std::filesystem::path& path, std::size_t layer_count) {
  return is_gguf(path) ? Checkpoint::open_gguf(path, layer_count)
                       : Checkpoint::open_folder(path, layer_count);
}

}  // namespace saescope
