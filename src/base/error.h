#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace saescope {

/// The facts of a failure, in the order they are printed. Empty members are left out. They may quote a file
/// as it is: control characters and bytes that are not UTF-8 are printed escaped, long texts cut.
struct ErrorDetail {
  std::string what = {};      ///< what went wrong, one clause without a final stop
  std::string where = {};     ///< file, line, tensor, prompt: the place
  std::string expected = {};  ///< what would have been right
  std::string found = {};     ///< what stood there instead
  std::string hint = {};      ///< what the user can do about it
};

/// A fact as it is printed: whatever it quotes neither steers a terminal, nor looks like another message, nor
/// fills the screen; valid UTF-8.
std::string printable(std::string_view fact);

/// Base of every error that reaches the user. Thrown where the fact is known, caught in `main` alone.
class Error : public std::runtime_error {
 public:
  /// @param exit_code the process's exit status when nobody handles the error
  Error(int exit_code, ErrorDetail detail);
  int exit_code() const { return exit_code_; }
  const ErrorDetail& detail() const { return detail_; }

 private:
  int exit_code_;
  ErrorDetail detail_;
};

/// Bad usage or bad input (a flag, a prompt line, a malformed file): exit code 2.
class InputError : public Error {
 public:
  explicit InputError(ErrorDetail detail) : Error(2, std::move(detail)) {}
};

/// Runs what throws InputErrors without a `where`, and gives them one.
template <typename Function>
auto at_place(const std::string& where, Function&& work) {
  try {
    return work();
  } catch (const InputError& error) {
    ErrorDetail detail = error.detail();
    detail.where = where;
    throw InputError(std::move(detail));
  }
}

/// Something failed at run time (disk full, network, memory): exit code 1.
class RunError : public Error {
 public:
  explicit RunError(ErrorDetail detail) : Error(1, std::move(detail)) {}
};

/// The user or the system asked the run to end: exit code 128 + signal.
class Interrupted : public Error {
 public:
  explicit Interrupted(int signal) : Error(128 + signal, {.what = "interrupted"}) {}
};

/// A RunError for a failed system call: `what` and `path`, with errno's text as `found`.
/// Call it at once, before errno changes.
[[nodiscard]] RunError system_error(std::string what, std::string path, std::string hint = {});

}  // namespace saescope
