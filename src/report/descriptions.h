#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace saescope {

/// Which of Neuronpedia's sources a dictionary is: its model id and layer id ("llama3.1-8b-it",
/// "11-resid-post-aa").
struct DescriptionKey {
  std::string model_id;
  std::string layer_id;
  auto operator<=>(const DescriptionKey&) const = default;

  std::string name() const { return model_id + "/" + layer_id; }
};

/// The key of a page such as "https://www.neuronpedia.org/llama3.1-8b-it/11-resid-post-aa/{feature_id}": the
/// two parts of its path before {feature_id}; nothing where the link is not of this shape.
std::optional<DescriptionKey> key_of_link(std::string_view link);

/// Explanations of features.
class Descriptions {
 public:
  /// @param wanted keys; explanations of others are only counted
  explicit Descriptions(std::set<DescriptionKey> wanted) : wanted_(std::move(wanted)) {}

  void add(const DescriptionKey& key, int64_t feature_id, std::string_view description);

  /// All different explanations of a feature in the order of the files, joined with " | "; empty where there
  /// is none.
  std::string_view find(const DescriptionKey& key, int64_t feature_id) const;

  std::size_t kept() const { return kept_; }
  /// Explanations of keys that are not wanted.
  const std::map<DescriptionKey, std::size_t>& others() const { return others_; }

 private:
  std::set<DescriptionKey> wanted_;
  std::map<DescriptionKey, std::unordered_map<int64_t, std::string>> texts_;
  std::map<DescriptionKey, std::size_t> others_;
  std::size_t kept_ = 0;
  std::size_t bytes_ = 0;
};

/// Reads a file, or a folder's own files *.jsonl and *.jsonl.gz in byte order of their names, in the format
/// of Neuronpedia's explanation exports: one object per line with the strings `modelId`, `layer` and
/// `description` and `index`, the feature's id as a string or a number; further keys are ignored.
/// Explanations without a text are skipped.
/// @throws InputError with file and line
Descriptions read_descriptions(const std::filesystem::path& path, std::set<DescriptionKey> wanted);

/// Adds the explanations of one file. @param file names it in messages
void append_descriptions(std::istream& in, const std::string& file, Descriptions& descriptions);

}  // namespace saescope
