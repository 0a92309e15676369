// HTTPS and proxies.

#include <stdlib.h>

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

class HubTls : public HubTest {
 protected:
  HubTls() {
    secure.add_file("org/model", "w.bin", content, true);
    settings.endpoint = secure.endpoint();
  }
  ~HubTls() override {
    ::unsetenv("http_proxy");
    ::unsetenv("SSL_CERT_FILE");
  }
  std::optional<std::filesystem::path> fetch() { return make_hub().cached_file("org/model", "w.bin"); }

  TestHub secure{TestHub::Scheme::kHttps};
  std::string content = test_bytes(300'000);
};

TEST_F(HubTls, DownloadsWithATrustedCertificate) {
  ::setenv("SSL_CERT_FILE", secure.ca_file().c_str(), 1);
  settings.ca_bundle = HubSettings::from_environment().ca_bundle;
  const auto path = fetch();
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), content);
}

TEST_F(HubTls, ResumesADroppedConnection) {
  settings.ca_bundle = secure.ca_file();
  secure.set_hook(spoil_first(2, "GET", [](HubReply& reply) { reply.drop_after = 100'001; }));
  const auto path = fetch();
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), content);
}

TEST_F(HubTls, RefusesAnUnknownCertificateAtOnce) {
  const ErrorDetail error = error_of<RunError>([&] { fetch(); });
  EXPECT_THAT(error.hint, testing::HasSubstr("SSL_CERT_FILE"));
  EXPECT_TRUE(secure.requests().empty());
  EXPECT_TRUE(progress.messages.empty()) << "no further try";
}

TEST_F(HubTls, RefusesACertificateOfAnotherAuthority) {
  const TestHub other(TestHub::Scheme::kHttps);
  settings.ca_bundle = other.ca_file();
  EXPECT_THROW(fetch(), RunError);
  EXPECT_TRUE(secure.requests().empty());
}

TEST_F(HubTls, GoesThroughTheProxyOfTheEnvironment) {
  server.add_file("org/model", "w.bin", "through the proxy", true);
  ::setenv("http_proxy", server.endpoint().c_str(), 1);
  settings.endpoint = "http://hub.invalid";
  const auto path = fetch();
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "through the proxy");
  EXPECT_TRUE(server.requests().front().target.starts_with("http://hub.invalid/org/model/resolve/main/"));
}

}  // namespace
}  // namespace saescope
