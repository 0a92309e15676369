#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "hostile/bounded_process.h"
#include "hostile/case.h"
#include "process.h"

namespace saescope::hostile {

// The files of the run, for the tables.
inline constexpr const char* kWeights = "model/model.safetensors";
inline constexpr const char* kModelConfig = "model/config.json";
inline constexpr const char* kTokenizer = "model/tokenizer.json";
inline constexpr const char* kTokenizerConfig = "model/tokenizer_config.json";
inline constexpr const char* kTemplate = "model/chat_template.jinja";
inline constexpr const char* kIndex = "sharded/model.safetensors.index.json";
inline constexpr const char* kGguf = "gguf/model.gguf";
inline constexpr const char* kFirstPart = "split/model-00001-of-00003.gguf";
inline constexpr const char* kSae = "sae/layer_1/ae.pt";
inline constexpr const char* kSaeConfig = "sae/layer_1/config.json";
inline constexpr const char* kPrompts = "prompts/prompts.jsonl";
inline constexpr const char* kFeatures = "features.csv";
inline constexpr const char* kToml = "config.toml";

/// A folder with all that a run with both analyses needs, and with the outputs of an earlier run: a tiny
/// model called `tiny`, its SAE at layer 1, two prompts.
class GoodRun {
 public:
  /// @param file one of the above; it says in which form the model is there
  explicit GoodRun(const std::string& file);

  void apply(const std::string& file, const Change& change) const;
  BoundedResult run() const;
  /// The output folder's files and what they hold.
  std::map<std::string, std::string> outputs() const;

 private:
  testing_support::TemporaryFolder folder_;
};

}  // namespace saescope::hostile
