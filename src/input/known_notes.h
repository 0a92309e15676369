#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "analysis/feature_notes.h"
#include "base/progress.h"
#include "input/descriptions.h"
#include "plan/model_plan.h"
#include "plan/requested_feature.h"

namespace saescope {

/// Exports of descriptions, files or folders; none where empty.
struct DescriptionPaths {
  std::vector<std::filesystem::path> chat;         ///< --descriptions
  std::vector<std::filesystem::path> pretraining;  ///< --pt-descriptions
};

/// What is known about the features of a run beforehand: notes that came with the requests, and where they
/// have none those of the exports.
class KnownNotes {
 public:
  KnownNotes() = default;
  /// Reads the exports. What is skipped is reported. @throws InputError on a file that cannot be used
  KnownNotes(const std::vector<RequestedFeature>& requested, const std::vector<ModelPlan>& models,
             const DescriptionPaths& paths, Progress& progress);

  FeatureNotes notes(const Source& source, const std::string& token, int64_t feature_id) const;

 private:
  /// An export: its flag, and the entry's key that says which of its sources is an SAE's.
  struct Export {
    const char* flag;
    const std::vector<std::filesystem::path>& paths;
    std::string ModelEntry::*ids;
  };
  /// The descriptions of one column.
  struct Column {
    Descriptions texts;
    std::map<std::string, DescriptionKey> key_of_source;  ///< by the source's name
  };
  static std::optional<Column> read_column(const Export& from, const std::vector<ModelPlan>& models,
                                           Progress& progress);
  static std::string find(const std::optional<Column>& column, const std::string& source, int64_t feature_id);

  /// By source name, feature and token type (empty: all of them).
  std::map<std::tuple<std::string, int64_t, std::string>, FeatureNotes> requested_;
  std::optional<Column> chat_;
  std::optional<Column> pt_;
};

/// Which source of an export an SAE is by what the model's entry says, else by its link; nothing where
/// neither says so. @param ids ModelEntry::descriptions or ModelEntry::pt_descriptions
std::optional<DescriptionKey> published_source(const ModelEntry& entry, const Source& source,
                                               std::string ModelEntry::*ids);

/// The same; where nothing says so, the program's own names {model}/{source}.
DescriptionKey export_source(const ModelEntry& entry, const Source& source, std::string ModelEntry::*ids);

}  // namespace saescope
