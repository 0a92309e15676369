#include "engine/model_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/source_share.h"
#include "ops/encode/encode.h"

namespace saescope {
namespace {

/// How many prompts of each label are run.
std::vector<uint64_t> count_labels(const Labels& labels, const TokenizedPrompts& prompts) {
  std::vector<uint64_t> counts(labels.size());
  for (TokenizedPrompts::Reader reader(prompts); !reader.done(); reader.advance()) {
    ++counts[labels.of_prompts()[reader.current().prompt_idx]];
  }
  return counts;
}

}  // namespace

uint64_t statistics_bytes(const OpenedModel& model, Share share, const StatisticsSettings& statistics) {
  uint64_t bytes = 0;
  for (const auto& sources : model.layers) {
    for (const OpenedSource& source : sources) {
      const std::size_t all = share_of_source(source, share, source.sae.encoder.dict_size).size();
      for (const TokenPlan& token : source.plan->tokens) {
        bytes += statistics.bytes_for(source.plan->universal ? all : token.features.size());
      }
    }
  }
  return bytes;
}

bool ModelRun::SourceWork::encodes_all() const {
  return features.size() > 0 && std::any_of(tokens.begin(), tokens.end(),
                                            [](const TokenWork& token) { return token.all != nullptr; });
}

bool ModelRun::SourceWork::is_empty() const {
  return !encodes_all() && std::none_of(tokens.begin(), tokens.end(),
                                        [](const TokenWork& token) { return token.chosen != nullptr; });
}

ModelRun::ModelRun(const OpenedModel& model, const RunPlan& plan, Share share,
                   const StatisticsSettings& statistics, Backend& backend, const Context& context)
    : model_(model),
      plan_(plan),
      share_(share),
      statistics_(statistics),
      backend_(backend),
      context_(context),
      work_(model.layers.size()) {}

void ModelRun::wire_tables(Results& results) {
  for (std::size_t layer = 0; layer < model_.layers.size(); ++layer) {
    for (const OpenedSource& source : model_.layers[layer]) {
      const EncoderParameters& encoder = source.sae.encoder;
      results.saes[source.plan->source.name()] = {source.sae.files.front()->path().string(),
                                                  encoder.dict_size};
      SourceWork& work = work_[layer].sources.emplace_back(
          SourceWork{source, share_of_source(source, share_, encoder.dict_size), {}});
      for (const TokenPlan& token : source.plan->tokens) {
        work.tokens.push_back(wire_token(source, token, results));
      }
    }
  }
}

ModelRun::TokenWork ModelRun::wire_token(const OpenedSource& source, const TokenPlan& token,
                                         Results& results) {
  const std::vector<TokenType>& types = model_.prepared.token_types;
  TokenWork work = {
      static_cast<std::size_t>(std::find(types.begin(), types.end(), token.token) - types.begin())};
  const SourcePlan& plan = *source.plan;
  if (plan.universal) {
    const IndexRange features = share_of_source(source, share_, source.sae.encoder.dict_size);
    work.all = &results.tables.add({plan.source, token.token.name, features, statistics_});
  }
  const IndexRange chosen = share_of_source(source, share_, token.features.size());
  std::vector<int64_t> ids;
  for (std::size_t i = chosen.begin; i < chosen.end; ++i) ids.push_back(token.features[i].feature_id);
  if (statistics_.labels != nullptr && !plan.universal && !token.features.empty()) {
    work.statistics = &results.tables.add({plan.source, token.token.name, ids, statistics_});
  }
  if (ids.empty()) return work;
  work.chosen = &results.chosen.emplace_back(plan.source, token.token.name, std::move(ids), plan_.keep);
  return work;
}

void ModelRun::wire_activations(Results& results) {
  if (!plan_.keep.activations) return;
  const PreparedModel& prepared = model_.prepared;
  for (std::size_t layer = 0; layer < work_.size(); ++layer) {
    for (const TokenType& type : prepared.token_types) {
      work_[layer].kept.push_back(&results.activations.emplace_back(
          prepared.plan.entry.name, prepared.plan.layers[layer].layer, type.name,
          model_.checkpoint.model.config.hidden_size, plan_.keep.spool_folder));
    }
  }
}

bool ModelRun::LayerWork::is_empty() const {
  return kept.empty() && std::all_of(sources.begin(), sources.end(),
                                     [](const SourceWork& source) { return source.is_empty(); });
}

std::vector<std::size_t> ModelRun::layers() const {
  const std::vector<std::size_t> all = layers_of(model_);
  std::vector<std::size_t> layers;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!work_[i].is_empty()) layers.push_back(all[i]);
  }
  return layers;
}

