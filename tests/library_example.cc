// The library without a command line: which features of an SAE are active on three prompts, asked from code.
// No flag, no file of configuration, no output. Arguments: a model's folder, and the folder below which its
// SAE lies.
#include <cstdio>

#include "engine/analyze.h"

int main(int, char** arguments) {
  using namespace saescope;
  ModelEntry entry;
  entry.name = "tiny";
  entry.model = arguments[1];
  entry.model_is_path = true;
  entry.sae_dir = arguments[2];
  entry.sae_path = "resid_post_layer_{layer}/trainer_{trainer}";
  entry.trainer = "1";
  entry.layers = {2};
  entry.tokens = {{"newline", "\n"}};

  Prompts prompts;
  prompts.begin_file("three prompts");
  for (const char* text : {"Hello!", "Who are you?", "Count to ten."}) prompts.add(text, "", 1);
  RunPlan plan;
  plan.prompts = std::make_shared<const Prompts>(std::move(prompts));
  plan.models = {plan_all_features(entry)};
  plan.compute = {.dtype = Precision::kFp32, .cache = false};

  SilentProgress progress;
  const CancelToken cancel;
  const Context context = {.threads = 1, .progress = &progress, .cancel = &cancel};
  Hub hub(HubSettings{}, context);
  const Results results = analyze(plan, hub, context);
  for (const FeatureSummary& feature :
       results.tables.at({"tiny", "1", 2}, "newline").statistics().finish(results.prompts->size(), 0.5)) {
    std::printf("%lld %.9g\n", static_cast<long long>(feature.feature_id), feature.activation_mean);
  }
}
