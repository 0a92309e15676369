// The components of a tokenizer.json, as the Python library `tokenizers` writes and reads them.

#include <array>
#include <type_traits>
#include <utility>

#include "base/error.h"
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

PreTokenizer::Split parse_split(const Json& split, const std::string& where) {
  const SplitBehavior behavior = parse_behavior(split, where);
  const bool invert = read<bool>(split, "invert", where);
  const Json pattern = split.value("pattern", Json());
  if (pattern.is_object() && pattern.contains("Regex")) {
    const auto regex = read<std::string>(pattern, "Regex", where);
    return {Regex::from_pattern(regex, where), behavior, invert};
  }
  const auto literal = read<std::string>(pattern, "String", where);
  if (literal.empty()) refuse("the pattern of a Split pre-tokenizer is empty", where, split);
  return {Regex::from_literal(literal, where), behavior, invert};
}

// Collects the steps of a pre-tokenizer. Its last component has to be ByteLevel, whose second half
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
    } else if (type == "ByteLevel") {
      read_byte_level(component);
    } else {
      refuse("pre-tokenizer \"" + type + "\" is not implemented", where_, component,
             "Sequence, Split, Digits, WhitespaceSplit or ByteLevel");
    }
  }

  PreTokenizer finish(const Json& json) {
    if (!byte_level_) {
      refuse("the pre-tokenizer has no ByteLevel", where_, json, "a tokenizer with a byte-level vocabulary");
    }
    return PreTokenizer(std::move(steps_));
  }

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
  std::vector<NormalForm> forms;
  for_each_component(json, "normalizers", where, [&](const Json& component) {
    const std::string type = type_of(component, where);
    if (type == "NFC") {
      forms.push_back(NormalForm::kNfc);
    } else if (type == "NFD") {
      forms.push_back(NormalForm::kNfd);
    } else if (type == "NFKC") {
      forms.push_back(NormalForm::kNfkc);
    } else if (type == "NFKD") {
      forms.push_back(NormalForm::kNfkd);
    } else {
      refuse("normalizer \"" + type + "\" is not implemented", where, component,
             "Sequence, NFC, NFD, NFKC or NFKD");
    }
  });
  return Normalizer(std::move(forms));
}

PreTokenizer parse_pre_tokenizer(const Json& json, const std::string& where) {
  PreTokenizerReader reader(where);
  for_each_component(json, "pretokenizers", where,
                     [&](const Json& component) { reader.read_component(component); });
  return reader.finish(json);
}

}  // namespace saescope
