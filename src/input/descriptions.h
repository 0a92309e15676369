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
#include <vector>

namespace saescope {

/// How Neuronpedia names one SAE of a model; its dashboards' links hold both.
struct DescriptionKey {
  std::string model_id;  ///< such as "llama3.1-8b-it"
  std::string layer_id;  ///< the source, such as "11-resid-post-aa"

  auto operator<=>(const DescriptionKey&) const = default;
};

/// The two segments of the path before {feature_id}, for a link such as
/// "https://www.neuronpedia.org/llama3.1-8b-it/11-resid-post-aa/{feature_id}"; nullopt for a link of
/// another shape.
std::optional<DescriptionKey> key_of_link(std::string_view link);

/// One explanation of a feature.
struct Explanation {
  DescriptionKey source;
  int64_t feature = 0;
  std::string text;  ///< without white space around it; may be empty
};

/// What is kept at most, so that no export takes the memory that the analysis needs.
struct DescriptionLimits {
  std::size_t text_bytes = std::size_t{1} << 20;  ///< of one feature's text
  std::size_t explanations = 1000;                ///< different ones of one feature
  std::size_t total_bytes = std::size_t{1}
                            << 30;  ///< of everything kept, the memory of its containers included
};

/// What a feature stands for, as models or people described it: the explanations of some sources. Those of
/// others are counted alone.
class Descriptions {
 public:
  explicit Descriptions(std::set<DescriptionKey> wanted = {}, DescriptionLimits limits = {});

  /// Keeps an explanation of a wanted source, once where it is there already.
  /// @throws InputError beyond the limits (`where` left empty for the caller's context)
  void add(Explanation explanation);

  /// All different explanations of a feature in their order, joined with " | "; empty where there is none.
  std::string text(const DescriptionKey& source, int64_t feature) const;

  /// Features of a source that have a text; 0 where the export lacks the source.
  std::size_t described_features(const DescriptionKey& source) const;

  const std::set<DescriptionKey>& wanted() const { return wanted_; }
  /// Explanations of wanted sources, those that were there already included, empty ones not.
  uint64_t matched() const { return matched_; }
  /// Explanations without text, of whatever source.
  uint64_t empty() const { return empty_; }
  /// Explanations of other sources.
  uint64_t skipped() const { return skipped_; }
  /// How many of them each other source has; only the first 1,000 sources that were met are told apart.
  const std::map<DescriptionKey, uint64_t>& skipped_sources() const { return skipped_sources_; }

 private:
  using Texts = std::vector<std::string>;

  void keep(Texts& texts, std::string text);

  std::set<DescriptionKey> wanted_;
  DescriptionLimits limits_;
  std::map<DescriptionKey, std::unordered_map<int64_t, Texts>> texts_;  ///< one entry for each wanted source
  std::size_t total_bytes_ = 0;
  uint64_t matched_ = 0;
  uint64_t empty_ = 0;
  uint64_t skipped_ = 0;
  std::map<DescriptionKey, uint64_t> skipped_sources_;
};

/// Reads Neuronpedia's exports of explanations (v1/MODEL/SOURCE/explanations/batch-N.jsonl.gz of its
/// datasets): files, or folders' own `*.jsonl` and `*.jsonl.gz` files in byte order of their names. Each
/// line is an object with `modelId`, `layer`, `index` (a whole number, or a string of its digits) and
/// `description` (null or empty: none); further keys are ignored. Files may be compressed or not, whatever
/// their names say; lines are as for_each_json_line takes them.
/// @throws InputError with file, line and reason on the first bad line, beyond the limits, on a damaged file,
///         on a file without an explanation and where there is no file at all.
Descriptions read_descriptions(const std::vector<std::filesystem::path>& paths,
                               std::set<DescriptionKey> wanted);

/// Adds the explanations of one file's text, which may be none. @param file names the file in messages
/// @return the number of explanations, empty ones included
/// @throws InputError on the first bad line and beyond the limits
uint64_t append_descriptions(std::istream& in, const std::string& file, Descriptions& descriptions);

}  // namespace saescope
