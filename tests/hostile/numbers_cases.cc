// Files that are well formed, but whose numbers make activations NaN or infinite: means of such values would
// be wrong without a word. The run stops and says where it happened.
#include <cstring>
#include <limits>

#include "formats/format_testing.h"
#include "hostile/changes.h"
#include "hostile/good_run.h"
#include "hostile/torch_bytes.h"

namespace saescope::hostile {
namespace {

using testing::raw;

/// One float of a tensor of the safetensors file; `begin` is its data_offsets' first.
Change weight(uint64_t begin, float value) {
  return [=](const std::filesystem::path& file) {
    const std::string bytes = slurp(file);
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    bytes_at(static_cast<int64_t>(sizeof header + header + begin), raw(value))(file);
  };
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// In the file's order of model.layers.0.
constexpr uint64_t kEmbedding = 0;
constexpr uint64_t kInputNorm = 49152;
constexpr uint64_t kDown = 49280;
constexpr uint64_t kKey = 73984;
constexpr const char* kPlace = "model tiny, layer 1";

Case broken(const std::string& name, const std::string& file, const Change& change) {
  return {name, file, change, kPlace, "prompt_idx 0", {}, 1};
}

/// The first float of an entry of the SAE's archive.
Change storage(const std::string& name, float value) {
  return [=](const std::filesystem::path& file) {
    const std::string bytes = slurp(file);
    const std::size_t at =
        bytes.find(name);  // in the entry's header, behind the lengths of name and extra field
    uint16_t extra = 0;
    std::memcpy(&extra, bytes.data() + at - sizeof extra, sizeof extra);
    bytes_at(static_cast<int64_t>(at + name.size() + extra), raw(value))(file);
  };
}

}  // namespace

std::vector<Case> numbers_cases() {
  return {
      broken("NanInTheEmbedding", kWeights, weight(kEmbedding + 376 * 32 * 4, kNan)),
      broken("NanInANorm", kWeights, weight(kInputNorm, kNan)),
      broken("NanInAProjection", kWeights, weight(kKey, kNan)),
      broken("InfinityInTheMlp", kWeights, weight(kDown, kInfinity)),
      broken("MinusInfinityInANorm", kWeights, weight(kInputNorm, -kInfinity)),
      broken("NanInTheSaesWeight", kSae, storage("ae/data/4", kNan)),
      broken("NanInTheSaesBias", kSae, storage("ae/data/5", kNan)),
      broken("NanInTheSaesInputBias", kSae, storage("ae/data/0", kNan)),
      broken("InfinityInTheSaesBias", kSae, storage("ae/data/5", kInfinity)),
  };
}

}  // namespace saescope::hostile