uint64_t ModelRun::analysis_bytes() const {
  constexpr std::size_t kUsualPromptsOfWave = 256;
  constexpr uint64_t kTermsPerFeature = 8;
  uint64_t terms = 0;
  uint64_t scratch = 0;
  const std::size_t types = model_.prepared.token_types.size();
  const std::size_t prompts = std::min(kUsualPromptsOfWave, model_.prepared.prompts.size());
  for (const LayerWork& layer : work_) {
    for (const SourceWork& work : layer.sources) {
      const EncoderParameters& encoder = work.source.sae.encoder;
      terms += encoder.dict_size * kTermsPerFeature;
      scratch = std::max<uint64_t>(scratch, encode_bytes(encoder, types * prompts, backend_));
    }
  }
  return statistics_bytes(model_, share_, statistics_) + terms + scratch;
}

/// What is read of a layer's SAEs, but for those that the device has by now. Chosen features' rows are few
/// and scattered; they are read when they are gathered.
ReadAhead::Step ModelRun::encoder_reads(const LayerWork& layer) {
  ReadAhead::Step step;
  auto analysis = layer.analyses.begin();
  for (const SourceWork& work : layer.sources) {
    if (work.is_empty() || (analysis++)->device_has_encoder()) continue;
    const EncoderParameters& encoder = work.source.sae.encoder;
    if (needs_whole_row(encoder.function)) {
      add_encoder(step, work.source, {0, encoder.dict_size});
    } else if (work.encodes_all()) {
      add_encoder(step, work.source, work.features);
    }
  }
  return step;
}

/// Precondition: the analyses are bound.
std::vector<LayerReads> ModelRun::reads() const {
  const std::vector<std::size_t> all = layers_of(model_);
  std::vector<LayerReads> reads;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const LayerWork& layer = work_[i];
    if (!layer.is_empty()) reads.push_back({all[i], [&layer] { return encoder_reads(layer); }});
  }
  return reads;
}

/// A task's features are pieces of the rows of a transposed matrix: reading around them would read all of it.
void ModelRun::keep_to_shares() {
  for (const LayerWork& layer : work_) {
    for (const SourceWork& work : layer.sources) {
      const TensorView& weight = work.source.sae.encoder.weight;
      if (work.features.size() == work.source.sae.encoder.dict_size || !weight.is_transposed()) continue;
      const auto bytes = storage_bytes(weight.dtype, element_count(weight.shape));
      shares_.emplace_back(std::span(weight.data, static_cast<std::size_t>(*bytes)));
    }
  }
}

void ModelRun::bind_analyses() {
  for (LayerWork& layer : work_) {
    for (const SourceWork& work : layer.sources) {
      if (work.is_empty()) continue;
      SourceAnalysis& analysis = layer.analyses.emplace_back(work.source, backend_, context_);
      for (const TokenWork& token : work.tokens) {
        if (token.all != nullptr && work.features.size() > 0) {
          analysis.add_all_features(token.token_type, work.features, *token.all);
        }
        if (token.chosen != nullptr) {
          analysis.add_chosen_features(token.token_type, *token.chosen, token.statistics);
        }
      }
    }
  }
}

