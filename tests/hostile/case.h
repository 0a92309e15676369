#pragma once

#include <concepts>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace saescope::hostile {

/// Turns a good file into a bad one, in place. Copies share what it holds: some hold megabytes, and every
/// test process makes all tables.
class Change {
 public:
  template <std::invocable<const std::filesystem::path&> Function>
  requires(!std::same_as<Function, Change>) Change(Function apply)
      : apply_(std::make_shared<const Apply>(std::move(apply))) {}

  void operator()(const std::filesystem::path& file) const { (*apply_)(file); }

 private:
  using Apply = std::function<void(const std::filesystem::path& file)>;
  std::shared_ptr<const Apply> apply_;
};

struct Edit {
  std::string file;  ///< relative to the run's folder
  Change change;
};

/// A good run with one bad file. It has to stop with one message that names the file and the reason.
struct Case {
  std::string name;
  std::string file;             ///< relative to the run's folder; its first folder says which model is run
  Change change;                ///< what makes it bad
  std::string reason;           ///< what the message must match, as an ECMAScript regular expression
  std::string named = {};       ///< what the message must hold where that is not the file's own name
  std::vector<Edit> also = {};  ///< what else has to be so for the bad file to matter
  int exit_code = 2;
};

/// GoogleTest would print the bytes.
inline void PrintTo(const Case& c, std::ostream* out) { *out << c.file << ": " << c.name; }

// The tables, by kind of file.
std::vector<Case> safetensors_cases();
std::vector<Case> shard_cases();
std::vector<Case> gguf_cases();
std::vector<Case> zip_cases();
std::vector<Case> pickle_cases();
std::vector<Case> tensor_cases();
std::vector<Case> model_config_cases();
std::vector<Case> sae_config_cases();
std::vector<Case> tokenizer_cases();
std::vector<Case> chat_template_cases();
std::vector<Case> prompts_cases();
std::vector<Case> features_cases();
std::vector<Case> toml_cases();
std::vector<Case> numbers_cases();
/// Odd files that are right all the same: exit code 0, `reason` is not used.
std::vector<Case> harmless_cases();

}  // namespace saescope::hostile
