#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "engine/norm_watch.h"
#include "engine/results.h"
#include "formats/safetensors.h"
#include "tensor/mapped_file.h"

namespace saescope {

/// What one task of the stage encode found of one model, in a folder:
///
///     rows-{from}-{to}.safetensors   chosen features' activations on prompts [from, to) of the model, and
///     those at tokens state-{to}.safetensors         every accumulator after the prompts before `to`, and
///     which files of rows it stands on
///
/// Written after waves, so that a task that is killed goes on from its last one. The newest whole state
/// counts; two processes that do the same task write the same numbers, and each its own states.
class EncodedPart {
 public:
  /// @param numerics of the activations that are encoded: parts of others do not count
  /// @param progress is told of damaged files, which do not count either; must outlive this
  EncodedPart(std::filesystem::path folder, std::string numerics, Progress& progress);

  /// Looks at what is on disk now.
  void refresh();
  /// Prompts of the model that are in.
  std::size_t done() const { return done_; }
  /// Puts the accumulators back into empty tables of the same shapes, and the norms of the part's layers.
  /// Precondition: done() > 0
  void load(FeatureTables& tables, NormWatch& norms) const;
  /// Paths of the files of rows, in the prompts' order.
  const std::vector<std::filesystem::path>& rows() const { return rows_; }

  /// Whether saving now keeps the time for it a small part of the whole.
  bool is_due() const;
  /// Keeps what was found up to `done` prompts; the chosen activations, of the prompts since the last time,
  /// are taken out. @throws RunError where the disk is full
  void save(std::size_t done, Results& results, NormWatch& norms);

 private:
  using Clock = std::chrono::steady_clock;
  struct State;
  std::optional<State> read_state(const std::filesystem::path& path);
  void save_rows(std::size_t to, std::deque<ChosenActivations>& chosen);

  std::filesystem::path folder_;
  std::string numerics_;
  Progress& progress_;
  std::size_t done_ = 0;
  std::filesystem::path state_;
  std::shared_ptr<const MappedFile> loaded_;  ///< the state that was found, whoever removes it meanwhile
  std::vector<std::filesystem::path> rows_;
  std::vector<std::string> rows_digests_;  ///< SHA-256, parallel to rows_
  Clock::time_point saved_ = Clock::now();
  Clock::duration saving_took_{};
};

}  // namespace saescope