void ModelRun::encode(const ModelActivations& activations, EncodedPart* part, Results& results) {
  const PreparedModel& prepared = model_.prepared;
  const std::size_t first = part == nullptr ? 0 : part->done();
  if (first > 0) part->load(results.tables, norms_);
  bind_analyses();
  keep_to_shares();
  WaveStream stream = activations.stream({prepared.prompts, first, reads()});
  context_.progress->begin_stage(fmt::format("{}: prompts", prepared.plan.entry.name),
                                 prepared.prompts.size(), ProgressUnit::kItems);
  encode_stream(stream, part, results);
  context_.progress->end_stage();
  describe(in_words(stream.counts()), results);
  if (activations.are_kept() && plan_.keep.all_tokens && !activations.keeps_all_tokens()) {
    results.summary.notes.push_back(fmt::format(
        "{}: the activation cache was not read: it does not hold every token", prepared.plan.entry.name));
  }
}

void ModelRun::add(const ActivationBatch& batch) {
  const std::vector<std::size_t> layers = layers_of(model_);
  const auto index = std::find(layers.begin(), layers.end(), batch.layer) - layers.begin();
  LayerWork& work = work_[static_cast<std::size_t>(index)];
  for (SourceAnalysis& analysis : work.analyses) analysis.add(batch);
  const std::size_t prompts = batch.prompt_indices.size();
  for (std::size_t type = 0; type < work.kept.size(); ++type) {
    work.kept[type]->add(batch.prompt_indices, batch.activations.rows_from(type * prompts, prompts));
  }
  norms_.add(batch);
  model_.require_unchanged();
}

void ModelRun::encode_stream(WaveStream& stream, EncodedPart* part, Results& results) {
  const Stopwatch all;
  double encoding = 0;
  context_.progress->update(stream.given_prompts());
  const auto next = [&](ActivationBatch& batch) {
    try {
      return stream.next(batch);
    } catch (const Interrupted&) {
      const std::size_t done = stream.given_prompts();
      const bool finds_more = part != nullptr && !stream.has_begun_prompts() && done > part->done();
      if (finds_more) part->save(done, results, norms_);
      throw;
    }
  };
  for (ActivationBatch batch; next(batch);) {
    const Stopwatch watch;
    {
      // A wave that is encoded to its end can be kept.
      std::optional<CancelToken::Hold> to_the_end;
      if (part != nullptr) to_the_end.emplace(*context_.cancel);
      add(batch);
    }
    encoding += watch.seconds();
    const std::size_t done = stream.given_prompts();
    context_.progress->update(done);
    if (part == nullptr || stream.has_begun_prompts()) continue;
    const bool is_last = done == model_.prepared.prompts.size();
    if (is_last || context_.cancel->requested() || part->is_due()) part->save(done, results, norms_);
  }
  results.summary.add_time("forward", all.seconds() - encoding);
  results.summary.add_time("encode", encoding);
}

void ModelRun::describe(const std::string& how, Results& results) {
  const PreparedModel& prepared = model_.prepared;
  const std::string& name = prepared.plan.entry.name;
  results.models.push_back({prepared.plan.entry, prepared.prompts.size(), prepared.left_out,
                            count_labels(*results.labels, prepared.prompts), prepared.formatter});
  std::vector<std::string>& notes = results.summary.notes;
  notes.push_back(fmt::format("{}: {} prompts, {} tokens, {}", name, prepared.prompts.size(),
                              prepared.prompts.total_tokens(), how));
  for (const std::string& origin : model_.origins) notes.push_back(origin);
  if (plan_.compute.stored == Precision::kBf16) {
    notes.push_back(fmt::format("{}: activations were rounded to bfloat16 before they were encoded", name));
  }
  for (std::string& note : norms_.notes(name)) notes.push_back(std::move(note));
  if (prepared.left_out > 0) {
    notes.push_back(
        fmt::format("{}: {} prompts left out because they are too long", name, prepared.left_out));
  }
}

}  // namespace saescope
