#include "engine/source_share.h"

#include <algorithm>

#include "ops/encode/encoder_parameters.h"

namespace saescope {
namespace {

/// Products for each prompt.
uint64_t work_of(const OpenedSource& source) {
  const EncoderParameters& encoder = source.sae.encoder;
  const bool all = source.plan->universal || needs_whole_row(encoder.function);
  uint64_t features = 0;
  for (const TokenPlan& token : source.plan->tokens) {
    features += all ? encoder.dict_size : token.features.size();
  }
  return std::max<uint64_t>(1, features * encoder.activation_dim);
}

template <typename Visit>
void for_each_source(std::deque<OpenedModel>& models, Visit&& visit) {
  for (OpenedModel& model : models) {
    for (auto& sources : model.layers) {
      for (OpenedSource& source : sources) visit(source);
    }
  }
}

}  // namespace

void place_in_work(std::deque<OpenedModel>& models) {
  uint64_t total = 0;
  for_each_source(models, [&](OpenedSource& source) {
    const uint64_t begin = total;
    total += work_of(source);
    source.work = {begin, total, 0};
  });
  for_each_source(models, [&](OpenedSource& source) { source.work.total = total; });
}

IndexRange share_of_source(const OpenedSource& source, Share task, std::size_t size) {
  const auto& [begin, end, total] = source.work;
  const IndexRange piece = task.of(total);
  if (needs_whole_row(source.sae.encoder.function)) {
    const uint64_t middle = begin + (end - begin) / 2;
    return {middle < piece.begin ? size : 0, middle < piece.end ? size : 0};
  }
  const auto position = [&, first = begin, last = end](uint64_t at) {
    return static_cast<std::size_t>(size * (std::clamp(at, first, last) - first) / (last - first));
  };
  return {position(piece.begin), position(piece.end)};
}

}  // namespace saescope
