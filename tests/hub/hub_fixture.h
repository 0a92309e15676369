#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/context.h"
#include "base/progress.h"
#include "hub/hub.h"
#include "hub/test_hub.h"

namespace saescope {

/// Keeps what was reported, for tests of progress.
class RecordingProgress final : public Progress {
 public:
  struct Stage {
    std::string name;
    uint64_t total = 0;
    uint64_t done = 0;
    bool ended = false;
  };
  void info(std::string_view message) override { messages.emplace_back(message); }
  void warn(std::string_view message) override { messages.emplace_back(message); }
  void begin_stage(std::string_view name, uint64_t total, ProgressUnit) override {
    stages.push_back({std::string(name), total, 0, false});
  }
  void update(uint64_t done) override { stages.back().done = done; }
  void end_stage() override { stages.back().ended = true; }

  std::vector<std::string> messages;
  std::vector<Stage> stages;
};

/// A test hub, an empty folder and hub settings that join them. No proxy, and no wait between tries.
class HubTest : public ::testing::Test {
 protected:
  HubTest();
  ~HubTest() override;

  /// The cache's folder of the repository `org/model`.
  std::filesystem::path repo_folder() const { return settings.cache / "models--org--model"; }
  Hub make_hub() { return Hub(settings, context); }

  std::filesystem::path folder;
  TestHub server;
  HubSettings settings;
  RecordingProgress progress;
  CancelToken cancel;
  Context context{.threads = 1, .progress = &progress, .cancel = &cancel};
};

/// `size` bytes that look random and are the same in every run.
std::string test_bytes(std::size_t size, unsigned seed = 1);

/// All files below a folder whose names end in `suffix`; temporary and lock files included.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                               const std::string& suffix = "");

/// Makes the hub do `change` to its next `times` answers to `method`, and then behave.
TestHub::Hook spoil_first(int times, const std::string& method, std::function<void(HubReply&)> change);

/// The error that `work` throws. Fails the test and returns an empty one where it throws none of that type.
template <typename ErrorType, typename Work>
ErrorDetail error_of(Work work) {
  try {
    work();
  } catch (const ErrorType& error) {
    return error.detail();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

}  // namespace saescope
