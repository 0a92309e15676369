// A cache that holds everything is enough, whatever the hub does; and which commit is read.

#include <algorithm>

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// The cache of a program that fetched config.json and nothing else.
class CompleteCache : public HubTest {
 protected:
  CompleteCache() {
    server.add_file("org/model", "config.json", "first");
    make_hub().cached_file("org/model", "config.json");
    server.forget_requests();
    progress.messages.clear();
  }

  /// Asks for two files that are not in the cache.
  void expect_optional_files_absent() {
    Hub hub = make_hub();
    EXPECT_EQ(hub.optional_file("org/model", "chat_template.jinja"), std::nullopt);
    EXPECT_FALSE(hub.has_optional("org/model", "model.safetensors.index.json"));
    EXPECT_EQ(read_file(*hub.cached_file("org/model", "config.json")), "first");
  }
};

TEST_F(CompleteCache, AnOptionalFileThatItLacksIsAbsentOffline) {
  settings.offline = true;
  expect_optional_files_absent();
  EXPECT_TRUE(server.requests().empty());
  EXPECT_TRUE(progress.messages.empty()) << progress.messages.front();
}

TEST_F(CompleteCache, AnOptionalFileIsAbsentWhereTheHubCannotBeReachedWhichIsSaidOnce) {
  settings.endpoint = "http://127.0.0.1:1";
  expect_optional_files_absent();
  const auto said =
      std::count_if(progress.messages.begin(), progress.messages.end(),
                    [](const auto& message) { return message.find("count as absent") != std::string::npos; });
  EXPECT_EQ(said, 1);
}

TEST_F(CompleteCache, AnOptionalFileIsAbsentWhereTheHubIsDownOrRefusesTheToken) {
  for (const int status : {500, 503, 401, 403}) {
    server.set_hook([&](const HubRequest&, HubReply& reply) {
      reply = {.status = status, .headers = {{"X-Error-Message", "Invalid credentials"}}};
    });
    progress.messages.clear();
    server.forget_requests();
    expect_optional_files_absent();
    EXPECT_LE(server.requests().size(), 2u) << "the hub is not asked again";
    EXPECT_THAT(progress.messages, Contains(HasSubstr(std::to_string(status))));
  }
}

TEST_F(CompleteCache, ARefusalOfOneRepositoryIsNoneOfAnother) {
  server.add_file("org/open", "ae.pt", "bytes", true);
  server.gate("org/model", "another token");
  Hub hub = make_hub();
  EXPECT_EQ(hub.optional_file("org/model", "chat_template.jinja"), std::nullopt);
  EXPECT_EQ(read_file(hub.local_file("org/open", "ae.pt", folder / "saes")), "bytes");
}

