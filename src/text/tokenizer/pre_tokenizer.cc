#include "text/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "text/tokenizer/text_replacement.h"
#include "text/tokenizer/unicode_tables.h"

namespace saescope {

const char* const kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

namespace {

// A part of a piece: a delimiter, or what lies between two.
struct Part {
  TextRange range;
  bool is_match = false;
};

void append_piece(TextRange range, std::vector<TextRange>& pieces) {
  if (range.begin != range.end) pieces.push_back(range);
}

// Matches (ascending, within [0, size)) and the gaps between them.
void cover(const std::vector<TextRange>& matches, std::size_t size, std::vector<Part>& parts) {
  std::size_t done = 0;
  for (const TextRange& match : matches) {
    if (done != match.begin) parts.push_back({{done, match.begin}, false});
    parts.push_back({match, true});
    done = match.end;
  }
  if (done != size) parts.push_back({{done, size}, false});
}

// Joins parts from left to right wherever `joins(part, the part before is a match)`.
template <typename Parts, typename Joins>
std::vector<TextRange> join_parts(const Parts& parts, Joins joins) {
  std::vector<TextRange> joined;
  bool previous_match = false;
  for (const Part& part : parts) {
    if (!joined.empty() && joins(part.is_match, previous_match)) {
      joined.back() = {std::min(joined.back().begin, part.range.begin),
                       std::max(joined.back().end, part.range.end)};
    } else {
      joined.push_back(part.range);
    }
    previous_match = part.is_match;
  }
  return joined;
}

std::vector<TextRange> apply_behavior(std::vector<Part> parts, SplitBehavior behavior) {
  const auto same = [](bool match, bool previous) { return match == previous; };
  const auto first_match = [](bool match, bool previous) { return match && !previous; };
  switch (behavior) {
    case SplitBehavior::kContiguous:
      return join_parts(parts, same);
    case SplitBehavior::kMergedWithPrevious:
      return join_parts(parts, first_match);
    case SplitBehavior::kMergedWithNext: {
      std::reverse(parts.begin(), parts.end());
      std::vector<TextRange> joined = join_parts(parts, first_match);
      std::reverse(joined.begin(), joined.end());
      return joined;
    }
    case SplitBehavior::kRemoved:
      std::erase_if(parts, [](const Part& part) { return part.is_match; });
      break;
    case SplitBehavior::kIsolated:
      break;
  }
  std::vector<TextRange> ranges;
  for (const Part& part : parts) ranges.push_back(part.range);
  return ranges;
}

// All code points of `text` for which `predicate` holds, as matches of one character each.
template <typename Predicate>
void find_characters(std::string_view text, Predicate predicate, std::vector<TextRange>& matches) {
  for (std::size_t pos = 0; pos < text.size();) {
    const Utf8Char c = decode_utf8(text, pos);
    if (predicate(c.code_point)) matches.push_back({pos, pos + c.length});
    pos += c.length;
  }
}

// Applies the steps to the pieces of one text.
class Splitter {
 public:
  Splitter(PreTokenizer::Pieces& pieces, bool begins_text) : pieces_(pieces), begins_text_(begins_text) {}

  void operator()(const PreTokenizer::Split& split) {
    const std::string_view view = regex_view(pieces_.text, view_storage_);
    each_piece([&](TextRange piece, std::vector<TextRange>& out) {
      matches_.clear();
      split.regex.find_all(view.substr(piece.begin, piece.end - piece.begin), matches_);
      cut(piece, split.behavior, split.invert, out);
    });
  }

  void operator()(const PreTokenizer::Digits& digits) {
    const auto behavior = digits.individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
    split_at_characters(unicode::is_numeric, behavior);
  }

  void operator()(const PreTokenizer::WhitespaceSplit&) {
    split_at_characters(unicode::is_space, SplitBehavior::kRemoved);
  }

  void operator()(const PreTokenizer::PrefixSpace&) {
    std::string text;
    OffsetMap& origins = pieces_.origins.emplace_back();
    for (TextRange& piece : pieces_.ranges) {
      const std::size_t begin = text.size();
      const std::string_view content = pieces_.text.substr(piece.begin, piece.end - piece.begin);
      if (content.front() != ' ') text.push_back(' ');
      origins.add(text.size(), piece.begin);
      text.append(content);
      piece = {begin, text.size()};
    }
    replace_text(std::move(text));
  }

