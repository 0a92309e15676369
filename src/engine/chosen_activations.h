#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/sources.h"
#include "engine/float_spool.h"
#include "plan/run_plan.h"
#include "tensor/tensor_view.h"

namespace saescope {

/// Activations of the requested features of one source at one token type, for every prompt of its model.
class ChosenActivations {
 public:
  /// @param features in the order in which they were requested
  /// @param settings its activation threshold, whether activations at every token are added, too, and where
  ///        they are set aside
  ChosenActivations(Source source, std::string token, std::vector<int64_t> features,
                    const ResultSettings& settings);

  /// Adds consecutive prompts. @param prompt_indices [prompts] @param activations [prompts, features]
  void add(std::span<const std::size_t> prompt_indices, MatrixView<const float> activations);

  /// Adds a feature's activations at the tokens of a prompt on which it is active: prompts in order, then
  /// features. @param activations [tokens]
  void add_tokens(std::span<const float> activations) { token_spool_->append(activations); }
  bool all_tokens() const { return token_spool_.has_value(); }
  bool is_active(float activation) const { return activation > active_above_; }

  const Source& source() const { return source_; }
  const std::string& token() const { return token_; }
  std::span<const int64_t> features() const { return features_; }
  uint64_t rows() const { return prompts_.size() * features_.size(); }

  std::string name() const { return source_.name() + "/" + token_; }

  /// What was added, as it is set aside: [prompts, features], and the activations at tokens (null: not
  /// wanted).
  FloatSpool& values() { return spool_; }
  FloatSpool* token_values() { return token_spool_ ? &*token_spool_ : nullptr; }
  std::size_t prompts() const { return prompts_.size(); }
  /// Takes everything out that was added.
  void clear();

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
  Source source_;
  std::string token_;
  std::vector<int64_t> features_;
  std::vector<std::size_t> prompts_;
  float active_above_;
  FloatSpool spool_;
  std::optional<FloatSpool> token_spool_;
};

/// Puts them in the order of the CSV files: source, then token type, both as strings.
void sort_by_source(std::deque<ChosenActivations>& chosen);

}  // namespace saescope
