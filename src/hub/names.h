#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// Checks a repository id, `name` or `org/name`, by huggingface_hub's rules: it becomes a folder's name.
/// @throws InputError
void check_repo_id(const std::string& repo);

/// A repository of the hub at one of its revisions.
struct HubRepo {
  std::string id;                 ///< `name` or `org/name`
  std::string revision = "main";  ///< a branch, a tag, a pull request's reference or a commit
};

/// What users write: `org/name`, or `org/name@revision` for another revision than the branch `main`.
/// @throws InputError where the id or the revision cannot be one
HubRepo parse_hub_repo(const std::string& text);

/// Checks a file's path inside a repository: relative, `/` between its parts, none of them `.` or
/// `..`, no backslash or control character, so that joined to a folder it stays below it.
/// @throws InputError
void check_file_name(const std::string& file);

/// An ETag header's value without `W/` and quotes; nothing where the rest cannot be a file's name.
std::optional<std::string> normalize_etag(std::string_view value);

/// Whether `text` can be a commit id: letters and digits only, 7 to 64 of them. What the hub or
/// `refs/main` calls a commit becomes a folder's name.
bool is_commit_id(std::string_view text);

/// Whether `text` is `length` hexadecimal digits.
bool is_hex(std::string_view text, std::size_t length);

}  // namespace saescope
