#include "engine/model_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/process_memory.h"
#include "ops/encode/encode.h"

namespace saescope {
namespace {

/// Those of a plan's features that an SAE has.
IndexRange features_of(const OpenedSource& source, const RunPlan& plan) {
  return plan.features.intersect({0, source.sae.encoder.dict_size});
}

}  // namespace

uint64_t statistics_bytes(const OpenedModel& model, const RunPlan& plan,
                          const StatisticsSettings& statistics) {
  uint64_t bytes = 0;
  for (const auto& sources : model.layers) {
    for (const OpenedSource& source : sources) {
      const std::size_t all = features_of(source, plan).size();
      for (const TokenPlan& token : source.plan->tokens) {
        bytes += statistics.bytes_for(source.plan->universal ? all : token.features.size());
      }
    }
  }
  return bytes;
}

ModelRun::ModelRun(const OpenedModel& model, const RunPlan& plan, const StatisticsSettings& statistics,
                   Backend& backend, const Context& context)
    : model_(model), plan_(plan), statistics_(statistics), backend_(backend), context_(context) {}

std::vector<SourceAnalysis> ModelRun::wire_layer(std::size_t layer_index, Results& results) {
  std::vector<SourceAnalysis> analyses;
  for (const OpenedSource& source : model_.layers[layer_index]) {
    results.saes[source.plan->source.name()] = {source.sae.files.front()->path().string(),
                                                source.sae.encoder.dict_size};
    SourceAnalysis& analysis = analyses.emplace_back(source, backend_, context_);
    for (const TokenPlan& token : source.plan->tokens) wire_token(source, token, analysis, results);
  }
  return analyses;
}

void ModelRun::wire_token(const OpenedSource& source, const TokenPlan& token, SourceAnalysis& analysis,
                          Results& results) {
  const std::vector<TokenType>& types = model_.prepared.token_types;
  const auto type =
      static_cast<std::size_t>(std::find(types.begin(), types.end(), token.token) - types.begin());
  const SourcePlan& plan = *source.plan;
  if (plan.universal) {
    const IndexRange features = features_of(source, plan_);
    FeatureTable& table = results.tables.add({plan.source, token.token.name, features, statistics_});
    analysis.add_all_features(type, features, table);
  }
  if (token.features.empty() || plan_.features.begin > 0) return;
  std::vector<int64_t> ids;
  for (const WantedFeature& wanted : token.features) ids.push_back(wanted.feature_id);
  FeatureTable* const statistics =
      statistics_.labels != nullptr && !plan.universal
          ? &results.tables.add({plan.source, token.token.name, ids, statistics_})
          : nullptr;
  ChosenActivations& chosen =
      results.chosen.emplace_back(plan.source, token.token.name, std::move(ids), plan_.keep);
  analysis.add_chosen_features(type, chosen, statistics);
}

/// Bytes that the analyses hold besides the forward pass.
uint64_t ModelRun::analysis_bytes(std::size_t prompts_at_once) const {
  constexpr uint64_t kTermsPerFeature = 8;
  uint64_t terms = 0;
  uint64_t scratch = 0;
  const std::size_t types = model_.prepared.token_types.size();
  for (const auto& sources : model_.layers) {
    for (const OpenedSource& source : sources) {
      const EncoderParameters& encoder = source.sae.encoder;
      terms += encoder.dict_size * kTermsPerFeature;
      scratch = std::max<uint64_t>(scratch, encode_bytes(encoder, types * prompts_at_once, backend_));
    }
  }
  return statistics_bytes(model_, plan_, statistics_) + terms + scratch;
}

WaveLimits ModelRun::choose_waves() const {
  constexpr std::size_t kUsualPromptsOfWave = 256;
  const TokenizedPrompts& prompts = model_.prepared.prompts;
  const WaveNeeds needs = {.config = model_.checkpoint.model.config,
                           .compute = compute_type(plan_.compute.dtype),
                           .all_tokens = plan_.keep.all_tokens,
                           .longest_prompt = prompts.longest(),
                           .other_bytes = analysis_bytes(std::min(kUsualPromptsOfWave, prompts.size())),
                           .memory_limit = memory_of_run(plan_.compute),
                           .batch_tokens = plan_.compute.batch_tokens};
  const WaveLimits limits = plan_waves(needs, backend_);
  require_address_space(needs.other_bytes + wave_bytes(needs, limits, prompts.total_tokens(), backend_),
                        context_.threads);
  return limits;
}

/// @return null where the plan wants none
std::unique_ptr<ActivationCache> ModelRun::open_cache() const {
  if (!plan_.compute.cache) return nullptr;
  const DType compute = compute_type(plan_.compute.dtype);
  const ModelConfig& config = model_.checkpoint.model.config;
  const auto folder = activation_cache_folder(
      model_.checkpoint.files,
      {std::string(name_of(compute)), backend_.numerics(compute), fingerprint(config)});
  if (!folder) {
    context_.progress->warn(
        "activations are not cached: this account has no home folder; XDG_CACHE_HOME names another");
    return nullptr;
  }
  return std::make_unique<ActivationCache>(*folder, config.hidden_size, plan_.compute.cache_limit,
                                           *context_.progress);
}

void ModelRun::keep_layer(std::size_t layer_index, LayerWork& work, Results& results) {
  if (!plan_.keep.activations) return;
  const PreparedModel& prepared = model_.prepared;
  for (const TokenType& type : prepared.token_types) {
    work.kept.push_back(&results.activations.emplace_back(
        prepared.plan.entry.name, prepared.plan.layers[layer_index].layer, type.name,
        model_.checkpoint.model.config.hidden_size, plan_.keep.spool_folder));
  }
}

void ModelRun::run(Results& results) {
  const PreparedModel& prepared = model_.prepared;
  const std::string& name = prepared.plan.entry.name;
  results.models.push_back({prepared.plan.entry, prepared.prompts.size(), prepared.left_out,
                            count_labels(*results.labels), prepared.formatter});
  std::vector<LayerWork> work;
  for (std::size_t i = 0; i < model_.layers.size(); ++i) {
    keep_layer(i, work.emplace_back(LayerWork{wire_layer(i, results), {}}), results);
  }
  const StreamSettings settings = {compute_type(plan_.compute.dtype), choose_waves(), plan_.keep.all_tokens};
  const std::unique_ptr<ActivationCache> cache = open_cache();
  WaveStream stream(model_, settings, cache.get(), backend_, context_);
  context_.progress->begin_stage(fmt::format("{}: prompts", name), prepared.prompts.size(),
                                 ProgressUnit::kItems);
  const Stopwatch all;
  const double encoding = encode(stream, stream.layers(), work);
  context_.progress->end_stage();
  results.summary.add_time("forward", all.seconds() - encoding);
  results.summary.add_time("encode", encoding);
  take_notes(stream.counts(), cache != nullptr, results.summary);
}

double ModelRun::encode(ActivationStream& stream, const std::vector<std::size_t>& layers,
                        std::vector<LayerWork>& work) {
  double seconds = 0;
  std::size_t done = 0;
  for (ActivationBatch batch; stream.next(batch);) {
    const Stopwatch watch;
    const auto layer =
        static_cast<std::size_t>(std::find(layers.begin(), layers.end(), batch.layer) - layers.begin());
    for (SourceAnalysis& analysis : work[layer].analyses) analysis.add(batch);
    const std::size_t prompts = batch.prompt_indices.size();
    for (std::size_t type = 0; type < work[layer].kept.size(); ++type) {
      MatrixView<const float> rows = batch.activations;
      rows.data = batch.activations.row(type * prompts);
      rows.rows = prompts;
      work[layer].kept[type]->add(batch.prompt_indices, rows);
    }
    norms_.add(batch);
    model_.require_unchanged();
    seconds += watch.seconds();
    if (layer + 1 == layers.size()) done += batch.prompt_indices.size();
    context_.progress->update(done);
  }
  return seconds;
}

void ModelRun::take_notes(const WaveCounts& counts, bool caches, RunSummary& summary) {
  const PreparedModel& prepared = model_.prepared;
  const std::string& name = prepared.plan.entry.name;
  summary.notes.push_back(
      fmt::format("{}: {} prompts, {} tokens, {} distinct prefixes computed in {} wave{}{}", name,
                  prepared.prompts.size(), prepared.prompts.total_tokens(), counts.computed_nodes,
                  counts.waves, counts.waves == 1 ? "" : "s",
                  counts.cached_prompts == 0
                      ? ""
                      : fmt::format("; {} prompts from the activation cache", counts.cached_prompts)));
  for (const std::string& origin : model_.origins) summary.notes.push_back(origin);
  for (std::string& note : norms_.notes(name)) summary.notes.push_back(std::move(note));
  if (caches && plan_.keep.all_tokens) {
    summary.notes.push_back(
        fmt::format("{}: the activation cache was not read: it does not hold every token", name));
  }
  if (prepared.left_out > 0) {
    summary.notes.push_back(
        fmt::format("{}: {} prompts left out because they are too long", name, prepared.left_out));
  }
}

/// How many prompts of each label are run.
std::vector<uint64_t> ModelRun::count_labels(const Labels& labels) const {
  std::vector<uint64_t> counts(labels.size());
  for (TokenizedPrompts::Reader reader(model_.prepared.prompts); !reader.done(); reader.advance()) {
    ++counts[labels.of_prompts()[reader.current().prompt_idx]];
  }
  return counts;
}

}  // namespace saescope
