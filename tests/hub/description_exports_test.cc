// Explanations from a public export: what is asked for, what is kept, and what goes wrong on the way.

#include "hub/description_exports.h"

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"
#include "hub/test_bucket.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPrefix = "v1/gemma-3-4b-it/17-gemmascope-2-res-16k/explanations/";

class ExportsTest : public HubTest {
 protected:
  ExportsTest() {
    for (std::size_t i = 0; i < batches.size(); ++i) bucket.add(path_of(i), batches[i]);
  }

  static std::string path_of(std::size_t batch) {
    return std::string(kPrefix) + "batch-" + std::to_string(batch) + ".jsonl.gz";
  }
  bool fetch() {
    return DescriptionExports({bucket.address(), folder / "kept"}, settings, context)
        .fetch("gemma-3-4b-it", "17-gemmascope-2-res-16k");
  }
  fs::path kept(std::size_t batch) const { return folder / "kept" / path_of(batch); }
  void expect_good_copies() const {
    for (std::size_t i = 0; i < batches.size(); ++i) EXPECT_EQ(read_file(kept(i)), batches[i]) << i;
    EXPECT_THAT(files_below(folder / "kept", ".incomplete"), IsEmpty());
  }
  std::vector<std::string> asked(const std::string& method) const {
    std::vector<std::string> targets;
    for (const HubRequest& request : bucket.requests()) {
      if (request.method == method) targets.push_back(request.target.substr(1 + std::string(kPrefix).size()));
    }
    return targets;
  }

  /// gzip files by their first bytes.
  std::vector<std::string> batches = {"\x1f\x8b" + test_bytes(30'000, 1), "\x1f\x8b" + test_bytes(5'000, 2),
                                      "\x1f\x8b" + test_bytes(10, 3)};
  TestBucket bucket;
};

TEST_F(ExportsTest, BatchesAreFetchedUpToTheFirstThatIsMissingAndNeverAskedForAgain) {
  for (const int missing : {403, 404}) {
    fs::remove_all(folder / "kept");
    bucket.forget_requests();
    bucket.set_missing_status(missing);
    EXPECT_TRUE(fetch());
    expect_good_copies();
    EXPECT_THAT(asked("GET"), ElementsAre("batch-0.jsonl.gz", "batch-1.jsonl.gz", "batch-2.jsonl.gz"));
    bucket.forget_requests();
    EXPECT_TRUE(fetch());
    EXPECT_THAT(bucket.requests(), IsEmpty());
  }
  EXPECT_THAT(progress.messages, IsEmpty());
}

TEST_F(ExportsTest, NoTokenIsSent) {
  settings.token = "hf_secret";
  settings.endpoint = bucket.address();  // not even where the hub itself is the server
  EXPECT_TRUE(fetch());
  for (const HubRequest& request : bucket.requests()) EXPECT_EQ(request.header("authorization"), "");
}

TEST_F(ExportsTest, ADroppedDownloadGoesOnWhereItEnded) {
  int drops = 1;
  bucket.set_hook([&](const HubRequest& request, BucketReply& reply) {
    if (request.method == "GET" && drops-- > 0) reply.drop_after = 12'345;
  });
  EXPECT_TRUE(fetch());
  expect_good_copies();
  std::vector<std::string> ranges;
  for (const HubRequest& request : bucket.requests()) {
    if (!request.header("range").empty()) ranges.push_back(request.header("range"));
  }
  EXPECT_THAT(ranges, ElementsAre("bytes=12345-"));
}

TEST_F(ExportsTest, ARunThatWasCutKeepsWhatCameAndTheNextOneGoesOn) {
  bucket.set_hook([&](const HubRequest& request, BucketReply& reply) {
    if (request.method == "GET" && request.target.ends_with("batch-1.jsonl.gz")) reply.drop_after = 1'000;
  });
  EXPECT_THROW(fetch(), RunError);
  bucket.set_hook({});
  bucket.forget_requests();
  EXPECT_TRUE(fetch());
  expect_good_copies();
  EXPECT_THAT(asked("GET"), ElementsAre("batch-1.jsonl.gz", "batch-2.jsonl.gz"));
}

