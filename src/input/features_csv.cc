#include "input/features_csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/atomic_file.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "input/input_files.h"

namespace saescope {
namespace {

/// Where the columns stand in a row.
struct Columns {
  std::size_t feature_id = 0;
  std::size_t source = 0;
  std::optional<std::size_t> token;
  std::optional<std::size_t> chat_desc;
  std::optional<std::size_t> pt_desc;
  std::optional<std::size_t> type;
};

constexpr std::string_view kFeatureId = "feature_id";
constexpr auto kHeaderHint = "the first line names the columns: feature_id,source and optionally token";

std::optional<std::size_t> find_column(const CsvRecord& header, std::string_view name,
                                       const std::string& where) {
  const auto& fields = header.fields;
  const auto found = std::find(fields.begin(), fields.end(), name);
  if (found == fields.end()) return std::nullopt;
  if (std::find(found + 1, fields.end(), name) != fields.end()) {
    throw InputError({.what = fmt::format("the column {} stands twice in the header", name),
                      .where = where,
                      .expected = {},
                      .found = {},
                      .hint = "rename or remove one of them"});
  }
  return static_cast<std::size_t>(found - fields.begin());
}

std::size_t require_column(const CsvRecord& header, std::string_view name, const std::string& where) {
  if (const auto column = find_column(header, name, where)) return *column;
  std::vector<std::string> names;
  for (const std::string& field : header.fields) names.push_back(shown_text(field));
  throw InputError({.what = fmt::format("there is no column {}", name),
                    .where = where,
                    .expected = "the columns feature_id and source",
                    .found = fmt::format("{}", fmt::join(names, ", ")),
                    .hint = kHeaderHint});
}

Columns read_header(const CsvRecord& header, const std::string& file) {
  const std::string where = fmt::format("{}:{}", file, header.line);
  return {.feature_id = require_column(header, "feature_id", where),
          .source = require_column(header, "source", where),
          .token = find_column(header, "token", where),
          .chat_desc = find_column(header, "chat_desc", where),
          .pt_desc = find_column(header, "pt_desc", where),
          .type = find_column(header, "type", where)};
}

/// Digits, which a point and zeros may follow.
std::optional<int64_t> parse_feature_id(std::string_view text) {
  int64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc() || id < 0 || text.front() == '-') return std::nullopt;
  std::string_view fraction(rest, static_cast<std::size_t>(end - rest));
  if (fraction.empty()) return id;
  if (fraction.size() < 2 || fraction.front() != '.') return std::nullopt;
  if (fraction.find_first_not_of('0', 1) != std::string_view::npos) return std::nullopt;
  return id;
}

/// The text of a column that outputs carry on.
std::string read_note(const CsvRecord& record, std::optional<std::size_t> column, std::string_view name,
                      const std::string& place) {
  if (!column) return {};
  const std::string& text = record.fields[*column];
  if (find_invalid_utf8(text) == std::string_view::npos) return text;
  throw InputError({.what = fmt::format("the {} is not valid UTF-8", name),
                    .where = place,
                    .expected = "text in UTF-8",
                    .found = shown_text(text),
                    .hint = "save the table in UTF-8"});
}

RequestedFeature read_row(const CsvRecord& record, const Columns& columns, std::string place) {
  const std::string& id_text = record.fields[columns.feature_id];
  const std::optional<int64_t> id = parse_feature_id(id_text);
  if (!id) {
    throw InputError({.what = "the feature_id is not a whole number",
                      .where = std::move(place),
                      .expected = "a number from 0, such as 1234",
                      .found = shown_text(id_text),
                      .hint = {}});
  }
  Source source;
  try {
    source = Source::parse(record.fields[columns.source]);
  } catch (const InputError& error) {
    ErrorDetail detail = error.detail();
    detail.where = std::move(place);
    detail.found = shown_text(record.fields[columns.source]);
    throw InputError(std::move(detail));
  }
  std::string token = columns.token ? record.fields[*columns.token] : std::string();
  FeatureNotes notes = {.chat_desc = read_note(record, columns.chat_desc, "chat_desc", place),
                        .pt_desc = read_note(record, columns.pt_desc, "pt_desc", place),
                        .type = read_note(record, columns.type, "type", place)};
  return {std::move(source), *id, std::move(token), std::move(place), std::move(notes)};
}

void require_same_width(const CsvRecord& record, const CsvRecord& header, const std::string& place) {
  if (record.fields.size() == header.fields.size()) return;
  throw InputError({.what = "the row has another number of fields than the header",
                    .where = place,
                    .expected = fmt::format("{} fields", header.fields.size()),
                    .found = fmt::format("{} fields", record.fields.size()),
                    .hint = "quote fields that hold commas"});
}

}  // namespace

std::vector<RequestedFeature> read_features_csv(const std::filesystem::path& path, Progress& progress) {
  // A universal output of both models over every feature, fed back in, takes some 250 MB.
  constexpr uint64_t kLargestTable = uint64_t{768} << 20;
  const std::string text = read_file(path, kLargestTable);
  if (const char separator = csv_separator(text, kFeatureId); separator != ',') {
    progress.info(fmt::format("{}: its columns are separated by {}", path.string(),
                              separator == '\t' ? std::string("tabs") : fmt::format("'{}'", separator)));
  }
  return parse_features_csv(text, path.string());
}

std::vector<RequestedFeature> parse_features_csv(std::string_view text, const std::string& file) {
  if (begins_like_utf16(text)) throw utf16_error(file);
  std::optional<CsvRecord> header;
  Columns columns;
  std::size_t row = 0;
  std::vector<RequestedFeature> features;
  std::map<std::tuple<Source, int64_t, std::string>, std::size_t> seen;  // its index in features
  for_each_csv_record(
      text, file,
      [&](const CsvRecord& record) {
        if (!header) {
          columns = read_header(record, file);
          header = record;
          return;
        }
        std::string place = fmt::format("{}:row {} (line {})", file, ++row, record.line);
        require_same_width(record, *header, place);
        RequestedFeature feature = read_row(record, columns, std::move(place));
        const auto [known, is_new] =
            seen.try_emplace({feature.source, feature.feature_id, feature.token}, features.size());
        if (is_new) {
          features.push_back(std::move(feature));
        } else {
          features[known->second].notes.complete_with(feature.notes);
        }
      },
      csv_separator(text, kFeatureId));
  if (!header) {
    throw InputError({.what = "the features CSV is empty",
                      .where = file,
                      .expected = "a header line",
                      .found = {},
                      .hint = kHeaderHint});
  }
  return features;
}

}  // namespace saescope
