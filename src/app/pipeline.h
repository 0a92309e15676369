#pragma once

#include <vector>

#include "analysis/label_contrast.h"
#include "analysis/labels.h"
#include "app/note_book.h"
#include "app/prepared_model.h"
#include "app/run_report.h"
#include "app/selection.h"
#include "report/features_csv.h"

namespace saescope {

/// What a run is about: read and checked input.
struct RunInput {
  Options options;
  std::string command;  ///< the command line, for the report
  Prompts prompts;
  Labels labels;
  std::vector<LabelPair> contrast;  ///< pairs to compare, where the run gathers statistics by label
  std::vector<RequestedFeature> features;
  Selection selection;
  NoteBook notes;
};

/// Runs the analyses and writes the outputs: prompts → token ids → prefix tree → activations → features
/// → CSV and JSONL. Everything is found, downloaded and checked before anything is computed.
/// @throws Error; outputs of earlier runs are then as they were
RunReport run_analyses(const RunInput& input, Hub& hub, const Context& context);

}  // namespace saescope
