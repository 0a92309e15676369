#include "formats/json_document.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace saescope {
namespace {

using nlohmann::json;

/// The library parses without recursion, but prints and copies with it.
constexpr int kDeepest = 256;
/// The index of a model of 671 billion parameters takes 9 MiB; a document in memory up to 25 times its text.
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

/// The library takes a NUL for the end of the text, whatever follows.
void check_text(const std::string& text, const std::string& where) {
  if (text.size() > kMostBytes) {
    throw InputError({.what = "the JSON document is too large",
                      .where = where,
                      .expected = fmt::format("at most {} bytes", kMostBytes),
                      .found = fmt::format("{} bytes", text.size())});
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string::npos) {
    throw InputError(
        {.what = "not valid JSON", .where = where, .found = fmt::format("a NUL byte at byte {}", nul)});
  }
}

}  // namespace

json parse_json(const std::string& text, const std::string& where) {
  check_text(text, where);
  const auto check_depth = [&](int depth, json::parse_event_t, const json&) {
    if (depth <= kDeepest) return true;
    throw InputError({.what = "the JSON document is nested too deeply",
                      .where = where,
                      .expected = fmt::format("at most {} lists or objects inside each other", kDeepest)});
  };
  try {
    return json::parse(text, check_depth);
  } catch (const json::exception& error) {
    throw InputError({.what = "not valid JSON", .where = where, .found = error.what()});
  }
}

}  // namespace saescope