  void operator()(const PreTokenizer::Metaspace& metaspace) {
    mark_spaces(metaspace);
    if (!metaspace.split) return;
    each_piece([&](TextRange piece, std::vector<TextRange>& out) {
      matches_ = find_literal(pieces_.text.substr(piece.begin, piece.end - piece.begin), metaspace.mark);
      cut(piece, SplitBehavior::kMergedWithNext, false, out);
    });
  }

 private:
  void replace_text(std::string text) {
    pieces_.owned_text = std::move(text);
    pieces_.text = pieces_.owned_text;
  }

  void mark_spaces(const PreTokenizer::Metaspace& metaspace) {
    using Prepend = PreTokenizer::Metaspace::Prepend;
    std::vector<TextRange> replaced;
    std::size_t added = 0;  // bytes that the text before has grown by
    for (TextRange& piece : pieces_.ranges) {
      const std::string_view content = pieces_.text.substr(piece.begin, piece.end - piece.begin);
      const std::size_t count_before = replaced.size();
      const bool first = begins_text_ && piece.begin == 0;
      const bool wanted =
          metaspace.prepend == Prepend::kAlways || (metaspace.prepend == Prepend::kFirst && first);
      if (wanted && content.front() != ' ' && !content.starts_with(metaspace.mark)) {
        replaced.push_back({piece.begin, piece.begin});
      }
      for (const TextRange& space : find_literal(content, " ")) {
        replaced.push_back({piece.begin + space.begin, piece.begin + space.end});
      }
      const std::size_t begin = piece.begin + added;
      for (std::size_t i = count_before; i < replaced.size(); ++i) {
        added += metaspace.mark.size() - (replaced[i].end - replaced[i].begin);
      }
      piece = {begin, piece.end + added};
    }
    replace_text(replace_matches(pieces_.text, replaced, metaspace.mark, &pieces_.origins.emplace_back()));
  }

  template <typename Predicate>
  void split_at_characters(Predicate predicate, SplitBehavior behavior) {
    each_piece([&](TextRange piece, std::vector<TextRange>& out) {
      matches_.clear();
      find_characters(pieces_.text.substr(piece.begin, piece.end - piece.begin), predicate, matches_);
      cut(piece, behavior, false, out);
    });
  }

  template <typename Cut>
  void each_piece(Cut cut_piece) {
    std::vector<TextRange> out;
    out.reserve(pieces_.ranges.size());
    for (const TextRange& piece : pieces_.ranges) cut_piece(piece, out);
    pieces_.ranges = std::move(out);
  }

  // Cuts one piece at `matches_` (relative to its beginning) and appends what it falls into.
  void cut(TextRange piece, SplitBehavior behavior, bool invert, std::vector<TextRange>& out) {
    const std::size_t size = piece.end - piece.begin;
    const auto append = [&](TextRange range) {
      append_piece({piece.begin + range.begin, piece.begin + range.end}, out);
    };
    parts_.clear();
    cover(matches_, size, parts_);
    if (behavior == SplitBehavior::kIsolated) {  // by far the most common one
      for (const Part& part : parts_) append(part.range);
      return;
    }
    if (invert) {
      for (Part& part : parts_) part.is_match = !part.is_match;
    }
    for (const TextRange& range : apply_behavior(parts_, behavior)) append(range);
  }

  PreTokenizer::Pieces& pieces_;
  bool begins_text_;
  std::string view_storage_;
  std::vector<TextRange> matches_;
  std::vector<Part> parts_;
};

}  // namespace

bool PreTokenizer::rewrites() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) {
    if (const auto* const split = std::get_if<Split>(&step))
      return split->behavior == SplitBehavior::kRemoved;
    if (const auto* const space = std::get_if<Metaspace>(&step)) {
      return space->prepend != Metaspace::Prepend::kNever;
    }
    return !std::holds_alternative<Digits>(step);
  });
}

void PreTokenizer::split(std::string_view text, bool begins_text, Pieces& pieces) const {
  pieces.text = text;
  pieces.ranges.clear();
  pieces.origins.clear();
  append_piece({0, text.size()}, pieces.ranges);
  Splitter splitter(pieces, begins_text);
  for (const Step& step : steps_) std::visit(splitter, step);
}

}  // namespace saescope
