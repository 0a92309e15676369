#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/tokenizer/offset_map.h"
#include "text/tokenizer/regex.h"

namespace saescope {

/// What becomes of the delimiters that a Split finds (the enum SplitDelimiterBehavior of the library).
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// Cuts text into the pieces that byte-pair encoding works on: the library's pre-tokenizers, one after
/// the other, each applied to the pieces of the one before. Immutable, safe to share between threads.
class PreTokenizer {
 public:
  /// Split: at the matches of a pattern, or (inverted) at what lies between them.
  struct Split {
    Regex regex;
    SplitBehavior behavior = SplitBehavior::kIsolated;
    bool invert = false;
  };
  /// Digits: numbers are pieces of their own, or every digit is one.
  struct Digits {
    bool individual = false;
  };
  /// WhitespaceSplit: white space is removed.
  struct WhitespaceSplit {};
  /// The first half of ByteLevel with add_prefix_space: each piece begins with a space.
  struct PrefixSpace {};
  /// Metaspace: spaces are written as `mark`, one of which is put in front of a piece that begins with none;
  /// then each mark begins a piece.
  struct Metaspace {
    enum class Prepend : uint8_t { kAlways, kFirst, kNever };
    std::string mark;
    Prepend prepend = Prepend::kAlways;  ///< kFirst: only of the piece that begins the whole text
    bool split = true;
  };
  using Step = std::variant<Split, Digits, WhitespaceSplit, PrefixSpace, Metaspace>;

  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  /// Text and the pieces in it; the text is not the input where spaces were put in.
  struct Pieces {
    std::string_view text;
    std::vector<TextRange> ranges;  ///< none is empty
    std::string owned_text;
    std::vector<OffsetMap> origins;  ///< where the text's bytes come from, as Normalizer::apply gives it
  };
  /// Precondition: valid UTF-8, which outlives the result.
  /// @param begins_text whether nothing stands before `text`, not even an added token
  void split(std::string_view text, bool begins_text, Pieces& pieces) const;
  /// Whether it puts spaces in front of pieces, or leaves text out.
  bool rewrites() const;

 private:
  std::vector<Step> steps_;
};

/// The pattern of ByteLevel with use_regex: GPT-2's.
extern const char* const kGpt2Pattern;

}  // namespace saescope
