#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "base/share.h"
#include "engine/opened_model.h"
#include "plan/run_plan.h"

namespace saescope {

/// What several machines do together of one run: a folder below the store, named by a digest of all that the
/// results depend on. Tasks with other prompts, models, SAEs or settings have another folder, so that what
/// they find is never joined.
class Job {
 public:
  /// Begins the job, or joins it. @param backend what computes here
  /// @throws InputError where the plan has no store, or where a processor of another kind began the job,
  /// whose products are rounded in another way; RunError where the store cannot be written
  static Job open(const std::deque<OpenedModel>& models, const RunPlan& plan, const Backend& backend,
                  const Context& context);

  const std::filesystem::path& folder() const { return folder_; }
  /// What names how the activations were rounded that this process encodes or joins.
  const std::string& numerics() const { return numerics_; }
  /// Where a task keeps what it finds of the model at this position of the plan.
  std::filesystem::path part(Share task, std::size_t model) const;
  /// The numbers of tasks that the stage encode was cut into, of which there are parts; ascending.
  std::vector<std::size_t> task_counts() const;

 private:
  Job(std::filesystem::path folder, std::string numerics)
      : folder_(std::move(folder)), numerics_(std::move(numerics)) {}

  std::filesystem::path folder_;
  std::string numerics_;
};

}  // namespace saescope
