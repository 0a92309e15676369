#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/prompts.h"
#include "app/float_spool.h"
#include "base/atomic_file.h"
#include "report/output_rows.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// Activations of the chosen features of one source at one token type, for every prompt of its model.
class SpecificTable {
 public:
  /// @param features in the order of the features CSV @param folder for the spool files
  /// @param active_above activation above which a feature is active on a prompt
  /// @param all_tokens whether activations at every token are added, too
  SpecificTable(RowOrigin origin, std::vector<int64_t> features, const std::filesystem::path& folder,
                float active_above, bool all_tokens);

  /// Adds consecutive prompts. @param prompt_indices [prompts] @param activations [prompts, features]
  void add(std::span<const std::size_t> prompt_indices, MatrixView<const float> activations);

  /// Adds a feature's activations at the tokens of a prompt on which it is active: prompts in order, then
  /// features. @param activations [tokens]
  void add_tokens(std::span<const float> activations) { token_spool_->append(activations); }
  bool all_tokens() const { return token_spool_.has_value(); }
  bool is_active(float activation) const { return activation > active_above_; }

  const RowOrigin& origin() const { return origin_; }
  std::span<const int64_t> features() const { return features_; }
  uint64_t rows() const { return prompts_.size() * features_.size(); }

  /// Starts reading what add_tokens was given.
  void rewind_tokens() { token_spool_->rewind(); }
  void read_tokens(std::span<float> activations) { token_spool_->read(activations); }

  /// Calls visit(prompt_idx, feature_id, activation) for every pair, prompts first.
  template <typename Visit>
  void for_each(Visit&& visit) {
    std::vector<float> row(features_.size());
    spool_.rewind();
    for (const std::size_t prompt : prompts_) {
      spool_.read(row);
      for (std::size_t i = 0; i < row.size(); ++i) visit(prompt, features_[i], row[i]);
    }
  }

 private:
  RowOrigin origin_;
  std::vector<int64_t> features_;
  std::vector<std::size_t> prompts_;
  float active_above_;
  FloatSpool spool_;
  std::optional<FloatSpool> token_spool_;
};

/// Puts tables in the order of the specific CSV: source, then token type, both as strings.
void sort_tables(std::deque<SpecificTable>& tables);

/// How many lines the specific outputs got.
struct SpecificCounts {
  uint64_t rows = 0;
  uint64_t records = 0;  ///< of the recorded prompts
};

/// Writes the specific CSV from sorted tables and, where `record_threshold` is set, the recorded prompts
/// beside it.
/// @param files receives them, complete; the caller puts them in place
SpecificCounts write_specific_outputs(std::deque<SpecificTable>& tables, const Prompts& prompts,
                                      const std::filesystem::path& csv_path,
                                      std::optional<float> record_threshold, std::deque<AtomicFile>& files);

}  // namespace saescope
