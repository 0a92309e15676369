#include "hub/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "hub/certificates.h"
#include "hub/url.h"

namespace saescope {
namespace {

constexpr long kConnectTimeout = 30;          // seconds
constexpr long kReceiveBuffer = 512L * 1024;  // bytes; libcurl's largest
constexpr std::size_t kMaxUnwantedBody =
    std::size_t{64} * 1024;  // bytes read only to keep the connection open

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What libcurl's callbacks share during one exchange. They run between C frames, so they catch
/// everything and keep the first exception here.
struct Exchange {
  const HttpRequest& request;
  const Context& context;
  CURL* handle;
  HttpResponse response;
  bool head_done = false;
  bool body_wanted = false;
  std::size_t unwanted = 0;  // bytes of a body nobody asked for
  std::exception_ptr failure;

  void finish_head() {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    if (status < 200) return;  // 100 Continue and its kind: the real head follows
    head_done = true;
    body_wanted = !request.on_response || request.on_response(response);
  }

  void take_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {
      response.headers.clear();
    } else if (line == "\r\n" || line == "\n") {
      finish_head();
    } else if (!head_done && !response.headers.add_line(line)) {  // later ones are trailers
      throw NetworkError({.what = "the server's answer has too many headers",
                          .where = display_url(request.url),
                          .expected = fmt::format("at most {} bytes", HttpHeaders::kMaxBytes)},
                         false);
    }
  }

  /// Runs a callback's work. @return false to make libcurl end the exchange
  template <typename Work>
  bool guarded(Work work) {
    try {
      context.cancel->check();
      work();
      return true;
    } catch (...) {
      if (!failure) failure = std::current_exception();
      return false;
    }
  }
};

std::size_t header_callback(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  return exchange.guarded([&] { exchange.take_header({data, size}); }) ? size : 0;
}

std::size_t body_callback(char* data, std::size_t, std::size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (!exchange.body_wanted) {
    exchange.unwanted += size;
    return exchange.unwanted <= kMaxUnwantedBody ? size : 0;
  }
  const bool taken = exchange.guarded([&] {
    if (exchange.request.on_body) exchange.request.on_body({data, size});
  });
  return taken ? size : 0;
}

/// libcurl calls this about once a second even when nothing arrives.
int progress_callback(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(user)->guarded([] {}) ? 0 : 1;
}

bool is_transient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return true;
    default:
      return false;
  }
}

std::string hint_for(CURLcode code) {
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return "set SSL_CERT_FILE to the certificates to trust, if a proxy or mirror of yours stands "
             "in between or this system keeps them in a place of its own";
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
      return "check the network, the proxy variables and HF_ENDPOINT";
    default:
      return "check the network and run again";
  }
}

void initialise_libcurl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (done != CURLE_OK) throw RunError({.what = "libcurl cannot start"});
}

/// What is trusted where the settings name nothing; empty for libcurl's own default, if it exists here.
std::filesystem::path default_certificates() {
  const curl_version_info_data* built = curl_version_info(CURLVERSION_NOW);
  const char* place = built->cainfo != nullptr ? built->cainfo : built->capath;
  std::error_code error;
  if (place != nullptr && std::filesystem::exists(place, error)) return {};
  return find_system_certificates();
}

}  // namespace

struct HttpClient::Impl {
  HubSettings settings;
  Context context;
  std::unique_ptr<CURL, EasyDeleter> handle;
  std::array<char, CURL_ERROR_SIZE> message{};

  void set_security() {
    CURL* curl = handle.get();
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    if (settings.ca_bundle.empty()) return;
    const bool folder = std::filesystem::is_directory(settings.ca_bundle);
    curl_easy_setopt(curl, folder ? CURLOPT_CAPATH : CURLOPT_CAINFO, settings.ca_bundle.c_str());
  }

  void set_transfer(Exchange& exchange) {
    CURL* curl = handle.get();
    curl_easy_setopt(curl, CURLOPT_URL, exchange.request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOBODY, exchange.request.method == HttpRequest::Method::kHead ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "saescope");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeout);
    const auto own = exchange.request.stall_timeout;
    const auto stall = own.count() > 0 ? std::min(own, settings.stall_timeout) : settings.stall_timeout;
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(stall.count()));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kReceiveBuffer);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &header_callback);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &body_callback);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &progress_callback);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
  }
};

HttpClient::HttpClient(const HubSettings& settings, const Context& context)
    : impl_(std::make_unique<Impl>(Impl{.settings = settings, .context = context, .handle = {}})) {
  initialise_libcurl();
  if (impl_->settings.ca_bundle.empty()) impl_->settings.ca_bundle = default_certificates();
  impl_->handle.reset(curl_easy_init());
  if (impl_->handle == nullptr) throw RunError({.what = "libcurl cannot start"});
}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::send(const HttpRequest& request) {
  impl_->context.cancel->check();
  CURL* curl = impl_->handle.get();
  curl_easy_reset(curl);  // keeps open connections
  impl_->message.front() = '\0';
  Exchange exchange{.request = request,
                    .context = impl_->context,
                    .handle = curl,
                    .response = {.url = request.url, .status = 0, .headers = {}},
                    .failure = nullptr};
  impl_->set_security();
  impl_->set_transfer(exchange);
  std::unique_ptr<curl_slist, ListDeleter> lines;
  for (const std::string& line : request.headers) {
    curl_slist* longer = curl_slist_append(lines.get(), line.c_str());
    if (longer == nullptr) throw RunError({.what = "out of memory"});
    static_cast<void>(lines.release());
    lines.reset(longer);
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines.get());
  const CURLcode code = curl_easy_perform(curl);
  if (exchange.failure) std::rethrow_exception(exchange.failure);
  const bool declined = code == CURLE_WRITE_ERROR && exchange.head_done && !exchange.body_wanted;
  if (code != CURLE_OK && !declined) {
    const bool explained = impl_->message.front() != '\0';
    throw NetworkError({.what = "the connection failed",
                        .where = display_url(request.url),
                        .found = explained ? impl_->message.data() : curl_easy_strerror(code),
                        .hint = hint_for(code)},
                       is_transient(code));
  }
  return exchange.response;
}

}  // namespace saescope
