#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "analysis/feature_tables.h"
#include "engine/encoded_part.h"
#include "engine/model_activations.h"
#include "engine/norm_watch.h"
#include "engine/opened_model.h"
#include "engine/results.h"
#include "engine/source_analysis.h"
#include "engine/wave_stream.h"
#include "plan/run_plan.h"

namespace saescope {

/// Bytes of the statistics that a share of a model's analyses holds until the outputs are written.
uint64_t statistics_bytes(const OpenedModel& model, Share share, const StatisticsSettings& statistics);

/// One model's part of a run: the activations of its prompts through the SAEs.
class ModelRun {
 public:
  /// @param share of every SAE's features. All references must outlive this.
  ModelRun(const OpenedModel& model, const RunPlan& plan, Share share, const StatisticsSettings& statistics,
           Backend& backend, const Context& context);

  /// Adds the tables of what is encoded, empty.
  void wire_tables(Results& results);
  /// Adds what keeps the activations themselves, where they are wanted.
  void wire_activations(Results& results);
  /// The layers at which anything was wired, ascending.
  std::vector<std::size_t> layers() const;

  /// Bytes that the analyses hold besides the forward pass.
  uint64_t analysis_bytes() const;

  /// Fills what was wired. @param part where it is kept from time to time, and what was found before comes
  /// from; null: nowhere
  /// @throws RunError where a file was changed meanwhile, where an activation is not finite; Interrupted
  void encode(const ModelActivations& activations, EncodedPart* part, Results& results);

  /// Adds how the model went. @param how where its activations came from, in words
  void describe(const std::string& how, Results& results);
  NormWatch& norms() { return norms_; }

 private:
  /// What is found with one SAE at one token type.
  struct TokenWork {
    std::size_t token_type;
    FeatureTable* all = nullptr;          ///< of the share's features; null: not wanted
    ChosenActivations* chosen = nullptr;  ///< null: not wanted
    FeatureTable* statistics = nullptr;   ///< of the chosen ones; null: not wanted
  };
  struct SourceWork {
    const OpenedSource& source;
    IndexRange features;
    std::vector<TokenWork> tokens;

    bool encodes_all() const;
    bool is_empty() const;
  };
  /// What is done with the activations of a layer.
  struct LayerWork {
    std::vector<SourceWork> sources;
    std::vector<SourceAnalysis> analyses;
    std::vector<KeptActivations*> kept;  ///< of each token type; none where they are not wanted

    bool is_empty() const;
  };
  TokenWork wire_token(const OpenedSource& source, const TokenPlan& token, Results& results);
  std::vector<LayerReads> reads() const;
  static ReadAhead::Step encoder_reads(const LayerWork& layer);
  void keep_to_shares();
  void bind_analyses();
  void add(const ActivationBatch& batch);
  void encode_stream(WaveStream& stream, EncodedPart* part, Results& results);

  const OpenedModel& model_;
  const RunPlan& plan_;
  Share share_;
  const StatisticsSettings& statistics_;
  Backend& backend_;
  const Context& context_;
  std::vector<LayerWork> work_;     ///< parallel to the model's layers
  std::deque<SinglePages> shares_;  ///< of matrices of which others read the rest
  NormWatch norms_;
};

}  // namespace saescope
