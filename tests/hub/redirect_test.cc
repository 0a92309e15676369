// Redirects, and whom the token is shown to.

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kToken = "hf_secretsecretsecret";
constexpr const char* kBearer = "Bearer hf_secretsecretsecret";

class HubRedirect : public HubTest {
 protected:
  HubRedirect() { settings.token = kToken; }

  /// The Authorization headers of what a server was asked, by request target.
  static std::vector<std::string> authorizations(const TestHub& hub, const std::string& part) {
    std::vector<std::string> values;
    for (const HubRequest& request : hub.requests()) {
      if (request.target.find(part) != std::string::npos) values.push_back(request.header("authorization"));
    }
    return values;
  }
};

TEST_F(HubRedirect, TheTokenGoesToTheHub) {
  server.add_file("org/model", "config.json", "{}");
  make_hub().cached_file("org/model", "config.json");
  EXPECT_THAT(authorizations(server, "/resolve/"), testing::ElementsAre(kBearer, kBearer));
}

TEST_F(HubRedirect, FollowsARenamedRepositoryWithTheToken) {
  server.add_file("org/model", "config.json", "{}");
  server.gate("org/model", kToken);
  server.rename("org/model", "new/name");
  const auto path = make_hub().cached_file("org/model", "config.json");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "{}");
}

TEST_F(HubRedirect, StorageAtAnotherPortNeverSeesTheToken) {
  TestHub storage;
  server.store_lfs_at(storage, storage.endpoint());
  server.add_file("org/model", "w.bin", test_bytes(100'000), true);
  const auto path = make_hub().cached_file("org/model", "w.bin");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), test_bytes(100'000));
  EXPECT_THAT(authorizations(storage, "/"), testing::ElementsAre(""));
  EXPECT_EQ(storage.count("HEAD"), 0U);
}

TEST_F(HubRedirect, StorageUnderAnotherHostNameNeverSeesTheToken) {
  // Hub and storage are one server here, and the hook plays the storage's part.
  server.set_hook([](const HubRequest& request, HubReply& reply) {
    if (!request.target.starts_with("/cdn/")) return;
    reply.status = 200;
    reply.headers.clear();
    reply.body = HubBlob::of_bytes("weights");
    reply.length = 7;
  });
  TestHub storage;
  server.store_lfs_at(storage, server.other_name());
  server.add_file("org/model", "w.bin", "weights", true);
  const auto path = make_hub().cached_file("org/model", "w.bin");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "weights");
  EXPECT_THAT(authorizations(server, "/cdn/"), testing::ElementsAre(""));
}

TEST_F(HubRedirect, ResumingAtTheStorageDoesNotShowTheTokenEither) {
  TestHub storage;
  server.store_lfs_at(storage, storage.endpoint());
  server.add_file("org/model", "w.bin", test_bytes(100'000), true);
  storage.set_hook(spoil_first(2, "GET", [](HubReply& reply) { reply.drop_after = 30'000; }));
  const auto path = make_hub().cached_file("org/model", "w.bin");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), test_bytes(100'000));
  EXPECT_THAT(authorizations(storage, "/"), testing::ElementsAre("", "", ""));
  EXPECT_EQ(storage.requests().back().header("range"), "bytes=60000-");
}

TEST_F(HubRedirect, AMirrorThatSendsEverythingElsewhereKeepsTheToken) {
  TestHub origin;
  origin.add_file("org/model", "config.json", "{}");
  server.set_hook([&](const HubRequest& request, HubReply& reply) {
    reply = HubReply{.status = 302, .headers = {{"Location", origin.endpoint() + request.target}}};
  });
  const auto path = make_hub().cached_file("org/model", "config.json");
  ASSERT_TRUE(path);
  EXPECT_THAT(authorizations(origin, "/"), testing::ElementsAre("", ""));
}

TEST_F(HubRedirect, NeverLeavesHttps) {
  TestHub secure(TestHub::Scheme::kHttps);
  secure.store_lfs_at(server, server.endpoint());
  secure.add_file("org/model", "w.bin", "weights", true);
  settings.endpoint = secure.endpoint();
  settings.ca_bundle = secure.ca_file();
  Hub hub = make_hub();
  EXPECT_THAT(error_of<RunError>([&] { hub.cached_file("org/model", "w.bin"); }).what,
              HasSubstr("plain http"));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubRedirect, RefusesOtherProtocols) {
  server.add_file("org/model", "config.json", "{}");
  server.set_hook([](const HubRequest&, HubReply& reply) {
    reply.status = 302;
    reply.headers = {{"Location", "file:///etc/passwd"}};
  });
  Hub hub = make_hub();
  EXPECT_THROW(hub.cached_file("org/model", "config.json"), RunError);
}

TEST_F(HubRedirect, EndlessRedirectsEnd) {
  server.set_hook([](const HubRequest& request, HubReply& reply) {
    reply = HubReply{.status = 302, .headers = {{"Location", request.target}}};
  });
  Hub hub = make_hub();
  EXPECT_THAT(error_of<RunError>([&] { hub.cached_file("org/model", "w"); }).what, HasSubstr("redirects"));
  EXPECT_LE(server.requests().size(), 20U);
}

TEST_F(HubRedirect, MessagesShowNeitherTokenNorSignature) {
  TestHub storage;
  server.store_lfs_at(storage, storage.endpoint());
  server.add_file("org/model", "w.bin", "weights", true);
  storage.set_hook([](const HubRequest&, HubReply& reply) { reply.status = 403; });
  Hub hub = make_hub();
  try {
    hub.cached_file("org/model", "w.bin");
    FAIL() << "no error";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), HasSubstr("403"));
    EXPECT_THAT(error.what(), Not(HasSubstr("signature")));
    EXPECT_THAT(error.what(), Not(HasSubstr(kToken)));
  }
  for (const std::string& message : progress.messages) EXPECT_THAT(message, Not(HasSubstr("signature")));
}

TEST_F(HubRedirect, AnExpiredSignedAddressIsAskedForAnew) {
  TestHub storage;
  server.store_lfs_at(storage, storage.endpoint());
  server.add_file("org/model", "w.bin", "weights", true);
  storage.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.status = 403; }));
  EXPECT_TRUE(make_hub().cached_file("org/model", "w.bin"));
}

}  // namespace
}  // namespace saescope
