#include "app/opened_model.h"

#include <fmt/format.h>

#include "app/model_source.h"
#include "base/error.h"

namespace saescope {
namespace {

void check_dictionary(const EncoderParameters& encoder, const SourcePlan& plan, const ModelConfig& config,
                      const std::vector<RequestedFeature>& features, const std::string& where) {
  if (encoder.activation_dim != config.hidden_size) {
    throw InputError({.what = fmt::format("the SAE of {} was made for another model", plan.source.name()),
                      .where = where,
                      .expected = fmt::format("activations of size {}", config.hidden_size),
                      .found = fmt::format("size {}", encoder.activation_dim)});
  }
  for (const TokenPlan& token : plan.tokens) {
    for (const WantedFeature& wanted : token.features) {
      if (wanted.feature_id >= 0 && static_cast<uint64_t>(wanted.feature_id) < encoder.dict_size) continue;
      throw InputError({.what = fmt::format("no such feature in {}", plan.source.name()),
                        .where = features[wanted.row].place,
                        .expected = fmt::format("feature_id from 0 to {}", encoder.dict_size - 1),
                        .found = std::to_string(wanted.feature_id)});
    }
  }
}

}  // namespace

OpenedModel open_model(PreparedModel prepared, const std::vector<RequestedFeature>& features, Hub& hub,
                       Reporter& reporter) {
  const std::size_t layer_count = prepared.layer_count();
  const std::filesystem::path path = locate_model(prepared.plan.entry, layer_count, hub);
  OpenedModel opened{std::move(prepared), open_checkpoint(path, layer_count), {}};
  for (const LayerPlan& layer : opened.prepared.plan.layers) {
    std::deque<OpenedSource>& sources = opened.layers.emplace_back();
    for (const SourcePlan& plan : layer.sources) {
      const std::filesystem::path folder =
          locate_dictionary(opened.prepared.plan.entry, plan.source, hub, reporter);
      const OpenedSource& source = sources.emplace_back(OpenedSource{&plan, Dictionary(folder)});
      check_dictionary(source.dictionary.encoder(), plan, opened.prepared.config, features, folder.string());
    }
  }
  return opened;
}

}  // namespace saescope
