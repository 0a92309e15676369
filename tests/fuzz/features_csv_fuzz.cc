#include "input/features_csv.h"

#include "fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    for (const saescope::RequestedFeature& feature : saescope::parse_features_csv(text, "fuzz.csv")) {
      saescope::testing::require(feature.feature_id >= 0 && feature.source.layer >= 0);
      saescope::testing::require(saescope::Source::parse(feature.source.name()) == feature.source);
    }
  });
}
