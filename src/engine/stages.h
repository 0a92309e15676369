#pragma once

#include <deque>

#include "analysis/feature_tables.h"
#include "base/context.h"
#include "engine/opened_model.h"
#include "engine/results.h"
#include "ops/backend.h"
#include "plan/run_plan.h"

namespace saescope {

/// What every stage is given. All must outlive it.
struct StageInputs {
  const std::deque<OpenedModel>& models;
  const RunPlan& plan;
  const StatisticsSettings& statistics;
  Backend& backend;
  const Context& context;
};

/// Puts the task's share of the prompts through the models; what comes out is stored wave by wave.
/// @throws as Job::open; RunError where the store has no room; Interrupted
void run_forward_stage(const StageInputs& inputs, Results& results);

/// Encodes all prompts with the task's share of every SAE's features, and stores what is found. Activations
/// that the store does not have are computed. @throws the same
void run_encode_stage(const StageInputs& inputs, Results& results);

/// Joins what the shares found. @throws as Job::open; RunError where a part is missing, naming the command
/// that makes it
void run_finish_stage(const StageInputs& inputs, Results& results);

}  // namespace saescope
