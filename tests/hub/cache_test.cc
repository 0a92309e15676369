// The hub cache: its layout, and when a file comes from it without a request.

#include <fstream>

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

using HubCache = HubTest;

TEST_F(HubCache, LaysFilesOutAsHuggingfaceHubDoes) {
  const std::string config_etag = server.add_file("org/model", "config.json", "{}");
  const std::string weights_etag = server.add_file("org/model", "sub/dir/model.safetensors", "weights", true);
  const std::string commit = server.commit("org/model");
  Hub hub = make_hub();

  const auto config = hub.cached_file("org/model", "config.json");
  const auto weights = hub.cached_file("org/model", "sub/dir/model.safetensors");

  ASSERT_TRUE(config && weights);
  EXPECT_EQ(*config, repo_folder() / "snapshots" / commit / "config.json");
  EXPECT_EQ(fs::read_symlink(*config), "../../blobs/" + config_etag);
  EXPECT_EQ(fs::read_symlink(*weights), "../../../../blobs/" + weights_etag);
  EXPECT_EQ(read_file(*weights), "weights");
  EXPECT_EQ(read_file(repo_folder() / "refs" / "main"), commit);
  EXPECT_TRUE(fs::exists(settings.cache / ".locks" / "models--org--model" / (weights_etag + ".lock")));
  EXPECT_TRUE(files_below(settings.cache, ".incomplete").empty());
}

TEST_F(HubCache, DownloadsAnEmptyFile) {
  server.add_file("org/model", "empty.txt", "");
  Hub hub = make_hub();
  const auto path = hub.cached_file("org/model", "empty.txt");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "");
}

TEST_F(HubCache, EscapesUnusualFileNames) {
  server.add_file("org/model", "a b+ü#?%.txt", "odd");
  Hub hub = make_hub();
  const auto path = hub.cached_file("org/model", "a b+ü#?%.txt");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "odd");
}

TEST_F(HubCache, UsesWhatIsCachedWithoutARequest) {
  server.add_file("org/model", "config.json", "{}");
  const auto first = make_hub().cached_file("org/model", "config.json");
  server.forget_requests();

  Hub later = make_hub();
  EXPECT_EQ(later.find_cached("org/model", "config.json"), first);
  EXPECT_EQ(later.cached_file("org/model", "config.json"), first);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubCache, UsesACacheThatHuggingfaceHubWrote) {
  const std::string commit(40, 'c');
  const fs::path snapshot = repo_folder() / "snapshots" / commit;
  fs::create_directories(snapshot);
  write_file_atomically(repo_folder() / "refs" / "main", commit);
  write_file_atomically(repo_folder() / "blobs" / "e1", "cached");
  fs::create_symlink("../../blobs/e1", snapshot / "config.json");
  write_file_atomically(repo_folder() / ".no_exist" / commit / "absent.json", "");
  for (const bool offline : {false, true}) {
    settings.offline = offline;
    Hub hub = make_hub();
    EXPECT_EQ(hub.cached_file("org/model", "config.json"), snapshot / "config.json");
    EXPECT_EQ(hub.cached_file("org/model", "absent.json"), std::nullopt);
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubCache, OfflineNeverAsks) {
  server.add_file("org/model", "config.json", "{}");
  settings.offline = true;
  Hub hub = make_hub();
  EXPECT_EQ(hub.find_cached("org/model", "config.json"), std::nullopt);
  EXPECT_THAT(error_of<InputError>([&] { hub.cached_file("org/model", "config.json"); }).what,
              testing::HasSubstr("offline"));
  EXPECT_THROW(hub.local_file("org/model", "config.json", folder / "sae"), InputError);
  EXPECT_THROW(hub.info("org/model", "config.json"), InputError);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubCache, RemembersThatAFileDoesNotExist) {
  server.add_file("org/model", "config.json", "{}");
  Hub hub = make_hub();
  hub.cached_file("org/model", "config.json");
  EXPECT_EQ(hub.cached_file("org/model", "absent.json"), std::nullopt);
  EXPECT_TRUE(fs::exists(repo_folder() / ".no_exist" / server.commit("org/model") / "absent.json"));
  server.forget_requests();
  EXPECT_EQ(make_hub().cached_file("org/model", "absent.json"), std::nullopt);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubCache, AllFilesOfARunComeFromOneCommit) {
  server.add_file("org/model", "a", "a of the first commit");
  server.add_file("org/model", "b", "b of the first commit");
  Hub hub = make_hub();
  hub.cached_file("org/model", "a");
  server.add_file("org/model", "b", "b of the second commit");
  const auto b = hub.cached_file("org/model", "b");
  ASSERT_TRUE(b);
  EXPECT_EQ(read_file(*b), "b of the first commit");
}

TEST_F(HubCache, ALaterRunCompletesTheCachedCommit) {
  server.add_file("org/model", "a", "a of the first commit");
  server.add_file("org/model", "b", "b of the first commit");
  make_hub().cached_file("org/model", "a");
  server.add_file("org/model", "b", "b of the second commit");
  const auto b = make_hub().cached_file("org/model", "b");
  ASSERT_TRUE(b);
  EXPECT_EQ(read_file(*b), "b of the first commit");
}

TEST_F(HubCache, AVanishedCommitSaysWhatToRemove) {
  server.add_file("org/model", "a", "a");
  fs::create_directories(repo_folder() / "snapshots" / std::string(40, '9'));
  write_file_atomically(repo_folder() / "refs" / "main", std::string(40, '9'));
  Hub hub = make_hub();
  const ErrorDetail error = error_of<InputError>([&] { hub.cached_file("org/model", "a"); });
  EXPECT_THAT(error.what, testing::HasSubstr("no revision"));
  EXPECT_THAT(error.hint, testing::HasSubstr("models--"));
}

TEST_F(HubCache, ABlobThatIsHereIsOnlyLinked) {
  const std::string etag = server.add_file("org/model", "first.bin", "same bytes", true);
  server.add_file("org/model", "second.bin", "same bytes", true);
  Hub hub = make_hub();
  hub.cached_file("org/model", "first.bin");
  const auto second = hub.cached_file("org/model", "second.bin");
  ASSERT_TRUE(second);
  EXPECT_EQ(fs::read_symlink(*second), "../../blobs/" + etag);
  EXPECT_EQ(server.count("GET"), 1U);
}

TEST_F(HubCache, AHalfBlobUnderItsFinalNameIsReplaced) {
  const std::string etag = server.add_file("org/model", "w.bin", "the whole file", true);
  write_file_atomically(repo_folder() / "blobs" / etag, "the who");
  const auto path = make_hub().cached_file("org/model", "w.bin");
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), "the whole file");
}

