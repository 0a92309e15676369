#include <sstream>

#include "base/utf8.h"
#include "fuzz_target.h"
#include "report/descriptions.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using saescope::testing::require;
  return saescope::testing::run_fuzz_text(data, size, [](std::string_view text) {
    const saescope::DescriptionKey key = {"m", "1-res"};
    saescope::Descriptions descriptions({key});
    std::istringstream in{std::string(text)};
    saescope::append_descriptions(in, "fuzz.jsonl", descriptions);
    require(!descriptions.others().contains(key));
    for (int64_t feature = 0; feature < 4; ++feature) {
      require(saescope::find_invalid_utf8(descriptions.find(key, feature)) == std::string_view::npos);
    }
  });
}
