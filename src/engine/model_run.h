#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/feature_tables.h"
#include "engine/activation_cache.h"
#include "engine/norm_watch.h"
#include "engine/opened_model.h"
#include "engine/results.h"
#include "engine/source_analysis.h"
#include "engine/wave_planner.h"
#include "engine/wave_stream.h"
#include "plan/run_plan.h"

namespace saescope {

/// Bytes of the statistics that a model's analyses hold until the outputs are written.
uint64_t statistics_bytes(const OpenedModel& model, const RunPlan& plan,
                          const StatisticsSettings& statistics);

/// One model's part of a run: its prompts through the model, its activations through the SAEs.
class ModelRun {
 public:
  /// All must outlive this.
  ModelRun(const OpenedModel& model, const RunPlan& plan, const StatisticsSettings& statistics,
           Backend& backend, const Context& context);

  /// Adds what is found. @throws RunError where the address space does not hold the waves, where a file was
  /// changed meanwhile, where an activation is not finite; Interrupted
  void run(Results& results);

 private:
  /// The analyses of every SAE of a layer, wired to where their results go.
  std::vector<SourceAnalysis> wire_layer(std::size_t layer_index, Results& results);
  void wire_token(const OpenedSource& source, const TokenPlan& token, SourceAnalysis& analysis,
                  Results& results);
  uint64_t analysis_bytes(std::size_t prompts_at_once) const;
  WaveLimits choose_waves() const;
  std::unique_ptr<ActivationCache> open_cache() const;
  /// What is done with the activations of a layer.
  struct LayerWork {
    std::vector<SourceAnalysis> analyses;
    std::vector<KeptActivations*> kept;  ///< of each token type; none where they are not wanted
  };
  void keep_layer(std::size_t layer_index, LayerWork& work, Results& results);
  /// Encodes what the stream brings. @return seconds that this took
  double encode(ActivationStream& stream, const std::vector<std::size_t>& layers,
                std::vector<LayerWork>& work);
  void take_notes(const WaveCounts& counts, bool caches, RunSummary& summary);
  std::vector<uint64_t> count_labels(const Labels& labels) const;

  const OpenedModel& model_;
  const RunPlan& plan_;
  const StatisticsSettings& statistics_;
  Backend& backend_;
  const Context& context_;
  NormWatch norms_;
};

}  // namespace saescope
