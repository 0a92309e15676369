#include "hub/description_exports.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/atomic_file.h"
#include "base/environment.h"
#include "hub/cache_layout.h"
#include "hub/download.h"
#include "hub/download_folder.h"
#include "hub/file_lock.h"
#include "hub/hub_answer.h"
#include "hub/names.h"
#include "hub/redirects.h"
#include "hub/retry.h"
#include "hub/status_error.h"
#include "hub/url.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVariable = "SAESCOPE_DESCRIPTIONS_URL";
/// Lies beside a source's files once all of them are here.
constexpr const char* kComplete = "complete";

std::string batch_name(int batch) { return fmt::format("batch-{}.jsonl.gz", batch); }

/// A server may answer with a page in place of a file (a login, a proxy's message).
void require_gzip(const fs::path& path, const std::string& url) {
  std::array<char, 2> magic = {};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  if (magic == std::array<char, 2>{'\x1f', '\x8b'}) return;
  std::error_code ignored;
  fs::remove(path, ignored);
  throw RunError(
      {.what = "what came is no export of explanations",
       .where = url,
       .expected = "a gzip file",
       .found = "other bytes",
       .hint = fmt::format("check {} and the proxy: something else may have answered", kVariable)});
}

NetworkError status_error(const HttpResponse& response) {
  return answer_error({.what = "the server of the explanations answers with an error",
                       .where = display_url(response.url),
                       .found = fmt::format("HTTP {}", response.status),
                       .hint = "try again later; --offline goes on with what is on this machine"},
                      response);
}

}  // namespace

ExportSettings ExportSettings::from_environment() {
  ExportSettings settings;
  std::string address = environment_text(kVariable);
  while (address.ends_with('/')) address.pop_back();
  if (!address.empty()) settings.address = std::move(address);
  if (!parse_origin(settings.address)) {
    throw InputError({.what = "is not the address of an export of explanations",
                      .where = kVariable,
                      .expected = "an absolute http or https URL",
                      .found = "'" + settings.address + "'",
                      .hint = "correct the variable or unset it"});
  }
  if (const auto cache = user_cache_folder()) settings.folder = *cache / "descriptions";
  return settings;
}

struct DescriptionExports::Impl {
  Impl(ExportSettings where, const HubSettings& hub, const Context& handed)
      : settings(std::move(where)), network(hub), context(handed), http(hub, handed) {}

  ExportSettings settings;
  HubSettings network;
  Context context;
  HttpClient http;

  /// Below the address and below the folder.
  static std::string path_of(const std::string& model, const std::string& source) {
    std::string path = fmt::format("v1/{}/{}/explanations", model, source);
    check_file_name(path);
    return path;
  }

  HttpResponse send(HttpRequest request) {
    request.headers.emplace_back("Accept-Encoding: identity");  // the file is packed already
    return send_following(http, std::move(request),
                          [](const std::string&) { return std::vector<std::string>(); });
  }

  /// What a batch is; nothing where the export ends before it. A bucket that may not be listed answers with
  /// 403.
  std::optional<HubFileInfo> head_once(const std::string& url, int& status) {
    HttpRequest request;
    request.method = HttpRequest::Method::kHead;
    request.url = url;
    const HttpResponse response = send(std::move(request));
    status = response.status;
    if (status == 403 || status == 404) return std::nullopt;
    if (status != 200) throw status_error(response);
    HubFileInfo info;
    const auto etag = response.headers.get("etag");
    info.etag = (etag ? normalize_etag(*etag) : std::nullopt).value_or(std::string());
    const auto size = response.headers.get("content-length");
    // Without an identity nothing says whether what lies here is the beginning of the same file.
    if (size && !info.etag.empty()) info.size = parse_decimal(*size);
    return info;
  }

  std::optional<HubFileInfo> head(const std::string& url, int& status) {
    return Retry(network, context).run([&] { return head_once(url, status); });
  }

