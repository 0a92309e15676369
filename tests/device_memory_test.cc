// What a run does where a device's memory is smaller than it said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "engine/model_activations.h"
#include "golden_files.h"
#include "ops/reference/reference_backend.h"

namespace saescope {
namespace {

using testing_support::goldens;

/// Holds arrays of so many rows.
class SmallDevice final : public ReferenceBackend {
 public:
  explicit SmallDevice(std::size_t rows) : rows_(rows) {}
  Array allocate(std::size_t rows, std::size_t cols, DType dtype) override {
    if (rows > rows_) throw OutOfDeviceMemory("memory", "CUDA out of memory");
    return ReferenceBackend::allocate(rows, cols, dtype);
  }
  void save_memory() override { ++times_saved; }

  int times_saved = 0;

 private:
  std::size_t rows_;
};

/// A tiny model with six prompts, of which the first layers are wanted.
class DeviceMemory : public ::testing::Test {
 protected:
  struct Found {
    std::vector<std::size_t> prompts;  ///< of each layer, one behind the other
    std::vector<float> activations;
    std::size_t waves = 0;
    bool operator==(const Found&) const = default;
  };

  DeviceMemory() {
    ModelEntry entry;
    entry.name = "tiny";
    entry.model = (goldens() / "tiny/qwen2_bias").string();
    entry.model_is_path = true;
    entry.sae_dir = (goldens() / "pipeline/saes/qwen").string();
    entry.sae_path = "resid_post_layer_{layer}/trainer_{trainer}";
    entry.trainer = "1";
    entry.layers = {2};
    entry.tokens = {{"newline", "\n"}};
    Prompts prompts;
    prompts.begin_file("six prompts");
    for (const char* text : {"One two three four five six", "Why is the sky blue?", "Hello!", "Who are you?",
                             "Count to ten.", "Name a colour, and say why."}) {
      prompts.add(text, "", 1);
    }
    plan.prompts = std::make_shared<const Prompts>(std::move(prompts));
    plan.models = {plan_all_features(entry)};
    plan.compute = {.dtype = Precision::kFp32, .cache = false};
    model.emplace(open_model(prepare_model(plan.models[0], plan, hub, context), {}, {}, hub, progress));
  }

  Found run(Backend& backend) {
    const ModelActivations activations(*model, plan, 0, backend, context);
    WaveStream stream = activations.stream({model->prepared.prompts, 0, {{1}, {2}}});
    Found found;
    for (ActivationBatch batch; stream.next(batch);) {
      found.prompts.insert(found.prompts.end(), batch.prompt_indices.begin(), batch.prompt_indices.end());
      for (std::size_t r = 0; r < batch.activations.rows; ++r) {
        const float* const row = batch.activations.row(r);
        found.activations.insert(found.activations.end(), row, row + batch.activations.cols);
      }
    }
    found.waves = stream.counts().waves;
    return found;
  }

  SilentProgress progress;
  CancelToken cancel;
  Context context{1, &progress, &cancel};
  Hub hub{HubSettings{}, context};
  RunPlan plan;
  std::optional<OpenedModel> model;
};

TEST_F(DeviceMemory, AWaveThatDoesNotFitIsHalvedUntilItDoesWithTheSameActivations) {
  ReferenceBackend large;
  const Found whole = run(large);
  ASSERT_EQ(whole.waves, 1u);
  const std::size_t longest = model->prepared.prompts.longest();
  SmallDevice small(longest);
  const Found parts = run(small);
  EXPECT_GT(parts.waves, 2u);
  EXPECT_GT(small.times_saved, 1);
  EXPECT_EQ(progress.warnings.size(), static_cast<std::size_t>(small.times_saved))
      << "one line for each size";
  EXPECT_THAT(*progress.warnings.begin(), ::testing::HasSubstr("going on with"));
  // By layer in whole, by wave and layer in parts: the rows of a layer are in the prompts' order in both.
  std::multiset<float> expected(whole.activations.begin(), whole.activations.end());
  EXPECT_EQ(std::multiset<float>(parts.activations.begin(), parts.activations.end()), expected);
  EXPECT_EQ(parts.prompts.size(), whole.prompts.size()) << "a prompt was given twice, or not at all";
}

TEST_F(DeviceMemory, APromptThatDoesNotFitAloneIsAnErrorWithWhatToDo) {
  SmallDevice tiny(2);
  try {
    run(tiny);
    FAIL() << "did not run out of memory";
  } catch (const OutOfDeviceMemory& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("--batch-tokens"));
  }
}

}  // namespace
}  // namespace saescope
