#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/feature_tables.h"
#include "analysis/labels.h"
#include "analysis/prompts.h"
#include "assets/chat_formatter.h"
#include "engine/chosen_activations.h"
#include "engine/kept_activations.h"
#include "engine/run_summary.h"
#include "plan/model_entry.h"

namespace saescope {

/// How a model of a run went.
struct ModelResults {
  ModelEntry entry;
  std::size_t prompts = 0;                         ///< that were run
  std::size_t left_out = 0;                        ///< that were too long
  std::vector<uint64_t> prompts_per_label;         ///< that were run, parallel to the labels' names
  std::shared_ptr<const ChatFormatter> formatter;  ///< where all tokens were asked for; else null
};

/// An SAE of a run.
struct SaeResults {
  std::string path;  ///< of the file that holds its encoder
  std::size_t dict_size = 0;
};

/// What a run found. It owns everything that it is made of.
struct Results {
  std::shared_ptr<const Prompts> prompts;
  std::shared_ptr<const Labels> labels;
  FeatureTables tables;                     ///< statistics by source and token type
  std::deque<ChosenActivations> chosen;     ///< in the order of the CSV files
  std::deque<KeptActivations> activations;  ///< by model, layer and token type, in the plan's order
  std::vector<ModelResults> models;         ///< those of the plan, in its order
  std::map<std::string, SaeResults> saes;   ///< by the source's name
  RunSummary summary;
  std::filesystem::path job;  ///< of several machines, whose parts these are joined from; empty: none

  /// Precondition: the plan has it.
  const ModelResults& model(const std::string& name) const;

  /// Adds the tables of the same plan's next share: they are then what they had been, had both shares been
  /// one.
  void append(Results&& next);
};

}  // namespace saescope
