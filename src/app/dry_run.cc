#include "app/dry_run.h"

#include <fmt/format.h>

#include "app/model_source.h"
#include "app/wave_planner.h"
#include "base/atomic_file.h"
#include "model/prefix_tree.h"
#include "ops/cpu/cpu_backend.h"
#include "report/output_rows.h"

namespace saescope {
namespace {

/// Lines of the plan, and the bytes that would be downloaded and mapped.
class Plan {
 public:
  void line(const std::string& text) { text_ += text + "\n"; }
  void local(const std::filesystem::path& file) {
    const uint64_t size = std::filesystem::file_size(file);
    line(fmt::format("  read      {} ({})", file.string(), format_bytes(size)));
  }
  void remote(Hub& hub, const std::string& repo, const std::string& file) {
    const auto info = hub.settings().offline ? std::nullopt : hub.info(repo, file);
    download_ += info ? info->size : 0;
    line(fmt::format("  download  {}/{} ({})", repo, file, info ? format_bytes(info->size) : "size unknown"));
  }
  std::string finish() { return text_ + fmt::format("to download: {}\n", format_bytes(download_)); }

 private:
  std::string text_;
  uint64_t download_ = 0;
};

void describe_weights(const PreparedModel& model, Hub& hub, Plan& plan) {
  if (model.path.extension() == ".gguf") return plan.local(model.path);
  const ModelEntry& entry = model.plan.entry;
  constexpr const char* kIndex = "model.safetensors.index.json";
  std::optional<std::filesystem::path> index = model.path / kIndex;
  if (!entry.model_is_path) index = hub.cached_file(entry.model, kIndex);
  const auto index_json =
      index && std::filesystem::exists(*index) ? std::optional(read_file(*index)) : std::nullopt;
  for (const std::string& file :
       needed_weight_files(index_json, model.config, model.layer_count(), entry.model)) {
    const auto cached =
        entry.model_is_path ? std::optional(model.path / file) : hub.find_cached(entry.model, file);
    if (cached) {
      plan.local(*cached);
    } else {
      plan.remote(hub, entry.model, file);
    }
  }
}

void describe_sources(const PreparedModel& model, Hub& hub, Plan& plan) {
  const ModelEntry& entry = model.plan.entry;
  for (const LayerPlan& layer : model.plan.layers) {
    for (const SourcePlan& source : layer.sources) {
      const auto folder = find_dictionary(entry, source.source);
      for (const char* name : {"config.json", "ae.pt"}) {
        if (folder) {
          plan.local(*folder / name);
        } else {
          plan.remote(hub, entry.sae, fmt::format("{}/{}", source.sae_folder, name));
        }
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

void describe_model(const PreparedModel& model, const Options& options, const Backend& backend, Hub& hub,
                    Plan& plan) {
  PrefixTree tree;
  for (TokenizedPrompts::Reader prompt(model.prompts); !prompt.done(); prompt.advance()) {
    tree.add(prompt.current().ids);
  }
  plan.line(fmt::format("model {} ({})", model.plan.entry.name, model.plan.entry.model));
  describe_weights(model, hub, plan);
  describe_sources(model, hub, plan);
  const WaveLimits limits =
      plan_waves(model.config, compute_type(options.dtype), backend, memory_of_run(options),
                 options.batch_tokens, model.prompts.longest(), 0, options.all_tokens());
  const uint64_t bytes = wave_bytes(model.config, compute_type(options.dtype), backend, limits, tree.size(),
                                    options.all_tokens());
  plan.line(
      fmt::format("  compute   {} prompts, {} tokens, {} distinct prefixes, layers 0 to {} of {}; "
                  "activations in memory {}",
                  model.prompts.size(), model.prompts.total_tokens(), tree.size(), model.layer_count() - 1,
                  model.config.layers, format_bytes(bytes)));
  if (model.left_out > 0) plan.line(fmt::format("  leave out {} prompts that are too long", model.left_out));
}

}  // namespace

std::string describe_run(const RunInput& input, Hub& hub, const Context& context) {
  Plan plan;
  const CpuBackend backend(context.threads, context.cancel);
  for (const ModelPlan& model : input.selection.models) {
    describe_model(prepare_model(model, input.prompts, input.options, hub, context), input.options, backend,
                   hub, plan);
  }
  const Options& options = input.options;
  for (const NamedFile& output : options.outputs()) plan.line("write " + output.path.string());
  if (options.specific() && options.record_prompts)
    plan.line("write " + active_prompts_path(options.specific_output.string()));
  return plan.finish();
}

}  // namespace saescope
