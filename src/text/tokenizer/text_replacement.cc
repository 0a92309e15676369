#include "text/tokenizer/text_replacement.h"

namespace saescope {

std::string replace_matches(std::string_view text, const std::vector<TextRange>& matches,
                            std::string_view content, OffsetMap* origins) {
  std::string out;
  out.reserve(text.size() + matches.size() * content.size());
  std::size_t done = 0;
  for (const TextRange& match : matches) {
    out.append(text.substr(done, match.begin - done));
    if (origins != nullptr) origins->add(out.size(), match.begin);
    out.append(content);
    done = match.end;
    if (origins != nullptr) origins->add(out.size(), done);
  }
  out.append(text.substr(done));
  return out;
}

std::vector<TextRange> find_literal(std::string_view text, std::string_view pattern) {
  std::vector<TextRange> matches;
  for (std::size_t at = text.find(pattern); at != std::string_view::npos; at = text.find(pattern, at)) {
    matches.push_back({at, at + pattern.size()});
    at += pattern.size();
  }
  return matches;
}

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  return replace_matches(text, find_literal(text, pattern), content);
}

}  // namespace saescope
