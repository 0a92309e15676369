#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "app/options.h"
#include "app/selection.h"
#include "base/reporter.h"
#include "report/descriptions.h"
#include "report/feature_notes.h"
#include "report/features_csv.h"

namespace saescope {

/// What is known about the features of a run beforehand: notes that the features CSV carries, and where it
/// has none those of --descriptions and --pt-descriptions.
class NoteBook {
 public:
  NoteBook() = default;
  /// Reads the descriptions. What is skipped is reported. @throws InputError on a file that cannot be used
  NoteBook(const Options& options, const std::vector<RequestedFeature>& features, const Selection& selection,
           Reporter& reporter);

  FeatureNotes notes(const Source& source, const std::string& token, int64_t feature_id) const;

 private:
  /// The descriptions of one column.
  struct Column {
    Descriptions texts;
    std::map<std::string, DescriptionKey> key_of_source;  ///< by the source's name
  };
  static std::optional<Column> read_column(const std::filesystem::path& path, const char* flag,
                                           std::string ModelEntry::*ids, const Selection& selection,
                                           Reporter& reporter);
  static std::string find(const std::optional<Column>& column, const std::string& source, int64_t feature_id);

  /// By source name, feature and token type (empty: all of them).
  std::map<std::tuple<std::string, int64_t, std::string>, FeatureNotes> from_csv_;
  std::optional<Column> chat_;
  std::optional<Column> pt_;
};

/// Which source of an export an SAE is: what the model's entry says, else what its link says, else the
/// program's own names {model}/{source}. @param ids ModelEntry::descriptions or ModelEntry::pt_descriptions
DescriptionKey description_key(const ModelEntry& entry, const Source& source, std::string ModelEntry::*ids);

}  // namespace saescope
