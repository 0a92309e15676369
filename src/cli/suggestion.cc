#include "cli/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace saescope {
namespace {

/// Optimal string alignment distance; O(|a| |b|) with three rows.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, above[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string closest_word(std::string_view word, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 64;  // nobody mistypes more than this; bounds the work
  constexpr std::size_t kPrefix = 3;
  if (word.empty() || word.size() > kLongest) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const bool prefix = word.size() >= kPrefix && candidate.compare(0, word.size(), word) == 0;
    const std::size_t distance = prefix ? 0 : edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

namespace {

/// What people who come from other programs write, and what it is called here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 33> kOtherNames = {{
    {"gpu", "cuda"},
    {"nvidia", "cuda"},
    {"rocm", "cuda"},
    {"mps", "cpu"},
    {"metal", "cpu"},
    {"torch.bfloat16", "bf16"},
    {"torch.float16", "bf16"},
    {"torch.float32", "fp32"},
    {"double", "fp32"},
    {"bfloat16", "bf16"},
    {"float16", "bf16"},
    {"fp16", "bf16"},
    {"half", "bf16"},
    {"float32", "fp32"},
    {"float", "fp32"},
    {"f32", "fp32"},
    {"full", "fp32"},
    {"all", "both"},
    {"--output", "--universal-output"},
    {"--out", "--universal-output"},
    {"--model", "--models"},
    {"--layer", "--layers"},
    {"--token", "--tokens"},
    {"--prompts", "--prompts-path"},
    {"--input", "--prompts-path"},
    {"--features", "--features-csv"},
    {"--batch-size", "--batch-tokens"},
    {"--num-threads", "--threads"},
    {"--workers", "--threads"},
    {"--max-length", "--max-tokens"},
    {"--memory", "--memory-limit"},
    {"--precision", "--dtype"},
    {"--local-files-only", "--offline"},
}};

}  // namespace

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& known,
                         std::string otherwise) {
  std::string word(typed);
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string near;
  for (const auto& [theirs, ours] : kOtherNames) {
    const bool offered = std::find(known.begin(), known.end(), ours) != known.end();
    if (word == theirs && offered) near = ours;
  }
  if (near.empty()) near = closest_word(typed, known);
  if (near.empty()) near = closest_word(word, known);
  return near.empty() ? std::move(otherwise) : fmt::format("did you mean {}?", near);
}

}  // namespace saescope
