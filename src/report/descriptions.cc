#include "report/descriptions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <istream>
#include <vector>

#include "base/error.h"
#include "report/gzip_stream.h"
#include "report/json_lines.h"
#include "report/json_text.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kEndings = {".jsonl", ".jsonl.gz"};
constexpr std::string_view kSeparator = " | ";
constexpr std::size_t kMostBytes = std::size_t{1} << 30;
constexpr std::size_t kMostOthers = 100'000;
constexpr auto kExample =
    "an object such as {\"modelId\": \"llama3.1-8b-it\", \"layer\": \"11-resid-post-aa\", \"index\": "
    "\"123\", "
    "\"description\": \"…\"}";

const std::string& require_string(const JsonLine& line, const JsonField& field) {
  if (field.is_string()) return field.text;
  refuse_json_line(line, fmt::format("the explanation has no {}", field.key),
                   fmt::format("\"{}\": a string", field.key), field.type);
}

int64_t require_index(const JsonLine& line, const JsonField& field) {
  int64_t index = -1;
  if (field.is_string() || field.is_whole_number()) {
    const char* const end = field.text.data() + field.text.size();
    const auto [rest, error] = std::from_chars(field.text.data(), end, index);
    if (error == std::errc() && rest == end && index >= 0) return index;
  }
  refuse_json_line(line, "the explanation's index is not a feature id",
                   "\"index\": a whole number from 0, or a string of one",
                   field.text.empty() ? field.type : shown_text(field.text));
}

void append_description(const JsonLine& line, Descriptions& descriptions) {
  std::array<JsonField, 4> fields = {{{"modelId"}, {"layer"}, {"index"}, {"description"}}};
  read_json_fields(line, kExample, fields);
  const auto& [model_id, layer_id, index, description] = fields;
  const DescriptionKey key = {require_string(line, model_id), require_string(line, layer_id)};
  const int64_t feature_id = require_index(line, index);
  if (description.type == "null") return;
  const std::string& text = require_string(line, description);
  if (text.find_first_not_of(" \t\r\n") != std::string::npos) descriptions.add(key, feature_id, text);
}

/// Whether `text` is one of the explanations in `joined`.
bool holds(std::string_view joined, std::string_view text) {
  for (std::size_t at = joined.find(text); at != std::string_view::npos; at = joined.find(text, at + 1)) {
    const bool begins = at == 0 || joined.substr(0, at).ends_with(kSeparator);
    const std::string_view behind = joined.substr(at + text.size());
    if (begins && (behind.empty() || behind.starts_with(kSeparator))) return true;
  }
  return false;
}

std::vector<fs::path> list_description_files(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    throw InputError({.what = "there are no descriptions at this path",
                      .where = path.string(),
                      .expected = "a file of JSON lines, plain or gzip, or a folder that holds such files",
                      .found = "no file and no folder"});
  }
  if (!fs::is_directory(status)) {
    require_regular_file(path);
    return {path};
  }
  std::vector<fs::path> files = list_files(path, kEndings);
  if (!files.empty()) return files;
  throw InputError({.what = "the folder holds no descriptions",
                    .where = path.string(),
                    .expected = "at least one file *.jsonl or *.jsonl.gz"});
}

}  // namespace

std::optional<DescriptionKey> key_of_link(std::string_view link) {
  constexpr std::string_view kFeature = "/{feature_id}";
  const std::size_t behind_host = link.find("://");
  const std::size_t end = link.find(kFeature);
  if (behind_host == std::string_view::npos || end == std::string_view::npos) return std::nullopt;
  const std::string_view path = link.substr(behind_host + 3, end - behind_host - 3);
  const std::size_t second = path.rfind('/');
  if (second == std::string_view::npos || second == 0) return std::nullopt;
  const std::size_t first = path.rfind('/', second - 1);
  if (first == std::string_view::npos) return std::nullopt;
  DescriptionKey key = {std::string(path.substr(first + 1, second - first - 1)),
                        std::string(path.substr(second + 1))};
  if (key.model_id.empty() || key.layer_id.empty()) return std::nullopt;
  return key;
}

void Descriptions::add(const DescriptionKey& key, int64_t feature_id, std::string_view description) {
  if (!wanted_.contains(key)) {
    if (others_.size() < kMostOthers || others_.contains(key)) ++others_[key];
    return;
  }
  std::string& joined = texts_[key][feature_id];
  ++kept_;
  if (holds(joined, description)) return;
  bytes_ += description.size();
  if (bytes_ > kMostBytes) {
    throw InputError({.what = "the descriptions are too long",
                      .where = key.name(),
                      .expected = fmt::format("at most {} bytes for the run's features", kMostBytes)});
  }
  if (!joined.empty()) joined += kSeparator;
  joined += description;
}

std::string_view Descriptions::find(const DescriptionKey& key, int64_t feature_id) const {
  const auto texts = texts_.find(key);
  if (texts == texts_.end()) return {};
  const auto text = texts->second.find(feature_id);
  return text == texts->second.end() ? std::string_view() : text->second;
}

void append_descriptions(std::istream& in, const std::string& file, Descriptions& descriptions) {
  for_each_json_line(in, file, kExample,
                     [&](const JsonLine& line) { append_description(line, descriptions); });
}

Descriptions read_descriptions(const fs::path& path, std::set<DescriptionKey> wanted) {
  Descriptions descriptions(std::move(wanted));
  for (const fs::path& file : list_description_files(path)) {
    GzipBuffer bytes(file);
    std::istream in(&bytes);
    append_descriptions(in, file.string(), descriptions);
  }
  if (descriptions.kept() > 0 || !descriptions.others().empty()) return descriptions;
  throw InputError({.what = "there is no explanation in it",
                    .where = path.string(),
                    .expected = fmt::format("lines, each {}", kExample),
                    .found = "blank lines or nothing"});
}

}  // namespace saescope
