#include "faults/tiny_run.h"

#include <stdexcept>

#include "golden_files.h"

namespace saescope::testing_support {

namespace fs = std::filesystem;

TinyRun::TinyRun(int copies) {
  fs::create_directory(folder() / "tiny");
  for (const char* model : {"llama_untied_rope", "qwen2_bias"}) {
    fs::copy(goldens() / "tiny" / model, folder() / "tiny" / model, fs::copy_options::recursive);
  }
  fs::copy(goldens() / "pipeline", folder() / "pipeline", fs::copy_options::recursive);
  fs::create_directory(out());
  std::string prompts;
  for (const char* name : {"Z_first.jsonl", "a_second.jsonl"}) {
    std::string text = read_file(goldens() / "pipeline/prompts" / name);
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    prompts += text + "\n";
  }
  std::string all;
  for (int copy = 0; copy < copies; ++copy) all += prompts;
  write_file_atomically(folder() / "prompts.jsonl", all);
}

std::vector<std::string> TinyRun::command() const {
  return {SAESCOPE_EXECUTABLE,
          "--config",
          folder() / "pipeline/config.toml",
          "--prompts-path",
          folder() / "prompts.jsonl",
          "--analysis",
          "both",
          "--features-csv",
          folder() / "pipeline/features.csv",
          "--universal-output",
          out() / "universal.csv",
          "--specific-output",
          out() / "specific.csv",
          "--record-prompts",
          "--offline",
          "--progress=none",
          "--batch-tokens",
          "1"};
}

std::vector<std::string> TinyRun::environment() const {
  return {"XDG_CACHE_HOME=" + cache().string(), "OMP_WAIT_POLICY=passive"};
}

std::map<std::string, std::string> TinyRun::outputs() const {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(out())) {
    files[entry.path().filename().string()] = read_file(entry.path());
  }
  return files;
}

void TinyRun::put_earlier_outputs() const {
  for (const char* name : {"universal.csv", "specific.csv", "specific_activeprompts.jsonl"}) {
    write_file_atomically(out() / name, kEarlier);
  }
}

std::vector<fs::path> TinyRun::cache_files() const {
  std::vector<fs::path> files;
  if (!fs::exists(cache())) return files;
  for (const auto& entry : fs::recursive_directory_iterator(cache())) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

std::vector<std::string> on_disk(const std::string& options, const fs::path& folder,
                                 const std::vector<std::string>& command) {
  std::vector<std::string> all = {source_dir() / "tests/faults/on_small_disk.sh", options, folder};
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

std::map<std::string, std::string> undisturbed_outputs(int copies) {
  const TinyRun run(copies);
  const ProcessResult result = run.run();
  if (result.exit_code != 0) throw std::runtime_error(result.err);
  return run.outputs();
}

}  // namespace saescope::testing_support
