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

/// Two equal runs differ in the moment (`"created":"2026-11-29T18:53:57Z"`), in how long their stages took,
/// and in how the activations were come by (`"llama: 30 prompts, 569 tokens, joined from 3 parts"`).
void leave_out_what_differs(std::string& report) {
  const std::regex moment("\"created\":\"[^\"]*\"");
  const std::regex stages("\"stages\":\\[[^\\]]*\\]");
  const std::regex origin("( prompts, [0-9]+ tokens), [^\"]*\"");
  const std::size_t begin = report.find("<script type=\"application/json\" id=\"run\">");
  const std::size_t end = report.find("\"labels\":", begin);
  if (end == std::string::npos) throw std::runtime_error("the report has no data of the run");
  std::string head = report.substr(begin, end - begin);
  head = std::regex_replace(head, std::regex(",\"[^\"]*: the activation cache was not read[^\"]*\""), "");
  for (const std::regex& pattern : {moment, stages, origin}) {
    if (!std::regex_search(head, pattern))
      throw std::runtime_error("the report's data has another form: " + head);
    head = std::regex_replace(head, pattern, "$1\"");
  }
  report.replace(begin, end - begin, head);
}

}  // namespace

StagedRun::StagedRun(std::vector<std::string> extra, int copies) : files_(copies), extra_(std::move(extra)) {
  const auto analysis = std::find(extra_.begin(), extra_.end(), "--analysis");
  if (analysis == extra_.end()) return;
  analysis_ = analysis[1];
  extra_.erase(analysis, analysis + 2);
}

std::vector<std::string> StagedRun::flags() const {
  std::vector<std::string> all;
  const auto add = [&](const char* flag, const fs::path& value) { all.insert(all.end(), {flag, value}); };
  add("--config", folder() / "pipeline/config.toml");
  add("--prompts-path", folder() / "prompts.jsonl");
  add("--analysis", analysis_);
  if (analysis_ != "specific") {
    add("--universal-output", files_.out() / "universal.csv");
    add("--threshold", "0.1");
  }
  if (analysis_ != "universal") {
    add("--features-csv", folder() / "pipeline/features.csv");
    add("--specific-output", files_.out() / "specific.csv");
    all.emplace_back("--record-prompts");
    add("--token-activations", files_.out() / "tokens.jsonl");
  }
  add("--contrast-output", files_.out() / "contrast.csv");
  add("--contrast-q", "1");
  add("--report", files_.out() / "report.html");
  add("--activations-output", files_.out() / "activations.safetensors");
  add("--batch-tokens", "60");
  all.insert(all.end(), {"--offline", "--progress=none"});
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
    leave_out_what_differs(bytes);
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
