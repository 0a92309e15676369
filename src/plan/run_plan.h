#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/prompts.h"
#include "base/share.h"
#include "plan/model_plan.h"
#include "plan/requested_feature.h"

namespace saescope {

/// What the model's matrix products are rounded to; residual stream and sums are float32.
enum class Precision { kBf16, kFp32 };
enum class DeviceKind : uint8_t {
  kAuto,      ///< a GPU where there is one and the run is large enough, else the processor
  kCpu,       ///< the program's own operators
  kCuda,      ///< a GPU, through PyTorch
  kTorchCpu,  ///< the processor through PyTorch: the same calls as on a GPU, for tests
};

struct DeviceChoice {
  DeviceKind kind = DeviceKind::kAuto;
  int index = 0;  ///< of kCuda's GPUs
  bool operator==(const DeviceChoice&) const = default;
};

/// Which prompts are too long.
struct PromptLimits {
  uint64_t max_tokens = 0;  ///< 0: the model's context
  bool skip_long = false;   ///< longer ones are left out; else they are errors
};

/// Which part of a run is done. Those of several machines meet in a store, which all of them see.
enum class Stage : uint8_t {
  kWhole,    ///< all of it, in this process
  kForward,  ///< a share of the prompts goes through the models; their activations are stored
  kEncode,   ///< a share of every SAE's features encodes all prompts' activations; what it finds is stored
  kFinish,   ///< what the shares found is joined
};

/// What a process does of a run.
struct TaskSettings {
  Stage stage = Stage::kWhole;
  Share share = {};  ///< of the prompts (kForward), of every SAE's features (kEncode, kWhole)
  /// How the run is called, without stage and task: messages say with it how to make what is missing.
  std::string command = "run_sae_analysis";
};

/// How a run computes. What it finds does not depend on any of these but `dtype` and `stored`.
struct ComputeSettings {
  Precision dtype = Precision::kBf16;
  DeviceChoice device = {};
  uint64_t memory_limit = 0;         ///< bytes; 0: the memory that the process may use
  uint64_t batch_tokens = 0;         ///< tokens of a wave; 0: chosen by the program
  bool cache = true;                 ///< whether activations are kept for later runs
  std::filesystem::path store = {};  ///< the folder they are kept in; empty: the user's cache
  /// Bytes on the disk that those of all models may take; nothing: kUsualCacheLimit in the user's cache, any
  /// number in a store that was named.
  std::optional<uint64_t> cache_limit = {};
  /// What activations are rounded to before they are kept and encoded, wherever they come from; kBf16 halves
  /// the store.
  Precision stored = Precision::kFp32;
  /// A folder of this machine that weights are copied to and read from; empty: they are read where they lie.
  std::filesystem::path local_copy = {};

  static constexpr uint64_t kUsualCacheLimit = uint64_t{8} << 30;
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
  TaskSettings task = {};
  PromptLimits limits = {};
  ComputeSettings compute = {};
  ResultSettings keep = {};
};

}  // namespace saescope
