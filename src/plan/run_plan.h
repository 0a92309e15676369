#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "analysis/prompts.h"
#include "base/index_range.h"
#include "plan/model_plan.h"
#include "plan/requested_feature.h"

namespace saescope {

/// What the model's matrix products are rounded to; residual stream and sums are float32.
enum class Precision { kBf16, kFp32 };
enum class DeviceChoice { kAuto, kCpu, kCuda };

/// Which prompts are too long.
struct PromptLimits {
  uint64_t max_tokens = 0;  ///< 0: the model's context
  bool skip_long = false;   ///< longer ones are left out; else they are errors
};

/// How a run computes. What it finds does not depend on any of these but `dtype`.
struct ComputeSettings {
  Precision dtype = Precision::kBf16;
  DeviceChoice device = DeviceChoice::kAuto;
  uint64_t memory_limit = 0;                 ///< bytes; 0: the memory that the process may use
  uint64_t batch_tokens = 0;                 ///< tokens of a wave; 0: chosen by the program
  bool cache = true;                         ///< whether activations are kept for later runs
  uint64_t cache_limit = uint64_t{8} << 30;  ///< bytes on the disk that those of all models may take
};

/// What is kept of the activations besides counts, means and extremes.
struct ResultSettings {
  float activation_threshold = 0.01f;  ///< activation above which a feature is active on a prompt
  bool by_label = false;               ///< statistics by label, which contrasts are made of
  bool details = false;                ///< distributions and strongest prompts; needs by_label
  /// Requested features' activations at every token of the prompts on which they are active.
  bool all_tokens = false;
  bool activations = false;  ///< the residual stream itself, at every layer and token type of the plan
  std::filesystem::path spool_folder = ".";  ///< for what is set aside on disk, in files without a name
};

/// What a run is: everything that `analyze` needs to know, as values. Nothing was read from disk but prompts.
struct RunPlan {
  std::shared_ptr<const Prompts> prompts;
  std::string prompts_place = "the prompts";  ///< what messages call them, such as their file
  std::vector<ModelPlan> models;
  std::vector<RequestedFeature> requested = {};  ///< what WantedFeature::row points into
  IndexRange features = {};  ///< of each SAE whose features all count; requested ones come with those from 0
  PromptLimits limits = {};
  ComputeSettings compute = {};
  ResultSettings keep = {};
};

}  // namespace saescope
