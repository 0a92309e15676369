#include "input/descriptions.h"

#include <istream>
#include <sstream>

#include "base/utf8.h"
#include "fuzz_target.h"
#include "input/gunzip.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using saescope::testing::require;
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    const saescope::DescriptionKey wanted = {"m", "0-s"};
    saescope::Descriptions descriptions({wanted});
    std::stringbuf packed{std::string(text)};
    saescope::GunzipBuffer unpacked(packed, "fuzz.jsonl.gz");
    std::istream in(&unpacked);
    const uint64_t count = saescope::append_descriptions(in, "fuzz.jsonl.gz", descriptions);
    require(count == descriptions.matched() + descriptions.empty() + descriptions.skipped());
    uint64_t skipped = 0;
    for (const auto& [source, number] : descriptions.skipped_sources()) {
      require(source != wanted && number > 0);
      skipped += number;
    }
    require(skipped <= descriptions.skipped());
    require(descriptions.described_features(wanted) <= descriptions.matched());
    for (int64_t feature = 0; feature < 16; ++feature) {
      const std::string description = descriptions.text(wanted, feature);
      require(saescope::find_invalid_utf8(description) == std::string_view::npos);
      require(description.empty() || descriptions.described_features(wanted) > 0);
    }
  });
}
