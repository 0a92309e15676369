#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/model_activations.h"
#include "engine/model_run.h"
#include "engine/table_tensors.h"
#include "golden_files.h"

namespace saescope::testing_support {

/// A run over a tiny model, SAEs at two of its layers and some prompts, in this process, so that a test
/// brings the backend.
class InProcessRun {
 public:
  /// What a stream gave at a layer, one batch behind the other.
  struct Layer {
    std::vector<std::size_t> prompts;
    std::vector<float> activations;
    std::vector<float> tokens;  ///< the activations of all tokens, where they are wanted
    bool operator==(const Layer&) const = default;
  };
  struct Streamed {
    std::map<std::size_t, Layer> layers;
    WaveCounts counts;
  };
  /// The accumulators of every table, by name.
  using Statistics = std::map<std::string, std::vector<std::byte>>;
  struct Encoded {
    Statistics statistics;
    std::string note;  ///< how the activations were come by
  };

  struct Settings {
    int prompts = 24;
    std::filesystem::path store = {};  ///< where activations are kept; empty: nowhere
    uint64_t batch_tokens = 0;         ///< of a wave; 0: all
    bool all_tokens = false;           ///< whether streams give the activations of all tokens
  };
  static constexpr uint64_t kTokensOfThreeWaves = 150;

  InProcessRun() : InProcessRun(Settings{}) {}
  explicit InProcessRun(const Settings& settings) {
    ModelEntry entry;
    entry.name = "tiny";
    entry.model = (goldens() / "tiny/qwen2_bias").string();
    entry.model_is_path = true;
    entry.sae_dir = (goldens() / "pipeline/saes/qwen").string();
    entry.sae_path = "resid_post_layer_{layer}/trainer_{trainer}";
    entry.trainer = "1";
    entry.layers = {1, 2};
    entry.tokens = {{"newline", "\n"}};
    Prompts prompts;
    prompts.begin_file("prompts");
    for (int i = 0; i < settings.prompts; ++i) {
      const int number = i % 20;  // the last ones are copies
      prompts.add(fmt::format("{} times {}{}", number, 7 * number, number % 3 ? "?" : " is what?"), "", 1);
    }
    plan.prompts = std::make_shared<const Prompts>(std::move(prompts));
    plan.models = {plan_all_features(entry)};
    plan.compute = {.dtype = Precision::kFp32,
                    .batch_tokens = settings.batch_tokens,
                    .cache = !settings.store.empty(),
                    .store = settings.store};
    plan.keep.all_tokens = settings.all_tokens;
    model.emplace(open_model(prepare_model(plan.models[0], plan, hub, context), {}, {}, hub, progress));
  }

  /// The activations of all prompts after the first three layers.
  Streamed stream(Backend& backend) {
    model->checkpoint.model.weights.bind_to(backend);
    const ModelActivations activations(*model, plan, 0, backend, context);
    WaveStream stream = activations.stream({model->prepared.prompts, 0, {{0}, {1}, {2}}});
    Streamed streamed;
    for (ActivationBatch batch; stream.next(batch);) {
      Layer& layer = streamed.layers[batch.layer];
      layer.prompts.insert(layer.prompts.end(), batch.prompt_indices.begin(), batch.prompt_indices.end());
      const auto add = [cols = batch.activations.cols](std::vector<float>& all, const float* row) {
        all.insert(all.end(), row, row + cols);
      };
      for (std::size_t r = 0; r < batch.activations.rows; ++r)
        add(layer.activations, batch.activations.row(r));
      for (const std::vector<int32_t>& path : batch.paths) {
        for (const int32_t node : path) add(layer.tokens, batch.nodes.row(static_cast<std::size_t>(node)));
      }
    }
    streamed.counts = stream.counts();
    return streamed;
  }

  /// A whole run, or with a part a task of the stage encode that has everything.
  Encoded encode(Backend& backend, EncodedPart* part = nullptr) {
    model->checkpoint.model.weights.bind_to(backend);
    Results results;
    results.prompts = plan.prompts;
    results.labels = std::make_shared<const Labels>(*plan.prompts);
    const StatisticsSettings statistics = {.activation_threshold = plan.keep.activation_threshold};
    ModelRun run(*model, plan, {}, statistics, backend, context);
    run.wire_tables(results);
    run.encode(ModelActivations(*model, plan, 0, backend, context), part, results);
    Encoded encoded;
    encoded.note = results.summary.notes.front();
    results.tables.for_each([&](FeatureTable& table) {
      TableTensors tensors;
      tensors.add(table);
      for (const auto& [name, view] : tensors.tensors()) {
        const std::size_t bytes = *storage_bytes(view.dtype, element_count(view.shape));
        encoded.statistics[name] = {view.data, view.data + bytes};
      }
    });
    return encoded;
  }

  SilentProgress progress;
  CancelToken cancel;
  Context context{1, &progress, &cancel};
  Hub hub{HubSettings{}, context};
  RunPlan plan;
  std::optional<OpenedModel> model;
};

}  // namespace saescope::testing_support