TEST_F(HubCache, AReferenceThatLeavesTheCacheIsNotFollowed) {
  server.add_file("org/model", "a", "a");
  write_file_atomically(repo_folder() / "refs" / "main", "../../../outside");
  const auto path = make_hub().cached_file("org/model", "a");
  ASSERT_TRUE(path);
  EXPECT_EQ(*path, repo_folder() / "snapshots" / server.commit("org/model") / "a");
}

TEST_F(HubCache, InfoTellsIdentityAndSize) {
  const std::string sha256 = server.add_file("org/model", "w.bin", "weights", true);
  const std::string sha1 = server.add_file("org/model", "config.json", "{}\n");
  Hub hub = make_hub();
  const auto weights = hub.info("org/model", "w.bin");
  const auto config = hub.info("org/model", "config.json");
  ASSERT_TRUE(weights && config);
  EXPECT_EQ(weights->size, 7U);
  EXPECT_EQ(weights->sha256, sha256);
  EXPECT_EQ(weights->commit, server.commit("org/model"));
  EXPECT_EQ(config->etag, sha1);
  EXPECT_EQ(config->sha256, std::nullopt);
  EXPECT_EQ(hub.info("org/model", "absent"), std::nullopt);
  EXPECT_EQ(server.count("GET"), 0U);
}

TEST_F(HubCache, AnUnwritableCacheSaysSo) {
  server.add_file("org/model", "a", "a");
  write_file_atomically(folder / "file", "");
  settings.cache = folder / "file" / "hub";
  Hub hub = make_hub();
  EXPECT_THAT(error_of<FolderError>([&] { hub.cached_file("org/model", "a"); }).where,
              testing::HasSubstr((folder / "file").string()));
}

TEST_F(HubCache, RefusesNamesThatLeaveTheFolder) {
  Hub hub = make_hub();
  for (const char* file : {"../x", "/etc/passwd", "a/../../x", "a\\b", "", "a//b", "./a"}) {
    EXPECT_THROW(hub.cached_file("org/model", file), InputError) << file;
  }
  for (const char* repo : {"../model", "a/b/c", "/model", "org/", "", "org/mo del", "a--b", "org/x.git"}) {
    EXPECT_THROW(hub.cached_file(repo, "config.json"), InputError) << repo;
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubCache, ReportsProgressInBytes) {
  server.add_file("org/model", "w.bin", test_bytes(300'000), true);
  make_hub().cached_file("org/model", "w.bin");
  ASSERT_EQ(progress.stages.size(), 1U);
  EXPECT_EQ(progress.stages[0].name, "org/model/w.bin");
  EXPECT_EQ(progress.stages[0].total, 300'000U);
  EXPECT_EQ(progress.stages[0].done, 300'000U);
  EXPECT_TRUE(progress.stages[0].ended);
}

}  // namespace
}  // namespace saescope
