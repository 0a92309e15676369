#include "hostile/good_run.h"

#include <fmt/format.h>

#include "golden_files.h"
#include "hostile/changes.h"

namespace saescope::hostile {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kMostSeconds = 60;

/// A form in which the model may come, and where the goldens have it.
struct ModelForm {
  const char* folder;
  const char* golden;
  const char* path;
};
constexpr std::array<ModelForm, 4> kForms = {
    {{"model", "llama_tied", "./model"},
     {"sharded", "llama_untied_rope", "./sharded"},
     {"gguf", "llama_tied_gguf", "./gguf/model.gguf"},
     {"split", "llama_tied_q8_0_gguf_split", "./split/model-00001-of-00003.gguf"}}};

const ModelForm& form_of(const std::string& file) {
  const std::string folder = file.substr(0, file.find('/'));
  const auto* form = std::find_if(kForms.begin(), kForms.end(),
                                  [&](const ModelForm& candidate) { return candidate.folder == folder; });
  return form == kForms.end() ? kForms.front() : *form;
}

std::string configuration(const ModelForm& form) {
  return fmt::format(
      "[models.tiny]\n"
      "model = \"{}\"\n"
      "sae_dir = \"sae\"\n"
      "sae_path = \"layer_{{layer}}\"\n"
      "trainer = 1\n"
      "layers = [1]\n"
      "tokens = {{ asst = \"assistant\", newline = \"\\n\\n\" }}\n",
      form.path);
}

}  // namespace

GoodRun::GoodRun(const std::string& file) {
  const fs::path root = folder_.path();
  for (const char* folder : {"prompts", "sae/layer_1", "out"}) fs::create_directories(root / folder);
  const ModelForm& form = form_of(file);
  const fs::path goldens = testing_support::goldens();
  fs::copy(goldens / "tiny" / form.golden, root / form.folder);
  const fs::path sae = goldens / "pipeline/saes/llama/resid_post_layer_1/trainer_1";
  for (const char* part : {"ae.pt", "config.json"}) fs::copy_file(sae / part, root / "sae/layer_1" / part);
  // The second prompt is what a regular expression that backtracks needs.
  apply(kPrompts, contents("{\"content\": \"How do you feel?\", \"label\": \"open\"}\n{\"content\": \"" +
                           std::string(64, 'a') + "b\"}\n"));
  apply(kFeatures, contents("feature_id,source,token\n3,tiny_trainer1_layer1,\n"));
  apply(kToml, contents(configuration(form)));
  for (const char* output : {"universal.csv", "specific.csv", "specific_activeprompts.jsonl"}) {
    apply(fmt::format("out/{}", output), contents("of an earlier run\n"));
  }
}

void GoodRun::apply(const std::string& file, const Change& change) const { change(folder_.path() / file); }

BoundedResult GoodRun::run() const {
  return run_bounded({SAESCOPE_EXECUTABLE,
                      "--config",
                      kToml,
                      "--prompts-path",
                      "prompts",
                      "--features-csv",
                      kFeatures,
                      "--analysis",
                      "both",
                      "--universal-output",
                      "out/universal.csv",
                      "--specific-output",
                      "out/specific.csv",
                      "--record-prompts",
                      "--offline",
                      "--no-cache",
                      "--threads",
                      "1",
                      "--progress",
                      "none"},
                     folder_.path(), kMostSeconds);
}

std::map<std::string, std::string> GoodRun::outputs() const {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "out")) {
    files[entry.path().filename().string()] = slurp(entry.path());
  }
  return files;
}

}  // namespace saescope::hostile