TEST_F(ExportsTest, AFileThatChangedMeanwhileIsBegunAnew) {
  bucket.set_hook([&](const HubRequest& request, BucketReply& reply) {
    if (request.method == "GET") reply.drop_after = 1'000;
  });
  EXPECT_THROW(fetch(), RunError);
  batches[0] = "\x1f\x8b" + test_bytes(20'000, 9);
  bucket.add(path_of(0), batches[0]);
  bucket.set_hook({});
  EXPECT_TRUE(fetch());
  expect_good_copies();
}

TEST_F(ExportsTest, APageInPlaceOfAFileIsAnErrorAndNotKept) {
  bucket.set_hook([](const HubRequest&, BucketReply& reply) { reply = {.body = "<html>log in</html>"}; });
  const ErrorDetail error = error_of<RunError>([&] { fetch(); });
  EXPECT_EQ(error.expected, "a gzip file");
  EXPECT_THAT(error.hint, HasSubstr("SAESCOPE_DESCRIPTIONS_URL"));
  EXPECT_THAT(files_below(folder / "kept", ".gz"), IsEmpty());
}

TEST_F(ExportsTest, AServerThatSaysNeitherSizeNorIdentityIsReadFromTheBeginning) {
  bucket.set_hook([](const HubRequest&, BucketReply& reply) {
    reply.etag.clear();
    reply.without_length = true;
  });
  EXPECT_TRUE(fetch());
  expect_good_copies();
}

TEST_F(ExportsTest, ErrorsThatMayPassAreTriedAgainAndThenReported) {
  int failures = 2;
  bucket.set_hook([&](const HubRequest&, BucketReply& reply) {
    if (failures-- > 0) reply = {.status = 503};
  });
  EXPECT_TRUE(fetch());
  fs::remove_all(folder / "kept");
  bucket.set_hook([](const HubRequest&, BucketReply& reply) { reply = {.status = 503}; });
  const ErrorDetail error = error_of<RunError>([&] { fetch(); });
  EXPECT_EQ(error.found, "HTTP 503");
  EXPECT_THAT(error.hint, HasSubstr("--offline"));
}

TEST_F(ExportsTest, ASourceWithoutExplanationsIsAWarning) {
  EXPECT_FALSE(
      DescriptionExports({bucket.address(), folder / "kept"}, settings, context).fetch("gpt2", "0-x"));
  ASSERT_EQ(progress.messages.size(), 1u);
  EXPECT_THAT(progress.messages.front(),
              HasSubstr("v1/gpt2/0-x/explanations: no explanations are published (HTTP 403)"));
}

TEST_F(ExportsTest, OfflineWhatIsHereIsUsedAndWhatIsNotIsAWarning) {
  settings.offline = true;
  EXPECT_FALSE(fetch());
  ASSERT_EQ(progress.messages.size(), 1u);
  EXPECT_THAT(progress.messages.front(),
              HasSubstr("gemma-3-4b-it/17-gemmascope-2-res-16k are not on this machine"));
  EXPECT_THAT(bucket.requests(), IsEmpty());
  settings.offline = false;
  EXPECT_TRUE(fetch());
  settings.offline = true;
  EXPECT_TRUE(fetch());
}

TEST_F(ExportsTest, NamesThatWouldLeaveTheFolderAreRefused) {
  DescriptionExports exports({bucket.address(), folder / "kept"}, settings, context);
  EXPECT_THROW(exports.fetch("..", "x"), InputError);
  EXPECT_THROW(exports.fetch("m", "a/../../b"), InputError);
  EXPECT_THAT(bucket.requests(), IsEmpty());
}

}  // namespace
}  // namespace saescope
