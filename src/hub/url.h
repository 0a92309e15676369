#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace saescope {

/// Whom a URL talks to. A token goes to the hub's own origin only, so scheme and port count too.
struct Origin {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lower case
  std::string port;    ///< decimal, the scheme's own where the URL names none

  bool operator==(const Origin&) const = default;
};

/// The origin of an absolute http or https URL; nothing for anything else.
std::optional<Origin> parse_origin(const std::string& url);

/// The absolute URL that `location` (absolute or relative) means when it stands at `base`.
std::optional<std::string> resolve_url(const std::string& base, const std::string& location);

/// `{endpoint}/{repo}/resolve/{revision}/{file}` with everything outside RFC 3986's unreserved set escaped.
std::string resolve_file_url(std::string_view endpoint, std::string_view repo, std::string_view revision,
                             std::string_view file);

/// A path inside a URL: everything outside RFC 3986's unreserved set escaped, but for slashes.
std::string escape_path(std::string_view path);

/// The URL without user, query and fragment: signed URLs carry secrets there that no message may show.
std::string display_url(const std::string& url);

}  // namespace saescope
