#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "analysis/feature_notes.h"
#include "analysis/label_contrast.h"
#include "analysis/sources.h"

namespace saescope {

/// What is known about a feature beforehand.
using NotesOf =
    std::function<FeatureNotes(const Source& source, const std::string& token, int64_t feature_id)>;

/// The files that are made of a run's results; an empty path: none.
struct OutputSettings {
  std::filesystem::path universal;          ///< CSV
  std::filesystem::path specific;           ///< CSV
  std::filesystem::path token_activations;  ///< JSONL; needs ResultSettings::all_tokens
  std::filesystem::path activations;        ///< safetensors; needs ResultSettings::activations
  std::filesystem::path contrast;           ///< CSV; needs ResultSettings::by_label
  std::filesystem::path report;             ///< HTML; needs ResultSettings::details
  double threshold = 0.3;                   ///< of the universal features: fraction of the prompts, 0 … 1
  bool record_prompts = false;   ///< prompts on which requested features are active, beside `specific`
  std::vector<LabelPair> pairs;  ///< whose contrasts are written and shown
  double contrast_q = 0.05;      ///< 0 … 1
  NotesOf notes;

  /// The file of the recorded prompts; empty: none.
  std::filesystem::path active_prompts() const;
};

/// What the report's page says about the run besides its results.
struct RunDescription {
  std::string command;   ///< the command line as it can be typed again
  std::string analysis;  ///< "universal", "specific" or "both"; empty: none
  std::string dtype;     ///< "bf16" or "fp32"
  float activation_threshold = 0;
};

}  // namespace saescope
