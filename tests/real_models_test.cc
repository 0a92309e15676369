// Real models against transformers on the same file: rendered text, ids, activations at the tapped positions.
// Their files are not part of the repository: tools/fetch_demo_model.sh and tools/fetch_gemma3.sh put them
// where this test looks.
#include <gtest/gtest.h>

#include <map>

#include "assets/gguf_model.h"
#include "golden_files.h"
#include "model/forward.h"
#include "test_device.h"

namespace saescope {
namespace {

using testing_support::goldens;
using testing_support::GoldenTensors;
using testing_support::read_json;
using testing_support::RelativeError;

/// A model, its goldens, and how it was asked for them.
struct RealModel {
  const char* name;
  std::filesystem::path file;
  const char* folder;         ///< below tests/goldens
  std::size_t taps;           ///< so many last positions of each prompt
  std::size_t prompts;        ///< of the check in float32
  std::string chat_template;  ///< empty: the file's own
};

std::ostream& operator<<(std::ostream& out, const RealModel& model) { return out << model.name; }

class RealModelTest : public testing::TestWithParam<RealModel> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(GetParam().file)) {
      GTEST_SKIP() << "NOT TESTED: " << GetParam().file << " is missing; make test-data fetches it";
    }
    ModelEntry entry;
    entry.name = GetParam().name;
    entry.model = GetParam().file.string();
    entry.model_is_path = true;
    entry.chat_template = GetParam().chat_template;
    files = open_gguf_model(entry, progress);
  }

  nlohmann::json golden(const char* file) const { return read_json(goldens() / GetParam().folder / file); }

  /// By layer, of the first prompts, over their tapped positions.
  std::map<std::size_t, double> errors(DType compute, std::size_t count) {
    const auto whole = golden("prompts.json");
    const auto layers = whole["layers"].get<std::vector<std::size_t>>();
    const GoldenTensors expected(goldens() / GetParam().folder / "activations.safetensors");
    const Checkpoint checkpoint = files->checkpoint(layers.back() + 1, {});
    const auto device = testing_support::make_test_backend();
    Backend& backend = *device;
    PrefixTree tree;
    std::vector<int32_t> taps;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<int32_t> nodes;
      tree.add(whole["prompts"][i]["ids"].get<std::vector<TokenId>>(), &nodes);
      taps.insert(taps.end(), nodes.end() - static_cast<std::ptrdiff_t>(GetParam().taps), nodes.end());
    }
    Forward forward(checkpoint.model, backend, context, compute, 512);
    forward.begin(tree, {layers, taps});
    std::map<std::size_t, double> errors;
    while (const auto tapped = forward.next([](std::size_t) {})) {
      auto wanted = expected.rows("layer_" + std::to_string(tapped->layer));
      wanted.rows = tapped->rows.rows;
      RelativeError sum;
      sum.add(tapped->rows, wanted);
      errors[tapped->layer] = sum.value();
      if (tapped->layer == layers.back()) break;
    }
    return errors;
  }

  SilentProgress progress;
  CancelToken cancel;
  Context context{2, &progress, &cancel};
  std::unique_ptr<ModelFiles> files;
};

TEST_P(RealModelTest, TextAndIdsEqualTransformers) {
  const ChatFormatter formatter = files->formatter();
  const auto prompts = golden("prompts.json")["prompts"];
  for (const auto& prompt : prompts) {
    const FormattedPrompt formatted = formatter.format(prompt["content"].get<std::string>());
    if (prompt.contains("text")) {
      EXPECT_EQ(formatted.text, prompt["text"].get<std::string>());
    }
    EXPECT_EQ(formatted.ids, prompt["ids"].get<std::vector<TokenId>>());
  }
}

TEST_P(RealModelTest, Fp32ActivationsAreWithin1e4OfTransformers) {
  const auto found = errors(DType::kF32, GetParam().prompts);
  EXPECT_GE(found.size(), 2u);
  for (const auto& [layer, error] : found) EXPECT_LT(error, 1e-4) << "layer " << layer;
}

TEST_P(RealModelTest, Bf16ErrorIsAtMostHalfOfTransformersBf16) {
  const auto theirs = golden("bf16_error.json");
  const auto found = errors(DType::kBF16, theirs["prompts"]);
  EXPECT_GE(found.size(), 2u);
  for (const auto& [layer, error] : found) {
    const std::string name = std::to_string(layer);
    RecordProperty("layer_" + name, std::to_string(error));
    const auto& their = theirs["layers"][name];
    EXPECT_LE(error, 0.5 * (their.is_object() ? their["taps"] : their).get<double>()) << "layer " << layer;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, RealModelTest,
                         testing::Values(RealModel{"SmolLM2", testing_support::demo_model(), "smollm2", 2, 12,
                                                   ""},
                                         RealModel{"Gemma3", testing_support::gemma3_model(), "gemma3", 1, 13,
                                                   "{{ bos_token }}{{ messages[0]['content'] }}"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace saescope
