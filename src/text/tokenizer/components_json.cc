// The components of a tokenizer.json, as the Python library `tokenizers` writes and reads them.

#include <array>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer/tokenizer_parts.h"

namespace saescope {
namespace {

using Json = nlohmann::json;

constexpr int kDeepestSequence = 16;

[[noreturn]] void refuse(const std::string& what, const std::string& where, const Json& found,
                         const std::string& expected = {}) {
  throw InputError({.what = what,
                    .where = where,
                    .expected = expected,
                    .found = found.dump(-1, ' ', true, Json::error_handler_t::replace)});
}

template <typename T>
T read(const Json& object, const char* key, const std::string& where) {
  if (object.is_object() && object.contains(key)) {
    const Json& value = object.at(key);
    const bool fits = std::is_same_v<T, bool> ? value.is_boolean() : value.is_string();
    if (fits) return value.get<T>();
  }
  refuse(std::string("missing or malformed \"") + key + "\"", where, object,
         std::is_same_v<T, bool> ? "true or false" : "a string");
}

bool read_bool_or(const Json& object, const char* key, bool fallback, const std::string& where) {
  return object.contains(key) ? read<bool>(object, key, where) : fallback;
}

std::string type_of(const Json& component, const std::string& where) {
  return read<std::string>(component, "type", where);
}

// Calls `leaf` for a component, or for those of a (nested) Sequence in their order.
template <typename Leaf>
void for_each_component(const Json& component, const char* list_key, const std::string& where, Leaf leaf,
                        int depth = 0) {
  if (component.is_null()) return;
  if (type_of(component, where) != "Sequence") {
    leaf(component);
    return;
  }
  if (depth >= kDeepestSequence) refuse("sequences are nested too deeply", where, list_key);
  if (!component.contains(list_key) || !component.at(list_key).is_array()) {
    refuse(std::string("missing or malformed \"") + list_key + "\"", where, component, "a list");
  }
  for (const Json& element : component.at(list_key)) {
    for_each_component(element, list_key, where, leaf, depth + 1);
  }
}

SplitBehavior parse_behavior(const Json& split, const std::string& where) {
  static const std::array<std::pair<const char*, SplitBehavior>, 5> kBehaviors = {{
      {"Removed", SplitBehavior::kRemoved},
      {"Isolated", SplitBehavior::kIsolated},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  const auto name = read<std::string>(split, "behavior", where);
  for (const auto& [known, behavior] : kBehaviors) {
    if (name == known) return behavior;
  }
  refuse("unknown behavior of a Split pre-tokenizer", where, name);
}

// `pattern` of a component: a regular expression, or a text.
struct Pattern {
  std::optional<std::string> regex = std::nullopt;
  std::string text = {};
};
Pattern parse_pattern(const Json& component, const std::string& where) {
  const Json pattern = component.value("pattern", Json());
  if (pattern.is_object() && pattern.contains("Regex")) {
    return {.regex = read<std::string>(pattern, "Regex", where)};
  }
  Pattern result = {.text = read<std::string>(pattern, "String", where)};
  if (result.text.empty()) refuse("a pattern of the tokenizer is empty", where, component);
  return result;
}

PreTokenizer::Split parse_split(const Json& split, const std::string& where) {
  const SplitBehavior behavior = parse_behavior(split, where);
  const bool invert = read<bool>(split, "invert", where);
  const Pattern pattern = parse_pattern(split, where);
  return {
      pattern.regex ? Regex::from_pattern(*pattern.regex, where) : Regex::from_literal(pattern.text, where),
      behavior, invert};
}

Normalizer::Replace parse_replace(const Json& replace, const std::string& where) {
  const Pattern pattern = parse_pattern(replace, where);
  Normalizer::Replace result = {.text = pattern.text,
                                .content = read<std::string>(replace, "content", where)};
  if (pattern.regex) result.pattern = Regex::from_pattern(*pattern.regex, where);
  return result;
}

NormalForm const* find_normal_form(const std::string& type) {
  static const std::array<std::pair<const char*, NormalForm>, 4> kForms = {{{"NFC", NormalForm::kNfc},
                                                                            {"NFD", NormalForm::kNfd},
                                                                            {"NFKC", NormalForm::kNfkc},
                                                                            {"NFKD", NormalForm::kNfkd}}};
  for (const auto& [name, form] : kForms) {
    if (type == name) return &form;
  }
  return nullptr;
}

// One character, the mark of Metaspace.
std::string parse_mark(const Json& metaspace, const std::string& where) {
  const auto mark = read<std::string>(metaspace, "replacement", where);
  if (mark.empty() || decode_utf8(mark, 0).length != mark.size() || mark == " ") {
    refuse("the replacement of Metaspace is not one character", where, metaspace);
  }
  return mark;
}

// Files of before 2024 say `add_prefix_space` instead of `prepend_scheme`.
PreTokenizer::Metaspace parse_metaspace(const Json& metaspace, const std::string& where) {
  using Prepend = PreTokenizer::Metaspace::Prepend;
  static const std::array<std::pair<const char*, Prepend>, 3> kSchemes = {
      {{"always", Prepend::kAlways}, {"first", Prepend::kFirst}, {"never", Prepend::kNever}}};
  PreTokenizer::Metaspace result = {.mark = parse_mark(metaspace, where),
                                    .split = read_bool_or(metaspace, "split", true, where)};
  if (!read_bool_or(metaspace, "add_prefix_space", true, where)) {
    result.prepend = Prepend::kNever;
    if (metaspace.value("prepend_scheme", Json("never")) != "never") {
      refuse("add_prefix_space and prepend_scheme of Metaspace contradict each other", where, metaspace);
    }
    return result;
  }
  if (!metaspace.contains("prepend_scheme")) return result;
  const auto name = read<std::string>(metaspace, "prepend_scheme", where);
  for (const auto& [known, scheme] : kSchemes) {
    if (name != known) continue;
    result.prepend = scheme;
    return result;
  }
  refuse("unknown prepend_scheme of Metaspace", where, name, "always, first or never");
}

// Collects the steps of a pre-tokenizer. Where its last component is ByteLevel, that one's second half
// (writing bytes in the byte alphabet) is left out here: the model works on bytes.
class PreTokenizerReader {
 public:
  explicit PreTokenizerReader(const std::string& where) : where_(where) {}

  void read_component(const Json& component) {
    const std::string type = type_of(component, where_);
    if (byte_level_) refuse("a pre-tokenizer after ByteLevel is not implemented", where_, component);
    if (type == "Split") {
      steps_.emplace_back(parse_split(component, where_));
    } else if (type == "Digits") {
      steps_.emplace_back(PreTokenizer::Digits{read<bool>(component, "individual_digits", where_)});
    } else if (type == "WhitespaceSplit") {
      steps_.emplace_back(PreTokenizer::WhitespaceSplit{});
    } else if (type == "Metaspace") {
      steps_.emplace_back(parse_metaspace(component, where_));
    } else if (type == "ByteLevel") {
      read_byte_level(component);
    } else {
      refuse("pre-tokenizer \"" + type + "\" is not implemented", where_, component,
             "Sequence, Split, Digits, WhitespaceSplit, Metaspace or ByteLevel");
    }
  }

  PreTokenizer finish() { return PreTokenizer(std::move(steps_)); }

 private:
  void read_byte_level(const Json& component) {
    byte_level_ = true;
    if (read<bool>(component, "add_prefix_space", where_)) {
      steps_.emplace_back(PreTokenizer::PrefixSpace{});
    }
    if (read_bool_or(component, "use_regex", true, where_)) {
      steps_.emplace_back(PreTokenizer::Split{Regex::from_pattern(kGpt2Pattern, where_)});
    }
  }

  const std::string& where_;
  std::vector<PreTokenizer::Step> steps_;
  bool byte_level_ = false;
};

}  // namespace

Normalizer parse_normalizer(const Json& json, const std::string& where) {
  std::vector<Normalizer::Step> steps;
  for_each_component(json, "normalizers", where, [&](const Json& component) {
    const std::string type = type_of(component, where);
    if (const NormalForm* form = find_normal_form(type)) {
      steps.emplace_back(*form);
    } else if (type == "Replace") {
      steps.emplace_back(parse_replace(component, where));
    } else if (type == "Prepend") {
      steps.emplace_back(Normalizer::Prepend{read<std::string>(component, "prepend", where)});
    } else {
      refuse("normalizer \"" + type + "\" is not implemented", where, component,
             "Sequence, NFC, NFD, NFKC, NFKD, Replace or Prepend");
    }
  });
  return Normalizer(std::move(steps));
}

PreTokenizer parse_pre_tokenizer(const Json& json, const std::string& where) {
  PreTokenizerReader reader(where);
  for_each_component(json, "pretokenizers", where,
                     [&](const Json& component) { reader.read_component(component); });
  return reader.finish();
}

bool is_byte_level(const Json& pre_tokenizer, const std::string& where) {
  bool found = false;
  for_each_component(pre_tokenizer, "pretokenizers", where, [&](const Json& component) {
    found = found || type_of(component, where) == "ByteLevel";
  });
  return found;
}

TokenDecoder parse_decoder(const Json& json, const std::string& where) {
  TokenDecoder decoder;
  for_each_component(json, "decoders", where, [&](const Json& component) {
    const std::string type = type_of(component, where);
    if (type == "Replace") {
      const Pattern pattern = parse_pattern(component, where);
      if (pattern.regex) refuse("a pattern in a decoder is not implemented", where, component, "a String");
      decoder.replacements.emplace_back(pattern.text, read<std::string>(component, "content", where));
    } else if (type == "ByteFallback") {
      decoder.byte_fallback = true;
    } else if (type == "Metaspace") {
      decoder.replacements.emplace_back(parse_mark(component, where), " ");
    } else if (type != "Fuse" && type != "Strip") {  // which look at more than one token
      refuse("decoder \"" + type + "\" is not implemented", where, component,
             "Sequence, Replace, ByteFallback, Metaspace, Fuse or Strip");
    }
  });
  return decoder;
}

}  // namespace saescope
