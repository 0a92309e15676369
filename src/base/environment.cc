#include "base/environment.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json_text.h"

namespace saescope {
namespace {

constexpr std::string_view kDefaultMark = ":-";

InputError cannot_expand(std::string what, std::string_view text, std::string hint) {
  return InputError({.what = std::move(what),
                     .where = {},
                     .expected = {},
                     .found = shown_text(text),
                     .hint = std::move(hint)});
}

bool is_variable_name(std::string_view name) {
  constexpr std::string_view kCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && name.find_first_not_of(kCharacters) == std::string_view::npos &&
         !(name.front() >= '0' && name.front() <= '9');
}

/// The value of what stands between the braces; `text` is the whole for messages.
std::string variable_value(std::string_view inside, std::string_view text, const Environment& environment) {
  const std::size_t mark = inside.find(kDefaultMark);
  const std::string name(inside.substr(0, mark));
  if (!is_variable_name(name)) {
    throw cannot_expand("malformed variable", text, "write ${NAME} or ${NAME:-default}");
  }
  if (inside.find("${") != std::string_view::npos) {
    throw cannot_expand("a variable inside of another one's default is not supported", text,
                        "write ${NAME:-default} with a default that holds no variable");
  }
  const std::optional<std::string> value = environment(name);
  if (mark == std::string_view::npos) {
    if (value) return *value;
    throw cannot_expand(fmt::format("the environment variable {} is not set", name), text,
                        fmt::format("set it, or write ${{{}:-default}}", name));
  }
  return value && !value->empty() ? *value : std::string(inside.substr(mark + kDefaultMark.size()));
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::string environment_text(const std::string& name) { return process_environment(name).value_or(""); }

std::optional<std::filesystem::path> find_home_folder(const Environment& environment) {
  if (const auto home = environment("HOME"); home && !home->empty()) return *home;
  std::vector<char> buffer(1 << 14);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    return found->pw_dir;
  }
  return std::nullopt;
}

std::filesystem::path home_folder(const Environment& environment) {
  if (auto home = find_home_folder(environment)) return *std::move(home);
  throw InputError({.what = "this account has no home folder",
                    .expected = "HOME in the environment, or a folder that the account names"});
}

std::string expand_variables(std::string_view text, const Environment& environment) {
  std::string out;
  std::string_view rest = text;
  for (std::size_t at = 0; (at = rest.find("${")) != std::string_view::npos;) {
    const std::size_t close = rest.find('}', at);
    if (close == std::string_view::npos) throw cannot_expand("a ${ without its }", text, {});
    out += rest.substr(0, at);
    out += variable_value(rest.substr(at + 2, close - at - 2), text, environment);
    rest.remove_prefix(close + 1);
  }
  return out += rest;
}

std::string expand_home(const std::string& text, const Environment& environment) {
  if (text.empty() || text.front() != '~') return text;
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string rest = text.substr(slash);
  if (slash == 1) {
    const auto home = find_home_folder(environment);
    return home ? home->string() + rest : text;
  }
  std::vector<char> buffer(1 << 14);
  passwd entry{};
  passwd* found = nullptr;
  const std::string user = text.substr(1, slash - 1);
  if (::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return text;
  return found->pw_dir + rest;
}

std::filesystem::path expand_path(std::string_view text, const std::filesystem::path& base,
                                  const Environment& environment) {
  std::string expanded = expand_variables(text, environment);
  if (!expanded.empty() && expanded.front() == '~') {
    if (expanded.size() > 1 && expanded[1] != '/') {
      throw cannot_expand("another user's home is not supported", text, "write the path out");
    }
    expanded = home_folder(environment).string() + expanded.substr(1);
  }
  return (std::filesystem::absolute(base) / expanded).lexically_normal();
}

std::optional<std::filesystem::path> user_cache_folder() {
  // The XDG base directory specification: a relative value counts as unset.
  const std::filesystem::path xdg = environment_text("XDG_CACHE_HOME");
  if (xdg.is_absolute()) return xdg / "saescope";
  const auto home = find_home_folder();
  return home ? std::optional(*home / ".cache" / "saescope") : std::nullopt;
}

}  // namespace saescope
