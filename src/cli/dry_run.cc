#include "cli/dry_run.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "assets/sae_files.h"
#include "cli/wanted_descriptions.h"
#include "engine/backend_choice.h"
#include "engine/prepared_model.h"
#include "engine/wave_planner.h"
#include "model/prefix_tree.h"
#include "output/output_rows.h"

namespace saescope {
namespace {

/// Lines of the plan, and the bytes that would be downloaded and mapped.
class Plan {
 public:
  void line(const std::string& text) { text_ += text + "\n"; }
  void file(Hub& hub, const FileNeed& need) {
    if (need.path) {
      const uint64_t size = std::filesystem::file_size(*need.path);
      return line(fmt::format("  read      {} ({})", need.path->string(), format_bytes(size)));
    }
    const auto info = hub.settings().offline ? std::nullopt : hub.info(need.repo, need.file);
    const auto size = info ? info->size : std::nullopt;
    download_ += size.value_or(0);
    line(fmt::format("  download  {}/{} ({})", need.repo, need.file,
                     size ? format_bytes(*size) : "size unknown"));
  }
  std::string finish() { return text_ + fmt::format("to download: {}\n", format_bytes(download_)); }

 private:
  std::string text_;
  uint64_t download_ = 0;
};

void describe_sources(const PreparedModel& model, Hub& hub, Plan& plan) {
  for (const LayerPlan& layer : model.plan.layers) {
    for (const SourcePlan& source : layer.sources) {
      for (const FileNeed& need : SaeFiles(model.plan.entry, source.source, hub).needed()) {
        plan.file(hub, need);
      }
      std::string tokens;
      std::size_t features = 0;
      for (const TokenPlan& token : source.tokens) {
        tokens += (tokens.empty() ? "" : ", ") + token.token.name;
        features += token.features.size();
      }
      plan.line(fmt::format(
          "  analyse   {} at {}: {}{}", source.source.name(), tokens, source.universal ? "all features" : "",
          features > 0 ? fmt::format("{}{} chosen features", source.universal ? " and " : "", features)
                       : ""));
    }
  }
}

/// @param rows distinct prefixes whose activations are kept
void describe_store(const PreparedModel& model, const RunPlan& run, std::size_t rows, Plan& plan) {
  const DType dtype = compute_type(run.compute.stored);
  const std::size_t layers = model.plan.layers.size();
  const uint64_t bytes = *storage_bytes(dtype, uint64_t{rows} * layers * model.files->config().hidden_size);
  plan.line(fmt::format("  store     {} rows at {} layer{} in {}: {}", rows, layers, layers == 1 ? "" : "s",
                        name_of(dtype), format_bytes(bytes)));
}

void describe_model(const PreparedModel& model, const RunPlan& run, const Backend& backend, Hub& hub,
                    Plan& plan) {
  PrefixTree tree;
  std::set<int32_t> tapped;
  std::vector<int32_t> path;
  for (TokenizedPrompts::Reader prompt(model.prompts); !prompt.done(); prompt.advance()) {
    tree.add(prompt.current().ids, &path);
    for (const int32_t tap : prompt.current().taps) tapped.insert(path[static_cast<std::size_t>(tap)]);
  }
  const std::size_t layers = model.plan.layer_count();
  plan.line(fmt::format("model {} ({})", model.plan.entry.name, model.plan.entry.model));
  for (const FileNeed& need : model.files->needed(layers)) plan.file(hub, need);
  describe_sources(model, hub, plan);
  const WaveNeeds needs = {.config = model.files->config(),
                           .compute = compute_type(run.compute.dtype),
                           .all_tokens = run.keep.all_tokens,
                           .longest_prompt = model.prompts.longest(),
                           .memory = memory_of_waves(run.compute, 0, backend),
                           .batch_tokens = run.compute.batch_tokens};
  const uint64_t bytes = wave_bytes(needs, plan_waves(needs, backend), tree.size(), backend);
  plan.line(
      fmt::format("  compute   {} prompts, {} tokens, {} distinct prefixes, layers 0 to {} of {}; "
                  "activations in memory {}",
                  model.prompts.size(), model.prompts.total_tokens(), tree.size(), layers - 1,
                  needs.config.layers, format_bytes(bytes)));
  if (!run.compute.store.empty() || run.task.stage != Stage::kWhole) {
    describe_store(model, run, run.keep.all_tokens ? tree.size() : tapped.size(), plan);
  }
  if (model.left_out > 0) plan.line(fmt::format("  leave out {} prompts that are too long", model.left_out));
}

void describe_explanations(const std::filesystem::path& option, std::string ModelEntry::*ids,
                           const RunPlan& run, const DescriptionExports& exports, Progress& progress,
                           Plan& plan) {
  if (option.empty()) return;
  if (option != kFetchedDescriptions) return plan.line("read      " + option.string());
  for (const auto& [model, source] : fetched_sources(run.models, ids, progress)) {
    plan.line(
        exports.is_complete(model, source)
            ? fmt::format("read      {}", exports.folder_of(model, source).string())
            : fmt::format("download  {} and further batches (size unknown)", exports.url_of(model, source)));
  }
}

}  // namespace

std::string describe_run(const RunRequest& request, const Options& options, Hub& hub,
                         const DescriptionExports& exports, const Context& context) {
  Plan plan;
  const RunPlan& run = request.plan;
  const std::unique_ptr<Backend> backend = make_backend(run.compute.device, context);
  for (const ModelPlan& model : run.models) {
    describe_model(prepare_model(model, run, hub, context), run, *backend, hub, plan);
  }
  if (options.describes()) {
    describe_explanations(options.descriptions, &ModelEntry::descriptions, run, exports, *context.progress,
                          plan);
    describe_explanations(options.pt_descriptions, &ModelEntry::pt_descriptions, run, exports,
                          *context.progress, plan);
  }
  if (options.task) {
    plan.line(
        fmt::format("task {} of {}: a share of the above", options.task->index + 1, options.task->count));
  }
  for (const NamedFile& output : options.outputs()) plan.line("write " + output.path.string());
  return plan.finish();
}

}  // namespace saescope
