#include "engine/source_share.h"

#include "ops/encode/encoder_parameters.h"

namespace saescope {

IndexRange share_of_source(const OpenedSource& source, Share task, std::size_t size) {
  if (!needs_whole_row(source.sae.encoder.function)) return task.of(size);
  const std::size_t owner = source.turn % task.count;
  return {task.index > owner ? size : 0, task.index >= owner ? size : 0};
}

}  // namespace saescope
