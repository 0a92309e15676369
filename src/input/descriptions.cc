#include "input/descriptions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <istream>
#include <utility>

#include "base/error.h"
#include "base/json_text.h"
#include "input/gunzip.h"
#include "input/input_files.h"
#include "input/json_lines.h"

namespace saescope {
namespace {

constexpr std::string_view kDescriptionExample =
    "an object such as {\"modelId\": \"llama3.1-8b-it\", \"layer\": \"11-resid-post-aa\", \"index\": \"7\", "
    "\"description\": \"greetings\"}";
constexpr std::string_view kSeparator = " | ";
constexpr std::size_t kLongestId = 256;
constexpr std::size_t kSourcesToldApart = 1000;
/// Memory of one explanation besides its bytes: string, allocation, and a share of the hash table's node.
constexpr std::size_t kExplanationOverhead = 160;

InputError beyond_limit(std::string what, std::string expected) {
  return InputError({.what = std::move(what),
                     .where = {},
                     .expected = std::move(expected),
                     .found = "more",
                     .hint = "leave out files or lines that are not needed"});
}

/// One of the two ids that name a source.
std::string take_id(JsonField& field, const char* what, const char* example, const JsonLine& line) {
  const std::string expected =
      fmt::format("\"{}\": a string of 1 to {} bytes, such as \"{}\"", field.name, kLongestId, example);
  if (!field.is_string()) throw json_line_error(what, line, expected, std::string(field.type));
  if (field.text.empty() || field.text.size() > kLongestId) {
    throw json_line_error(what, line, expected, shown_text(field.text));
  }
  return std::move(field.text);
}

int64_t read_index(const JsonField& field, const JsonLine& line) {
  int64_t index = -1;
  if (field.is_string() || field.is_number()) {
    const char* const end = field.text.data() + field.text.size();
    const auto [rest, error] = std::from_chars(field.text.data(), end, index);
    if (error == std::errc() && rest == end && index >= 0 && field.text.front() != '-') return index;
  }
  throw json_line_error("the explanation's index is not a feature", line,
                        "\"index\": a whole number from 0, or a string of its digits",
                        field.is_string()   ? shown_text(field.text)
                        : field.is_number() ? field.text
                                            : std::string(field.type));
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

Explanation parse_explanation(const JsonLine& line) {
  std::array<JsonField, 4> fields = {
      {{.name = "modelId"}, {.name = "layer"}, {.name = "index"}, {.name = "description"}}};
  read_json_object(line, fields);
  auto& [model, layer, index, description] = fields;
  std::string model_id = take_id(model, "the explanation names no model", "llama3.1-8b-it", line);
  std::string layer_id = take_id(layer, "the explanation names no source", "11-resid-post-aa", line);
  const int64_t feature = read_index(index, line);
  if (!description.is_string() && !description.is_null()) {
    throw json_line_error("the explanation has no description", line, "\"description\": a string or null",
                          std::string(description.type));
  }
  std::string text = description.is_string() ? trimmed(description.text) : std::string();
  return {{std::move(model_id), std::move(layer_id)}, feature, std::move(text)};
}

}  // namespace

std::optional<DescriptionKey> key_of_link(std::string_view link) {
  constexpr std::string_view kFeature = "/{feature_id}";
  constexpr std::string_view kScheme = "://";
  const std::size_t scheme = link.find(kScheme);
  if (scheme == std::string::npos) return std::nullopt;
  const std::size_t path = link.find('/', scheme + kScheme.size());  // the host holds no key
  const std::size_t end = link.find(kFeature, scheme + kScheme.size());
  if (end == std::string::npos || path >= end) return std::nullopt;
  const std::string_view behind = link.substr(end + kFeature.size());
  if (!behind.empty() && std::string_view("/?#").find(behind.front()) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view segments = link.substr(path, end - path);  // "/…/MODEL/SOURCE"
  const std::size_t before_source = segments.rfind('/');
  if (before_source == 0 || segments.find_first_of("?#{}") != std::string_view::npos) return std::nullopt;
  const std::size_t before_model = segments.rfind('/', before_source - 1);
  const std::string_view source = segments.substr(before_source + 1);
  const std::string_view model = segments.substr(before_model + 1, before_source - before_model - 1);
  if (source.empty() || model.empty()) return std::nullopt;
  return DescriptionKey{std::string(model), std::string(source)};
}

Descriptions::Descriptions(std::set<DescriptionKey> wanted, DescriptionLimits limits)
    : wanted_(std::move(wanted)), limits_(limits) {
  for (const DescriptionKey& key : wanted_) texts_.try_emplace(key);
}

void Descriptions::add(Explanation explanation) {
  if (explanation.text.empty()) {
    ++empty_;
    return;
  }
  const auto source = texts_.find(explanation.source);
  if (source != texts_.end()) {
    keep(source->second[explanation.feature], std::move(explanation.text));
    ++matched_;
    return;
  }
  ++skipped_;
  const auto other = skipped_sources_.find(explanation.source);
  if (other != skipped_sources_.end()) {
    ++other->second;
  } else if (skipped_sources_.size() < kSourcesToldApart) {
    skipped_sources_.emplace(std::move(explanation.source), 1);
  }
}

void Descriptions::keep(Texts& texts, std::string text) {
  if (std::ranges::find(texts, text) != texts.end()) return;
  std::size_t joined = text.size();
  for (const std::string& known : texts) joined += known.size() + kSeparator.size();
  if (joined > limits_.text_bytes) {
    throw beyond_limit("a feature's descriptions are too long",
                       fmt::format("at most {} bytes in all", limits_.text_bytes));
  }
  if (texts.size() == limits_.explanations) {
    throw beyond_limit("a feature has too many descriptions",
                       fmt::format("at most {} different ones", limits_.explanations));
  }
  const std::size_t total = total_bytes_ + text.size() + kExplanationOverhead;
  if (total > limits_.total_bytes) {
    throw beyond_limit("the descriptions take too much memory",
                       fmt::format("at most {} bytes for the chosen sources", limits_.total_bytes));
  }
  total_bytes_ = total;
  text.shrink_to_fit();
  texts.push_back(std::move(text));
}

std::string Descriptions::text(const DescriptionKey& source, int64_t feature) const {
  const auto features = texts_.find(source);
  if (features == texts_.end()) return {};
  const auto texts = features->second.find(feature);
  if (texts == features->second.end()) return {};
  return fmt::format("{}", fmt::join(texts->second, kSeparator));
}

std::size_t Descriptions::described_features(const DescriptionKey& source) const {
  const auto features = texts_.find(source);
  return features == texts_.end() ? 0 : features->second.size();
}

uint64_t append_descriptions(std::istream& in, const std::string& file, Descriptions& descriptions) {
  uint64_t count = 0;
  for_each_json_line(in, {file, 1, kDescriptionExample}, [&](const JsonLine& line) {
    ++count;
    Explanation explanation = parse_explanation(line);
    at_place(line.place, [&] { descriptions.add(std::move(explanation)); });
  });
  return count;
}

Descriptions read_descriptions(const std::vector<std::filesystem::path>& paths,
                               std::set<DescriptionKey> wanted) {
  const InputKind kind = {
      "descriptions", {".jsonl", ".jsonl.gz"}, "--descriptions auto fetches them from Neuronpedia's export"};
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& path : paths) {
    for (std::filesystem::path& file : list_input_files(path, kind)) files.push_back(std::move(file));
  }
  Descriptions descriptions(std::move(wanted));
  for (const std::filesystem::path& file : files) {
    std::ifstream packed = open_input_file(file);
    GunzipBuffer text(*packed.rdbuf(), file.string());
    std::istream in(&text);
    if (append_descriptions(in, file.string(), descriptions) > 0) continue;
    throw InputError({.what = "there is no explanation in it",
                      .where = file.string(),
                      .expected = fmt::format("lines, each {}", kDescriptionExample),
                      .found = "blank lines or nothing",
                      .hint = {}});
  }
  return descriptions;
}

}  // namespace saescope
