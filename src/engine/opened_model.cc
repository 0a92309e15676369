#include "engine/opened_model.h"

#include <fmt/format.h>

#include "assets/sae_files.h"
#include "base/error.h"

namespace saescope {
namespace {

void check_encoder(const OpenedSource& source, const ModelConfig& config,
                   const std::vector<RequestedFeature>& requested) {
  const SourcePlan& plan = *source.plan;
  const EncoderParameters& encoder = source.sae.encoder;
  if (encoder.activation_dim != config.hidden_size) {
    throw InputError({.what = fmt::format("the SAE of {} was made for another model", plan.source.name()),
                      .where = source.sae.files.front()->path().parent_path().string(),
                      .expected = fmt::format("activations of size {}", config.hidden_size),
                      .found = fmt::format("size {}", encoder.activation_dim)});
  }
  for (const TokenPlan& token : plan.tokens) {
    for (const WantedFeature& wanted : token.features) {
      if (wanted.feature_id >= 0 && static_cast<uint64_t>(wanted.feature_id) < encoder.dict_size) continue;
      throw InputError({.what = fmt::format("no such feature in {}", plan.source.name()),
                        .where = requested[wanted.row].place,
                        .expected = fmt::format("feature_id from 0 to {}", encoder.dict_size - 1),
                        .found = std::to_string(wanted.feature_id)});
    }
  }
}

}  // namespace

void OpenedModel::require_unchanged() const {
  for (const auto& file : checkpoint.files) file->require_unchanged();
  for (const auto& sources : layers) {
    for (const OpenedSource& source : sources) {
      for (const auto& file : source.sae.files) file->require_unchanged();
    }
  }
}

OpenedModel open_model(PreparedModel prepared, const std::vector<RequestedFeature>& requested, Hub& hub,
                       Progress& progress) {
  OpenedModel opened{std::move(prepared), {}, {}, {}};
  opened.checkpoint = opened.prepared.files->checkpoint(opened.prepared.plan.layer_count());
  for (const LayerPlan& layer : opened.prepared.plan.layers) {
    std::deque<OpenedSource>& sources = opened.layers.emplace_back();
    for (const SourcePlan& plan : layer.sources) {
      const SaeFiles files(opened.prepared.plan.entry, plan.source, hub);
      const OpenedSource& source = sources.emplace_back(OpenedSource{&plan, files.open(progress)});
      check_encoder(source, opened.prepared.files->config(), requested);
    }
  }
  const ModelEntry& entry = opened.prepared.plan.entry;
  const auto note = [&](const std::string& what, const std::string& repo, const std::string& commit) {
    if (!commit.empty()) opened.origins.push_back(fmt::format("{}: {} {} at commit {}", entry.name, what, repo, commit));
  };
  note("model", entry.model, opened.prepared.files->revision());
  if (!entry.sae.empty()) note("SAEs", entry.sae, hub.commit(entry.sae).value_or(""));
  return opened;
}

}  // namespace saescope
