#include "engine/results.h"

#include <algorithm>
#include <utility>

namespace saescope {

const ModelResults& Results::model(const std::string& name) const {
  return *std::find_if(models.begin(), models.end(),
                       [&](const ModelResults& model) { return model.entry.name == name; });
}

void Results::append(Results&& next) {
  tables.append(std::move(next.tables));
  summary.append(std::move(next.summary));
}

}  // namespace saescope
