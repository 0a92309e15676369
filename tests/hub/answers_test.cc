// What the hub answers besides files: refusals, limits, failures, nonsense.

#include <fmt/format.h>

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class HubAnswers : public HubTest {
 protected:
  HubAnswers() { server.add_file("org/model", "config.json", "{}"); }
  std::optional<std::filesystem::path> fetch() { return make_hub().cached_file("org/model", "config.json"); }
  void spoil_head(std::function<void(HubReply&)> change) {
    server.set_hook(spoil_first(1000, "HEAD", std::move(change)));
  }
};

TEST_F(HubAnswers, AGatedRepositorySaysHowToGetAccess) {
  server.gate("org/model", "hf_right");
  const ErrorDetail error = error_of<InputError>([&] { fetch(); });
  EXPECT_THAT(error.what, HasSubstr("gated"));
  EXPECT_THAT(error.found, HasSubstr("Access to model org/model is restricted."));
  EXPECT_THAT(error.hint, AllOf(HasSubstr(server.endpoint() + "/org/model"), HasSubstr("HF_TOKEN")));
  EXPECT_EQ(server.requests().size(), 1U) << "asking again would not help";
}

TEST_F(HubAnswers, AGatedRepositorySaysThatTheTokenHasNoAccess) {
  server.gate("org/model", "hf_right");
  settings.token = "hf_wrong";
  const ErrorDetail error = error_of<InputError>([&] { fetch(); });
  EXPECT_THAT(error.hint, AllOf(HasSubstr("the account whose token is in use"), Not(HasSubstr("hf_wrong"))));
}

TEST_F(HubAnswers, AGatedRepositoryOpensToItsToken) {
  server.gate("org/model", "hf_right");
  settings.token = "hf_right";
  EXPECT_TRUE(fetch());
}

TEST_F(HubAnswers, AnUnknownRepositoryIsBadInput) {
  for (const char* token : {"", "hf_any"}) {
    settings.token = token;
    Hub hub = make_hub();
    const ErrorDetail error = error_of<InputError>([&] { hub.cached_file("org/other", "config.json"); });
    EXPECT_THAT(error.what, HasSubstr("no such repository"));
    EXPECT_EQ(error.where, server.endpoint() + "/org/other");
  }
}

TEST_F(HubAnswers, AnInvalidTokenIsNamed) {
  spoil_head([](HubReply& reply) {
    reply.status = 401;
    reply.headers = {{"X-Error-Message", "Invalid credentials in Authorization header"}};
  });
  const ErrorDetail error = error_of<InputError>([&] { fetch(); });
  EXPECT_THAT(error.found, HasSubstr("Invalid credentials"));
  EXPECT_THAT(error.hint, HasSubstr("token"));
}

TEST_F(HubAnswers, A404WithoutTheHubsHeadersIsNoMissingFile) {
  spoil_head([](HubReply& reply) {
    reply.status = 404;
    reply.headers.clear();
  });
  EXPECT_THROW(fetch(), InputError);
}

TEST_F(HubAnswers, TooManyRequestsAreRepeatedWhenTheServerSaysSo) {
  settings.backoff = std::chrono::hours(1);  // Retry-After replaces it
  server.set_hook(spoil_first(2, "HEAD", [](HubReply& reply) {
    reply.status = 429;
    reply.set_header("Retry-After", "0");
  }));
  EXPECT_TRUE(fetch());
  EXPECT_EQ(server.count("HEAD"), 3U);
}

TEST_F(HubAnswers, AVeryLongRetryAfterIsNotWaitedFor) {
  spoil_head([](HubReply& reply) {
    reply.status = 429;
    reply.set_header("Retry-After", "86400");
  });
  EXPECT_THAT(error_of<RunError>([&] { fetch(); }).found, HasSubstr("429"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HubAnswers, ServerErrorsAreRepeatedAndThenReported) {
  for (const int status : {500, 502, 503, 504}) {
    server.forget_requests();
    spoil_head([status](HubReply& reply) { reply.status = status; });
    EXPECT_THAT(error_of<RunError>([&] { fetch(); }).found, HasSubstr(fmt::format("HTTP {}", status)));
    EXPECT_EQ(server.requests().size(), 4U) << "one try and three more";
  }
}

TEST_F(HubAnswers, ServerErrorsThatPassDoNoHarm) {
  server.set_hook(spoil_first(3, "GET", [](HubReply& reply) {
    reply.status = 503;
    reply.headers.clear();
  }));
  const auto path = fetch();
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "{}");
}

TEST_F(HubAnswers, OtherClientErrorsAreNotRepeated) {
  spoil_head([](HubReply& reply) { reply.status = 418; });
  EXPECT_THROW(fetch(), RunError);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HubAnswers, NothingListeningIsARunError) {
  settings.endpoint = "http://127.0.0.1:1";
  const ErrorDetail error = error_of<RunError>([&] { fetch(); });
  EXPECT_THAT(error.hint, HasSubstr("HF_ENDPOINT"));
  EXPECT_EQ(progress.messages.size(), 3U) << "each further try is announced";
}

TEST_F(HubAnswers, AnAnswerThatIsNoHubsIsRefused) {
  const std::vector<std::pair<std::string, std::string>> nonsense = {
      {"ETag", "\"../../../etc/cron.d/x\""},
      {"ETag", "\"\""},
      {"ETag", "\".hidden\""},
      {"ETag", "\"" + std::string(500, 'a') + "\""},
      {"X-Repo-Commit", "../../x"},
      {"X-Repo-Commit", ""},
  };
  for (const auto& [name, value] : nonsense) {
    spoil_head([&, name = name, value = value](HubReply& reply) { reply.set_header(name, value); });
    EXPECT_THAT(error_of<RunError>([&] { fetch(); }).what, HasSubstr(name));
  }
  spoil_head([](HubReply& reply) { reply.headers.clear(); });
  EXPECT_THROW(fetch(), RunError);
  EXPECT_TRUE(files_below(settings.cache).empty()) << "nothing is written on such an answer";
}

TEST_F(HubAnswers, HeadersAreBounded) {
  spoil_head([](HubReply& reply) {
    for (int i = 0; i < 100; ++i) reply.headers.emplace_back(fmt::format("X-{}", i), std::string(1000, 'x'));
  });
  EXPECT_THAT(error_of<RunError>([&] { fetch(); }).what, HasSubstr("too many headers"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HubAnswers, TheServersWordsCannotSteerTheTerminal) {
  server.gate("org/model", "hf_right");
  spoil_head([](HubReply& reply) { reply.set_header("X-Error-Message", "red \x1b[31m text"); });
  EXPECT_THAT(error_of<InputError>([&] { fetch(); }).found, Not(HasSubstr("\x1b")));
}

TEST_F(HubAnswers, AnEtagThatIsNoChecksumStillHasItsSizeChecked) {
  const auto other_etag = [](const HubRequest&, HubReply& reply) {
    reply.set_header("ETag", "\"mirror-17\"");
  };
  server.set_hook(other_etag);
  const auto path = fetch();
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "{}");
  EXPECT_EQ(std::filesystem::read_symlink(*path), "../../blobs/mirror-17");
}

}  // namespace
}  // namespace saescope
