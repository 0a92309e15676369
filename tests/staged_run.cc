#include "staged_run.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <regex>
#include <stdexcept>

#include "base/atomic_file.h"

namespace saescope::testing_support {
namespace {

namespace fs = std::filesystem;

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// `"created":"2026-11-29T18:53:57Z"` is the one thing that two equal runs differ in.
void leave_out_moment(std::string& report) {
  const std::string key = "\"created\":\"";
  const std::size_t begin = report.find(key);
  if (begin == std::string::npos) throw std::runtime_error("the report does not say when it was made");
  const std::size_t value = begin + key.size();
  report.erase(value, report.find('"', value) - value);
}

}  // namespace

StagedRun::StagedRun(std::vector<std::string> extra, int copies) : files_(copies), extra_(std::move(extra)) {}

std::vector<std::string> StagedRun::flags() const {
  const auto out = [&](const char* name) { return (files_.out() / name).string(); };
  std::vector<std::string> all = {"--config",
                                  folder() / "pipeline/config.toml",
                                  "--prompts-path",
                                  folder() / "prompts.jsonl",
                                  "--analysis",
                                  "both",
                                  "--features-csv",
                                  folder() / "pipeline/features.csv",
                                  "--universal-output",
                                  out("universal.csv"),
                                  "--specific-output",
                                  out("specific.csv"),
                                  "--record-prompts",
                                  "--token-activations",
                                  out("tokens.jsonl"),
                                  "--contrast-output",
                                  out("contrast.csv"),
                                  "--contrast-q",
                                  "1",
                                  "--report",
                                  out("report.html"),
                                  "--activations-output",
                                  out("activations.safetensors"),
                                  "--threshold",
                                  "0.1",
                                  "--batch-tokens",
                                  "60",
                                  "--offline",
                                  "--progress=none"};
  all.insert(all.end(), extra_.begin(), extra_.end());
  return all;
}

Outputs StagedRun::whole() const {
  std::vector<std::string> arguments = flags();
  arguments.insert(arguments.begin(), SAESCOPE_EXECUTABLE);
  const std::string cache = folder() / "cache-of-whole";
  const ProcessResult result = run_process(arguments, folder(), environment({"XDG_CACHE_HOME=" + cache}));
  if (result.exit_code != 0) throw std::runtime_error(result.err);
  return take_outputs();
}

std::vector<std::string> StagedRun::command(const std::string& stage, const std::string& task,
                                            const std::vector<std::string>& extra) const {
  std::vector<std::string> arguments = flags();
  arguments.insert(arguments.begin(), SAESCOPE_EXECUTABLE);
  arguments.insert(arguments.end(), {"--store", store(), "--stage", stage});
  if (!task.empty()) arguments.insert(arguments.end(), {"--task", task});
  arguments.insert(arguments.end(), extra.begin(), extra.end());
  return arguments;
}

ProcessResult StagedRun::run(const std::string& stage, const std::string& task,
                             const std::vector<std::string>& extra,
                             const std::vector<std::string>& more) const {
  return run_process(command(stage, task, extra), folder(), environment(more));
}

void StagedRun::run_all(const std::string& stage, int tasks, const std::vector<std::string>& more,
                        unsigned seed) const {
  std::vector<int> order(static_cast<std::size_t>(tasks));
  std::iota(order.begin(), order.end(), 1);
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  for (const int task : order) {
    const ProcessResult result = run(stage, fmt::format("{}/{}", task, tasks), {}, more);
    EXPECT_EQ(result.exit_code, 0) << stage << " " << task << "/" << tasks;
    EXPECT_EQ(result.err, "") << stage << " " << task << "/" << tasks;
  }
}

Outputs StagedRun::finish(const std::vector<std::string>& extra, const std::vector<std::string>& more) const {
  const ProcessResult result = run("finish", "", extra, more);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return take_outputs();
}

Outputs StagedRun::take_outputs() const {
  Outputs outputs = files_.outputs();
  for (auto& [name, bytes] : outputs) {
    if (name != "report.html") continue;
    leave_out_moment(bytes);
    replace_all(bytes, folder().string(), "FOLDER");
  }
  for (const auto& [name, bytes] : outputs) fs::remove(files_.out() / name);
  return outputs;
}

std::vector<std::string> StagedRun::environment(const std::vector<std::string>& more) const {
  std::vector<std::string> all = files_.environment();
  all.emplace_back("SAESCOPE_STORE_WAIT=0");
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

fs::path StagedRun::job() const {
  std::vector<fs::path> jobs;
  for (const auto& entry : fs::directory_iterator(store() / "jobs")) jobs.push_back(entry.path());
  if (jobs.size() != 1) throw std::runtime_error(fmt::format("{} jobs", jobs.size()));
  return jobs.front();
}

std::vector<fs::path> StagedRun::files_below(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const bool wanted = entry.path().filename().string().starts_with(prefix);
    if (entry.is_regular_file() && wanted) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<fs::path> StagedRun::waves() const {
  std::vector<fs::path> files = files_below(store());
  std::erase_if(files, [&](const fs::path& file) {
    const std::string top = file.lexically_relative(store()).begin()->string();
    return top == "jobs" || top == "contents";
  });
  return files;
}

const Outputs& whole_outputs(const std::vector<std::string>& extra, int copies) {
  static std::map<std::pair<std::vector<std::string>, int>, Outputs> known;
  const auto [found, is_new] = known.try_emplace({extra, copies});
  if (is_new) found->second = StagedRun(extra, copies).whole();
  return found->second;
}

void expect_same_outputs(const Outputs& actual, const Outputs& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  for (const auto& [name, bytes] : expected) {
    const auto found = actual.find(name);
    if (found == actual.end()) {
      ADD_FAILURE() << "no output " << name;
      continue;
    }
    const auto [a, e] = std::mismatch(found->second.begin(), found->second.end(), bytes.begin(), bytes.end());
    if (a == found->second.end() && e == bytes.end()) continue;
    const auto at = static_cast<std::size_t>(e - bytes.begin());
    ADD_FAILURE() << name << " differs at byte " << at << " of " << bytes.size() << ": "
                  << found->second.substr(at, 60) << " instead of " << bytes.substr(at, 60);
  }
}

std::size_t count_in(const std::string& text, const std::string& words) {
  const std::regex pattern("(\\d+) " + words);
  std::size_t sum = 0;
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
    sum += std::stoul((*it)[1]);
  }
  return sum;
}

}  // namespace saescope::testing_support
