#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "plan/requested_feature.h"

namespace saescope {

/// Reads the features CSV (RFC 4180; columns `feature_id`, `source` and optionally `token`, `chat_desc`,
/// `pt_desc` and `type`, in any order, others ignored). Rows come in file order. Of rows that agree in
/// source, feature and token the first is kept, with the first of their notes of each kind that is not empty.
/// A feature id may be written as a float without a fraction ("12.0"), which is what pandas makes of a column
/// with gaps.
/// @throws InputError with the row on a missing column, a malformed source or feature id, a note that is not
///         UTF-8, a row with another number of fields than the header, or an unclosed quote.
std::vector<RequestedFeature> read_features_csv(const std::filesystem::path& path, Progress& progress);

/// As read_features_csv, from text. @param file names the file in messages
std::vector<RequestedFeature> parse_features_csv(std::string_view text, const std::string& file);

}  // namespace saescope