TEST_F(CompleteCache, AHubThatAnswersIsAskedAndItsNoIsKept) {
  expect_optional_files_absent();
  EXPECT_THAT(server.requests(), SizeIs(2));
  server.forget_requests();
  expect_optional_files_absent();
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(CompleteCache, ARequiredFileThatItLacksIsNamed) {
  settings.offline = true;
  EXPECT_EQ(error_of<InputError>([&] { make_hub().cached_file("org/model", "tokenizer.json"); }).where,
            "org/model/tokenizer.json");
  settings.offline = false;
  settings.endpoint = "http://127.0.0.1:1";
  const ErrorDetail error =
      error_of<RunError>([&] { make_hub().cached_file("org/model", "tokenizer.json"); });
  EXPECT_THAT(error.where, HasSubstr("tokenizer.json"));
  EXPECT_EQ(error.hint.find("--offline"), std::string::npos) << "that was tried";
}

TEST_F(CompleteCache, WithoutRefsItsOnlySnapshotIsRead) {
  fs::remove_all(repo_folder() / "refs");
  settings.offline = true;
  expect_optional_files_absent();
  EXPECT_THAT(progress.messages, Contains(HasSubstr(server.commit("org/model"))));
  settings.offline = false;
  settings.endpoint = "http://127.0.0.1:1";
  EXPECT_EQ(read_file(*make_hub().cached_file("org/model", "config.json")), "first");
}

TEST_F(CompleteCache, WithoutRefsAReachableHubSaysWhichCommitIsMain) {
  fs::remove_all(repo_folder() / "refs");
  server.add_file("org/model", "config.json", "second");
  EXPECT_EQ(read_file(*make_hub().cached_file("org/model", "config.json")), "second");
}

TEST_F(CompleteCache, WithoutRefsOneOfSeveralSnapshotsIsNotGuessed) {
  fs::remove_all(repo_folder() / "refs");
  fs::create_directories(repo_folder() / "snapshots" / std::string(40, 'f'));
  settings.offline = true;
  EXPECT_THROW(make_hub().cached_file("org/model", "config.json"), InputError);
}

TEST_F(CompleteCache, ARevisionPinsTheCommit) {
  const std::string first = server.commit("org/model");
  server.add_file("org/model", "config.json", "second");
  const std::string second = server.commit("org/model");
  Hub hub = make_hub();
  EXPECT_EQ(read_file(*hub.cached_file("org/model@" + second, "config.json")), "second");
  EXPECT_EQ(read_file(*hub.cached_file("org/model@" + first, "config.json")), "first");
  EXPECT_EQ(hub.commit("org/model@" + second), second);
  EXPECT_EQ(read_file(repo_folder() / "refs" / "main"), first) << "a pinned commit is no branch";
  settings.offline = true;
  EXPECT_EQ(read_file(*make_hub().cached_file("org/model@" + second, "config.json")), "second");
}

TEST_F(CompleteCache, ARevisionThatCannotBeOneIsRefused) {
  for (const char* name : {"org/model@", "org/model@../x", "org/model@a//b", "org/model@a b"}) {
    EXPECT_THROW(make_hub().cached_file(name, "config.json"), InputError) << name;
  }
}

using MirrorWithoutSizes = HubTest;

TEST_F(MirrorWithoutSizes, IsReadToItsEndAndChecked) {
  const std::string bytes = test_bytes(300'000);
  server.add_file("org/model", "small.txt", "a text");
  server.add_file("org/model", "large.bin", bytes, true);
  server.set_hook([](const HubRequest&, HubReply& reply) {
    reply.without_length = true;
    std::erase_if(reply.headers, [](const auto& header) { return header.first == "X-Linked-Size"; });
  });
  Hub hub = make_hub();
  EXPECT_EQ(read_file(*hub.cached_file("org/model", "small.txt")), "a text");
  EXPECT_EQ(read_file(*hub.cached_file("org/model", "large.bin")), bytes);
  EXPECT_EQ(read_file(hub.local_file("org/model", "large.bin", folder / "plain")), bytes);
}

TEST_F(MirrorWithoutSizes, ThatEndsEarlyIsNoticedByTheChecksum) {
  server.add_file("org/model", "small.txt", "a text that is cut");
  server.set_hook([](const HubRequest&, HubReply& reply) {
    reply.without_length = true;
    reply.drop_after = 4;
  });
  EXPECT_THROW(make_hub().cached_file("org/model", "small.txt"), RunError);
  EXPECT_EQ(make_hub().find_cached("org/model", "small.txt"), std::nullopt);
}

class PinnedLocalFile : public HubTest {
 protected:
  PinnedLocalFile() {
    server.add_file("org/saes", "ae.pt", "first", true);
    first = server.commit("org/saes");
    make_hub().local_file("org/saes", "ae.pt", plain);
    server.add_file("org/saes", "ae.pt", "second", true);
    second = server.commit("org/saes");
    server.forget_requests();
  }
  std::string read(const std::string& name) { return read_file(make_hub().local_file(name, "ae.pt", plain)); }

  fs::path plain = folder / "saes";
  std::string first, second;
};

TEST_F(PinnedLocalFile, OfThatCommitIsReadWithoutARequest) {
  EXPECT_EQ(read("org/saes@" + first), "first");
  EXPECT_EQ(read("org/saes"), "first") << "without a revision, what is there counts";
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(PinnedLocalFile, OfAnotherCommitIsDownloadedAnew) {
  EXPECT_EQ(read("org/saes@" + second), "second");
  EXPECT_EQ(read("org/saes@" + first), "first");
}

TEST_F(PinnedLocalFile, OfAnotherCommitStopsAnOfflineRun) {
  settings.offline = true;
  EXPECT_THAT(error_of<InputError>([&] { read("org/saes@" + second); }).found, HasSubstr(first));
}

TEST_F(PinnedLocalFile, ThatNothingIsKnownOfIsReadWithAWarning) {
  fs::remove_all(plain / ".cache");
  EXPECT_EQ(read("org/saes@" + second), "first");
  EXPECT_THAT(progress.messages, Contains(HasSubstr("which revision")));
}

}  // namespace
}  // namespace saescope
