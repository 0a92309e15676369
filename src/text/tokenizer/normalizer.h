#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/tokenizer/offset_map.h"
#include "text/tokenizer/regex.h"

namespace saescope {

/// A Unicode normalisation form.
enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// The normaliser of a tokenizer: the library's normalisers, one after the other.
class Normalizer {
 public:
  /// Replace: puts `content` wherever a text stands or, if there is one, a pattern matches.
  struct Replace {
    std::string text;  ///< not empty unless there is a pattern
    std::string content;
    std::optional<Regex> pattern = std::nullopt;
  };
  /// Prepend: puts a text in front of every text that is not empty.
  struct Prepend {
    std::string text;
  };
  using Step = std::variant<NormalForm, Replace, Prepend>;

  Normalizer() = default;
  explicit Normalizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  /// The normalised text. Precondition: valid UTF-8.
  /// @param origins if given, receives where its bytes come from, a map for each change: the last one is to
  /// be
  ///        asked first
  std::string apply(std::string_view text, std::vector<OffsetMap>* origins = nullptr) const;

  /// Whether `apply` gives back every text as it is.
  bool is_identity() const { return steps_.empty(); }
  /// Whether it does more than to normalise Unicode and to mark spaces.
  bool rewrites() const;

 private:
  std::vector<Step> steps_;
};

}  // namespace saescope