  void get(const std::string& url, const HubFileInfo& info, uint64_t offset,
           const std::function<void(uint64_t)>& on_start,
           const std::function<void(std::string_view)>& on_body) {
    HttpRequest request;
    request.url = url;
    if (offset > 0) {
      request.headers = {fmt::format("Range: bytes={}-", offset), fmt::format("If-Range: \"{}\"", info.etag)};
    }
    request.on_response = [&](const HttpResponse& response) {
      if (response.status != 200 && response.status != 206) return false;
      on_start(start_of_body(response, info, offset));
      return true;
    };
    request.on_body = on_body;
    const HttpResponse response = send(std::move(request));
    if (response.status >= 400) throw status_error(response);
  }

  /// @return whether there is such a batch
  bool fetch_batch(const std::string& path, const fs::path& folder, int batch, int& status) {
    const fs::path file = folder / batch_name(batch);
    if (has_file(file)) return true;
    const std::string url =
        fmt::format("{}/{}", settings.address, escape_path(path + "/" + batch_name(batch)));
    const auto info = head(url, status);
    if (!info) return false;
    const fs::path incomplete = folder / fmt::format("{}.{}.incomplete", batch_name(batch), info->etag);
    remove_stale(incomplete, batch_name(batch) + ".");
    const auto bytes = [&](uint64_t offset, const auto& on_start, const auto& on_body) {
      get(url, *info, offset, on_start, on_body);
    };
    // Named only after its content was looked at, so that a page in its place is never taken for it.
    const fs::path unchecked = folder / (batch_name(batch) + ".unchecked");
    download_file({path.substr(std::string_view("v1/").size()) + "/" + batch_name(batch), url, bytes},
                  network, *info, {.incomplete = incomplete, .destination = unchecked}, context);
    require_gzip(unchecked, url);
    fs::rename(unchecked, file);
    return true;
  }

  bool fetch_all(const std::string& path, const fs::path& folder) {
    create_writable_folder(folder);
    const FileLock lock(folder / ".lock", context);
    if (has_file(folder / kComplete)) return true;  // another run brought them meanwhile
    int batches = 0;
    int status = 0;
    while (fetch_batch(path, folder, batches, status)) {
      context.cancel->check();
      ++batches;
    }
    if (batches == 0) {
      context.progress->warn(
          fmt::format("{}/{}: no explanations are published (HTTP {}); descriptions stay empty",
                      settings.address, path, status));
      return false;
    }
    write_file_atomically(folder / kComplete, fmt::format("{}\n", batches));
    return true;
  }
};

DescriptionExports::DescriptionExports(ExportSettings settings, const HubSettings& hub,
                                       const Context& context)
    : impl_(std::make_unique<Impl>(std::move(settings), hub, context)) {}

DescriptionExports::~DescriptionExports() = default;

fs::path DescriptionExports::folder_of(const std::string& model, const std::string& source) const {
  return impl_->settings.folder / Impl::path_of(model, source);
}

std::string DescriptionExports::url_of(const std::string& model, const std::string& source) const {
  return fmt::format("{}/{}/{}", impl_->settings.address, escape_path(Impl::path_of(model, source)),
                     batch_name(0));
}

bool DescriptionExports::is_complete(const std::string& model, const std::string& source) const {
  return !impl_->settings.folder.empty() && has_file(folder_of(model, source) / kComplete);
}

bool DescriptionExports::fetch(const std::string& model, const std::string& source) {
  if (is_complete(model, source)) return true;
  if (impl_->settings.folder.empty()) {
    throw InputError({.what = "there is no folder to keep explanations in: this account has no home folder",
                      .where = "--descriptions auto",
                      .hint = "set XDG_CACHE_HOME"});
  }
  if (impl_->network.offline) {
    impl_->context.progress->warn(fmt::format(
        "the explanations of {}/{} are not on this machine, and the run is offline; descriptions stay empty",
        model, source));
    return false;
  }
  return impl_->fetch_all(Impl::path_of(model, source), folder_of(model, source));
}

}  // namespace saescope
