#include "base/error.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace saescope {
namespace {

std::string render(const ErrorDetail& detail) {
  std::string text;
  if (!detail.where.empty()) text += detail.where + ": ";
  text += detail.what;
  if (!detail.expected.empty()) text += "\n  expected: " + detail.expected;
  if (!detail.found.empty()) text += "\n  found:    " + detail.found;
  if (!detail.hint.empty()) text += "\n  hint:     " + detail.hint;
  return text;
}

}  // namespace

Error::Error(int exit_code, ErrorDetail detail)
    : std::runtime_error(render(detail)), exit_code_(exit_code), detail_(std::move(detail)) {}

RunError system_error(std::string what, std::string path, std::string hint) {
  const int code = errno;
  return RunError({.what = std::move(what),
                   .where = std::move(path),
                   .expected = {},
                   .found = std::generic_category().message(code),
                   .hint = std::move(hint)});
}

}  // namespace saescope
