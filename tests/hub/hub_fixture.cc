#include "hub/hub_fixture.h"

#include <stdlib.h>

#include <memory>
#include <random>
#include <stdexcept>

namespace saescope {

HubTest::HubTest() {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                           "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
    ::unsetenv(name);
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "saescope-hub-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  folder = pattern;
  settings.endpoint = server.endpoint();
  settings.cache = folder / "hub";
  settings.backoff = std::chrono::milliseconds(0);
  settings.retries = 3;
}

HubTest::~HubTest() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

std::string test_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() & 0xff);
  return bytes;
}

std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                               const std::string& suffix) {
  std::vector<std::filesystem::path> files;
  std::error_code missing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, missing)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(suffix)) files.push_back(entry.path());
  }
  return files;
}

TestHub::Hook spoil_first(int times, const std::string& method, std::function<void(HubReply&)> change) {
  const auto left = std::make_shared<int>(times);
  return [left, method, change = std::move(change)](const HubRequest& request, HubReply& reply) {
    if (request.method == method && *left > 0) {
      --*left;
      change(reply);
    }
  };
}

}  // namespace saescope
