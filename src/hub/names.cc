#include "hub/names.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/error.h"

namespace saescope {
namespace {

constexpr std::size_t kMaxComponent = 255;  // bytes, Linux NAME_MAX
constexpr std::size_t kMaxFileName = 1024;
constexpr std::size_t kMaxRepoId = 96;  // huggingface_hub's validate_repo_id
constexpr std::size_t kMaxEtag = 128;

bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool is_name_char(char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; }

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = path.find('/', begin);
    parts.push_back(path.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

bool is_repo_part(std::string_view part) {
  const auto is_edge = [](char c) { return c == '-' || c == '.'; };
  return !part.empty() && std::all_of(part.begin(), part.end(), is_name_char) && !is_edge(part.front()) &&
         !is_edge(part.back());
}

bool is_safe_component(std::string_view part) {
  const auto is_bad = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '\\' || c == '/';
  };
  return !part.empty() && part.size() <= kMaxComponent && part != "." && part != ".." &&
         std::none_of(part.begin(), part.end(), is_bad);
}

}  // namespace

void check_repo_id(const std::string& repo) {
  const std::vector<std::string_view> parts = split_path(repo);
  const bool good = parts.size() <= 2 && repo.size() <= kMaxRepoId &&
                    std::all_of(parts.begin(), parts.end(), is_repo_part) &&
                    repo.find("--") == std::string::npos && repo.find("..") == std::string::npos &&
                    !repo.ends_with(".git");
  if (good) return;
  throw InputError({.what = "is not a repository id of the hub",
                    .where = "'" + repo + "'",
                    .expected = "'name' or 'organisation/name' of letters, digits, '-', '_' and '.'",
                    .found = repo.empty() ? "an empty text" : std::string(),
                    .hint = "a folder on this machine is named by a path that exists"});
}

HubRepo parse_hub_repo(const std::string& text) {
  HubRepo repo;
  const std::size_t at = text.find('@');
  repo.id = text.substr(0, at);
  check_repo_id(repo.id);
  if (at == std::string::npos) return repo;
  repo.revision = text.substr(at + 1);
  const std::vector<std::string_view> parts = split_path(repo.revision);
  const auto is_part = [](std::string_view part) {
    return is_safe_component(part) && std::all_of(part.begin(), part.end(), [](char c) {
             return is_name_char(c) || c == '+' || c == '@' || c == '=';
           });
  };
  if (repo.revision.size() <= kMaxComponent && std::all_of(parts.begin(), parts.end(), is_part)) return repo;
  throw InputError({.what = "is not a revision of a repository",
                    .where = "'" + text + "'",
                    .expected = "behind the @ a branch, a tag or a commit, such as org/name@main",
                    .found = repo.revision.empty() ? "nothing" : "'" + repo.revision + "'"});
}

void check_file_name(const std::string& file) {
  const std::vector<std::string_view> parts = split_path(file);
  if (file.size() <= kMaxFileName && std::all_of(parts.begin(), parts.end(), is_safe_component)) return;
  throw InputError({.what = "is not the name of a file in a repository",
                    .where = "'" + file + "'",
                    .expected = "a relative path with '/' between its parts and no '.' or '..' among them"});
}

std::optional<std::string> normalize_etag(std::string_view value) {
  if (value.starts_with("W/")) value.remove_prefix(2);
  if (value.starts_with('"')) value.remove_prefix(1);
  if (value.ends_with('"')) value.remove_suffix(1);
  const bool good = !value.empty() && value.size() <= kMaxEtag && is_alnum(value.front()) &&
                    std::all_of(value.begin(), value.end(), is_name_char);
  return good ? std::optional<std::string>(value) : std::nullopt;
}

bool is_commit_id(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 && std::all_of(text.begin(), text.end(), is_alnum);
}

bool is_hex(std::string_view text, std::size_t length) {
  return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
           return std::isxdigit(static_cast<unsigned char>(c)) != 0;
         });
}

}  // namespace saescope
