#include "app/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>

#include "app/opened_model.h"
#include "app/outputs.h"
#include "app/run_results.h"
#include "app/source_analysis.h"
#include "app/wave_runner.h"
#include "base/address_space.h"
#include "base/error.h"
#include "base/heap.h"
#include "base/usable_resources.h"
#include "ops/checked_backend.h"
#include "ops/cpu/cpu_backend.h"

namespace saescope {
namespace {

constexpr uint64_t kActivationCacheLimit = uint64_t{8} << 30;

/// Debug builds compare every operator with its definition while they run.
std::unique_ptr<Backend> make_backend(const Context& context) {
  auto cpu = std::make_unique<CpuBackend>(context.threads, context.cancel);
#ifdef NDEBUG
  return cpu;
#else
  return std::make_unique<CheckedBackend>(std::move(cpu));
#endif
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// The analyses of every SAE of a layer, wired to where their results go.
std::vector<SourceAnalysis> wire_layer(const OpenedModel& model, std::size_t layer_index,
                                       const Options& options, Backend& backend, const Context& context,
                                       RunResults& results) {
  std::vector<SourceAnalysis> analyses;
  const std::vector<TokenType>& types = model.prepared.token_types;
  for (const OpenedSource& source : model.layers[layer_index]) {
    results.sae_of_source[source.plan->source.name()] = {source.dictionary.file().path().string(),
                                                         source.dictionary.encoder().dict_size};
    SourceAnalysis& analysis =
        analyses.emplace_back(source.plan->source, source.dictionary, backend, context);
    for (const TokenPlan& token : source.plan->tokens) {
      const auto type =
          static_cast<std::size_t>(std::find(types.begin(), types.end(), token.token) - types.begin());
      const RowOrigin origin = {source.plan->source, token.token.name, model.prepared.plan.entry.link};
      if (source.plan->universal) {
        const std::size_t features = source.dictionary.encoder().dict_size;
        analysis.add_all_features(type, results.tables.at(origin.source, origin.token, features));
      }
      if (token.features.empty()) continue;
      std::vector<int64_t> ids;
      for (const WantedFeature& wanted : token.features) ids.push_back(wanted.feature_id);
      FeatureTable* const chosen = options.gathers() && !source.plan->universal
                                       ? &results.tables.at(origin.source, origin.token, ids.size(), ids)
                                       : nullptr;
      analysis.add_chosen_features(
          type,
          results.specific.emplace_back(origin, std::move(ids), folder_of(options.specific_output),
                                        options.activation_threshold, options.all_tokens()),
          chosen);
    }
  }
  return analyses;
}

/// Bytes of the statistics that a model's analyses hold until the outputs are written.
uint64_t statistics_bytes(const OpenedModel& model, const Gathering& gathering) {
  uint64_t bytes = 0;
  for (const auto& sources : model.layers) {
    for (const OpenedSource& source : sources) {
      const std::size_t all = source.dictionary.encoder().dict_size;
      for (const TokenPlan& token : source.plan->tokens) {
        bytes += gathering.bytes_for(source.plan->universal ? all : token.features.size());
      }
    }
  }
  return bytes;
}

/// Bytes that the analyses of a model hold besides the forward pass.
uint64_t analysis_bytes(const OpenedModel& model, const Gathering& gathering, std::size_t prompts_at_once,
                        int threads) {
  constexpr uint64_t kTermsPerFeature = 8;
  uint64_t terms = 0;
  uint64_t scratch = 0;
  const std::size_t types = model.prepared.token_types.size();
  for (const auto& sources : model.layers) {
    for (const OpenedSource& source : sources) {
      const EncoderParameters& encoder = source.dictionary.encoder();
      terms += encoder.dict_size * kTermsPerFeature;
      scratch = std::max<uint64_t>(scratch, Encoder::bytes_for(encoder, types * prompts_at_once, threads));
    }
  }
  return statistics_bytes(model, gathering) + terms + scratch;
}

/// Statistics by label grow with the number of labels, which is a matter of the prompts.
/// @throws InputError where they do not fit into the memory that this process may use
void require_room_for_labels(const std::deque<OpenedModel>& models, const RunInput& input,
                             const Gathering& gathering) {
  uint64_t bytes = 0;
  for (const OpenedModel& model : models) bytes += statistics_bytes(model, gathering);
  if (gathering.labels == nullptr || bytes <= usable_memory()) return;
  throw InputError(
      {.what = fmt::format("the statistics of {} labels do not fit into memory", gathering.labels->size()),
       .where = input.options.prompts_path.string(),
       .expected = "at most " + format_bytes(usable_memory()),
       .found = format_bytes(bytes),
       .hint = "use fewer labels, layers or token types, or leave out --contrast-output and --report"});
}

/// How the prompts are cut into waves. @throws RunError where the address space does not hold one
WaveLimits plan_model_waves(const OpenedModel& model, const Options& options, const Gathering& gathering,
                            const Backend& backend, const Context& context) {
  constexpr std::size_t kUsualPromptsOfWave = 256;
  const PreparedModel& prepared = model.prepared;
  const DType compute = compute_type(options.dtype);
  const uint64_t other_bytes = analysis_bytes(
      model, gathering, std::min(kUsualPromptsOfWave, prepared.prompts.size()), context.threads);
  const WaveLimits limits =
      plan_waves(prepared.config, compute, backend, memory_of_run(options), options.batch_tokens,
                 prepared.prompts.longest(), other_bytes, options.all_tokens());
  require_address_space(other_bytes + wave_bytes(prepared.config, compute, backend, limits,
                                                 prepared.prompts.total_tokens(), options.all_tokens()),
                        context.threads);
  return limits;
}

/// @return null with --no-cache
std::unique_ptr<ActivationCache> open_cache(const OpenedModel& model, const Options& options,
                                            const Backend& backend, const Context& context) {
  if (!options.cache) return nullptr;
  const DType compute = compute_type(options.dtype);
  return std::make_unique<ActivationCache>(
      activation_cache_folder(model.checkpoint.files(), name_of(compute), backend.numerics(compute)),
      model.prepared.config.hidden_size, kActivationCacheLimit, *context.reporter);
}

/// Weights and SAEs are read from the files where they lie; a file that somebody writes to gives wrong
/// numbers.
void require_unchanged(const OpenedModel& model) {
  for (const MappedFile& file : model.checkpoint.files()) file.require_unchanged();
  for (const auto& sources : model.layers) {
    for (const OpenedSource& source : sources) source.dictionary.file().require_unchanged();
  }
}

std::string describe_waves(const PreparedModel& prepared, const WaveCounts& counts) {
  std::string text =
      fmt::format("{}: {} prompts, {} tokens, {} distinct prefixes computed in {} wave{}",
                  prepared.plan.entry.name, prepared.prompts.size(), prepared.prompts.total_tokens(),
                  counts.computed_nodes, counts.waves, counts.waves == 1 ? "" : "s");
  if (counts.cached_prompts > 0)
    text += fmt::format("; {} prompts from the activation cache", counts.cached_prompts);
  return text;
}

/// How many prompts of each label were run.
std::vector<uint64_t> count_labels(const PreparedModel& model, const Labels& labels) {
  std::vector<uint64_t> counts(labels.size());
  for (TokenizedPrompts::Reader reader(model.prompts); !reader.done(); reader.advance()) {
    ++counts[labels.of_prompts()[reader.current().prompt_idx]];
  }
  return counts;
}

void run_model(const OpenedModel& model, const Options& options, const Gathering& gathering, Backend& backend,
               const Context& context, RunResults& results, RunReport& report) {
  std::vector<std::vector<SourceAnalysis>> analyses;
  std::vector<std::size_t> layers;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    analyses.push_back(wire_layer(model, i, options, backend, context, results));
    layers.push_back(static_cast<std::size_t>(model.prepared.plan.layers[i].layer));
  }
  const PreparedModel& prepared = model.prepared;
  const std::string& name = prepared.plan.entry.name;
  const WaveLimits limits = plan_model_waves(model, options, gathering, backend, context);
  const std::unique_ptr<ActivationCache> cache = open_cache(model, options, backend, context);
  WaveReadAhead read_ahead(model);
  WaveRunner runner(model.checkpoint.model(), backend, context, compute_type(options.dtype), limits, layers,
                    cache.get(), read_ahead, name, options.all_tokens());

  double encoding = 0;
  const Stopwatch all;
  context.reporter->begin_stage(fmt::format("{}: prompts", name), prepared.prompts.size(),
                                ProgressUnit::kItems);
  std::size_t done = 0;
  runner.run(prepared.prompts, [&](const ActivationBatch& batch) {
    const Stopwatch watch;
    const auto layer =
        static_cast<std::size_t>(std::find(layers.begin(), layers.end(), batch.layer) - layers.begin());
    for (SourceAnalysis& analysis : analyses[layer]) analysis.add(batch);
    require_unchanged(model);
    encoding += watch.seconds();
    if (layer + 1 == layers.size()) done += batch.prompt_indices.size();
    context.reporter->update(done);
  });
  context.reporter->end_stage();
  report.add_time("forward", all.seconds() - encoding);
  report.add_time("encode", encoding);
  report.notes.push_back(describe_waves(prepared, runner.counts()));
  if (cache && options.all_tokens()) {
    report.notes.push_back(
        fmt::format("{}: the activation cache was not read: it does not hold every token", name));
  }
  if (prepared.left_out > 0) {
    report.notes.push_back(
        fmt::format("{}: {} prompts left out because they are too long", name, prepared.left_out));
  }
}

}  // namespace

RunReport run_analyses(const RunInput& input, Hub& hub, const Context& context) {
  RunReport report;
  const Stopwatch preparing;
  check_outputs(input.options);
  std::deque<OpenedModel> models;
  for (const ModelPlan& plan : input.selection.models) {
    PreparedModel prepared = prepare_model(plan, input.prompts, input.options, hub, context);
    models.push_back(open_model(std::move(prepared), input.features, hub, *context.reporter));
  }
  const std::unique_ptr<Backend> backend = make_backend(context);
  trim_heap();  // tokenizers and lists that grew
  report.add_time("prepare", preparing.seconds());
  report.device = backend->description();

  const Gathering gathering = {.activation_threshold = input.options.activation_threshold,
                               .labels = input.options.gathers() ? &input.labels : nullptr,
                               .details = !input.options.report.empty()};
  require_room_for_labels(models, input, gathering);
  RunResults results(gathering);
  for (const OpenedModel& model : models) {
    results.models[model.prepared.plan.entry.name] = {&model.prepared,
                                                      count_labels(model.prepared, input.labels)};
    run_model(model, input.options, gathering, *backend, context, results, report);
  }

  if (input.options.cache) trim_activation_cache(kActivationCacheLimit, *context.reporter);

  write_outputs(results, input, report);
  return report;
}

}  // namespace saescope
