// SAEs in a plain folder.

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "resid_post_layer_11/trainer_1/ae.pt";

class HubLocalFile : public HubTest {
 protected:
  HubLocalFile() : content(test_bytes(200'000)), etag(server.add_file("org/saes", kFile, content, true)) {}
  fs::path fetch() { return make_hub().local_file("org/saes", kFile, saes); }

  fs::path saes = folder / "sae" / "llama";
  std::string content;
  std::string etag;
};

TEST_F(HubLocalFile, KeepsTheRepositorysPathsAndLeavesTheCacheAlone) {
  const fs::path path = fetch();
  EXPECT_EQ(path, saes / kFile);
  EXPECT_EQ(read_file(path), content);
  EXPECT_FALSE(fs::is_symlink(path));
  EXPECT_FALSE(fs::exists(settings.cache));
  EXPECT_TRUE(files_below(saes, ".incomplete").empty());
}

TEST_F(HubLocalFile, UsesWhatIsThereWithoutARequest) {
  write_file_atomically(saes / kFile, "put there by hand");
  settings.offline = true;
  EXPECT_EQ(read_file(fetch()), "put there by hand");
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubLocalFile, ResumesInALaterRun) {
  server.set_hook(spoil_first(100, "GET", [](HubReply& reply) { reply.drop_after = 1000; }));
  EXPECT_THROW(fetch(), RunError);
  EXPECT_FALSE(fs::exists(saes / kFile));
  server.set_hook(nullptr);
  server.forget_requests();
  EXPECT_EQ(read_file(fetch()), content);
  EXPECT_EQ(server.requests().back().header("range"), "bytes=4000-");
}

TEST_F(HubLocalFile, AChangedFileStartsOverAndItsOldBeginningIsRemoved) {
  server.set_hook(spoil_first(100, "GET", [](HubReply& reply) { reply.drop_after = 1000; }));
  EXPECT_THROW(fetch(), RunError);
  server.set_hook(nullptr);
  server.add_file("org/saes", kFile, "new content", true);
  EXPECT_EQ(read_file(fetch()), "new content");
  EXPECT_TRUE(files_below(saes, ".incomplete").empty());
}

TEST_F(HubLocalFile, AFolderThatCannotBeMadeIsToldBeforeAnyRequest) {
  write_file_atomically(folder / "sae", "a file where a folder should be");
  const ErrorDetail error = error_of<FolderError>([&] { fetch(); });
  EXPECT_THAT(error.where, testing::HasSubstr(saes.string()));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HubLocalFile, AMissingFileIsBadInput) {
  Hub hub = make_hub();
  const ErrorDetail error = error_of<InputError>([&] { hub.local_file("org/saes", "absent/ae.pt", saes); });
  EXPECT_EQ(error.expected, "absent/ae.pt");
}

TEST_F(HubLocalFile, AllFilesOfARunComeFromOneCommit) {
  server.add_file("org/saes", "config.json", "first");
  Hub hub = make_hub();
  hub.local_file("org/saes", kFile, saes);
  server.add_file("org/saes", "config.json", "second");
  EXPECT_EQ(read_file(hub.local_file("org/saes", "config.json", saes)), "first");
}

}  // namespace
}  // namespace saescope
