#include "hub/hub_answer.h"

#include <algorithm>
#include <string>

#include "fuzz_target.h"
#include "hub/cache_layout.h"
#include "hub/status_error.h"
#include "hub/url.h"

namespace {

using saescope::HttpResponse;
using saescope::HubFileInfo;
using saescope::testing::require;

constexpr std::string_view kUrl = "https://huggingface.co/org/name/resolve/main/model.safetensors";

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size()));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

/// The first line is the status, the others are header fields, as libcurl hands them over.
HttpResponse read_response(std::string_view text) {
  HttpResponse response{.url = std::string(kUrl), .status = 0, .headers = {}};
  const auto status = saescope::parse_decimal(take_line(text));
  response.status = static_cast<int>(std::clamp<uint64_t>(status.value_or(200), 200, 999));
  while (!text.empty() && response.headers.add_line(take_line(text))) continue;
  return response;
}

/// A message must not steer the terminal, whatever the server wrote.
void require_plain(const saescope::Error& error) {
  const std::string_view text = error.what();
  require(std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F;
  }));
}

template <typename Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const saescope::InputError& error) {
    require_plain(error);
  } catch (const saescope::RunError& error) {
    require_plain(error);
  }
}

void check_info(const HubFileInfo& info) {
  saescope::RepoCache cache("/cache", "org/name");
  const std::filesystem::path blob = cache.blob(info.etag);
  require(blob.parent_path() == "/cache/models--org--name/blobs" && blob.filename() == info.etag);
  require(info.commit.find_first_of("/.") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const HttpResponse response = read_response(text);
  const saescope::RemoteFile file{.repo = "org/name", .revision = "main", .file = "model.safetensors"};
  const HubFileInfo expected{.commit = "0123456789", .etag = "abc", .size = 200, .sha256 = std::nullopt};
  attempt([&] { check_info(saescope::read_file_info(response)); });
  attempt([&] { require(saescope::start_of_body(response, expected, 100) <= 100); });
  attempt([&] { saescope::check_identity(response, expected, true); });
  if (saescope::is_redirect(response)) {
    attempt([&] {
      require(saescope::parse_origin(saescope::redirect_target(response)).value().scheme == "https");
    });
  }
  if (response.status >= 400 && !saescope::is_missing_entry(response)) {
    attempt([&] { saescope::throw_status_error(saescope::HubSettings(), file, response); });
  }
  return 0;
}
