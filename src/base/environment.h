#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// Looks up an environment variable; tests pass their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's environment.
std::optional<std::string> process_environment(const std::string& name);

/// A variable of the process's environment; empty where it is unset: to everybody but expand_variables that
/// is the same.
std::string environment_text(const std::string& name);

/// The user's home folder: HOME, or what the account says where that is unset or empty; nothing where neither
/// names one.
std::optional<std::filesystem::path> find_home_folder(const Environment& environment = process_environment);

/// The same. @throws InputError where there is none
std::filesystem::path home_folder(const Environment& environment = process_environment);

/// Replaces `${NAME}` by the variable and `${NAME:-text}` by the variable or, where it is unset or empty,
/// by `text`. What was put in is not expanded again; a `$` without a brace stands for itself.
/// @throws InputError (where left empty) on an unset variable without a default, a malformed `${`, or a `${`
///         inside of a default.
std::string expand_variables(std::string_view text, const Environment& environment);

/// A leading `~` or `~user` as a shell would expand it; anything else, a user that does not exist included,
/// as it is.
std::string expand_home(const std::string& text, const Environment& environment = process_environment);

/// expand_variables, then a leading `~` or `~/` as the home folder, then made absolute below `base`.
/// @throws InputError as expand_variables, and on `~user`.
std::filesystem::path expand_path(std::string_view text, const std::filesystem::path& base,
                                  const Environment& environment);

/// `$XDG_CACHE_HOME/saescope`, or `~/.cache/saescope`: where the program keeps what it can make again.
/// Nothing where the account has no home folder and the variable is not set.
std::optional<std::filesystem::path> user_cache_folder();

}  // namespace saescope
