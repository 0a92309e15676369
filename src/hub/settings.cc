#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <optional>

#include "base/atomic_file.h"
#include "base/environment.h"
#include "base/error.h"
#include "hub/hub.h"
#include "hub/url.h"

namespace saescope {
namespace {

std::string first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = environment_text(name); !value.empty()) return value;
  }
  return {};
}

bool is_true(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  constexpr std::array<std::string_view, 4> kTrue = {"1", "ON", "YES", "TRUE"};
  return std::find(kTrue.begin(), kTrue.end(), value) != kTrue.end();
}

/// Replaces `$NAME` and `${NAME}`; a variable that is not set stays as it is written (os.path.expandvars).
std::string expand_like_python(const std::string& text) {
  const auto is_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  std::string out;
  for (std::size_t pos = 0; pos < text.size();) {
    const bool braced = text.compare(pos, 2, "${") == 0;
    const std::size_t begin = pos + (braced ? 2 : 1);
    std::size_t end = begin;
    while (text[pos] == '$' && end < text.size() && is_name(text[end])) ++end;
    const bool closed = !braced || (end < text.size() && text[end] == '}');
    const std::string name = end > begin && closed ? text.substr(begin, end - begin) : std::string();
    const auto value = name.empty() ? std::nullopt : process_environment(name);
    if (!value) {
      out += text[pos++];
    } else {
      out += *value;
      pos = end + (braced ? 1 : 0);
    }
  }
  return out;
}

std::filesystem::path expand_hub_path(std::string text) {
  if (text == "~" || text.starts_with("~/")) text = home_folder().string() + text.substr(1);
  return expand_like_python(text);
}

/// Empty where the account has no home folder.
std::filesystem::path hf_home() {
  if (const std::string home = environment_text("HF_HOME"); !home.empty()) return expand_hub_path(home);
  const std::string cache = environment_text("XDG_CACHE_HOME");
  if (!cache.empty()) return expand_hub_path(cache) / "huggingface";
  const auto home = find_home_folder();
  return home ? *home / ".cache" / "huggingface" : std::filesystem::path();
}

std::string read_endpoint() {
  std::string endpoint = environment_text("HF_ENDPOINT");
  if (endpoint.empty()) return HubSettings().endpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (parse_origin(endpoint)) return endpoint;
  throw InputError({.what = "is not the address of a hub",
                    .where = "HF_ENDPOINT",
                    .expected = "an absolute URL such as https://huggingface.co",
                    .found = "'" + endpoint + "'",
                    .hint = "correct the variable or unset it"});
}

/// Removes line ends anywhere and space around; the rest must be fit for a header field.
std::string clean_token(std::string token, const std::string& source) {
  std::erase_if(token, [](char c) { return c == '\r' || c == '\n'; });
  constexpr const char* kBlanks = " \t";
  const std::size_t begin = token.find_first_not_of(kBlanks);
  if (begin == std::string::npos) return {};
  token = token.substr(begin, token.find_last_not_of(kBlanks) - begin + 1);
  if (std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; })) return token;
  throw InputError({.what = "does not hold an access token",
                    .where = source,
                    .expected = "a token like hf_…, printable ASCII without spaces",
                    .found = fmt::format("{} bytes with other characters among them", token.size()),
                    .hint = "create a token in the hub's settings and copy it whole"});
}

std::string read_token(const std::filesystem::path& home) {
  if (is_true(environment_text("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return {};
  if (const std::string token = first_of({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}); !token.empty()) {
    return clean_token(token, "HF_TOKEN");
  }
  const std::string named = environment_text("HF_TOKEN_PATH");
  const std::filesystem::path path = named.empty() ? home / "token" : expand_hub_path(named);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};
  return clean_token(read_file(path), path.string());
}

std::filesystem::path read_ca_bundle() {
  for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    std::filesystem::path path = environment_text(name);
    if (path.empty()) continue;
    std::error_code error;
    if (std::filesystem::exists(path, error)) return path;
    throw InputError({.what = "names no certificates",
                      .where = name,
                      .expected = "an existing file (PEM) or folder",
                      .found = path.string(),
                      .hint = "correct the variable or unset it"});
  }
  return {};
}

}  // namespace

// The variables and their order are those of huggingface_hub's constants.py and utils/_auth.py.
HubSettings HubSettings::from_environment() {
  HubSettings settings;
  const std::filesystem::path home = hf_home();
  settings.endpoint = read_endpoint();
  settings.token = read_token(home);
  const std::string cache = first_of({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"});
  if (!cache.empty()) {
    settings.cache = expand_hub_path(cache);
  } else if (!home.empty()) {
    settings.cache = home / "hub";
  }
  settings.offline = is_true(first_of({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}));
  settings.ca_bundle = read_ca_bundle();
  return settings;
}

}  // namespace saescope
