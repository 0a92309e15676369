// Downloads that are cut, damaged, changed or cancelled on their way.

#include <random>
#include <thread>

#include "base/atomic_file.h"
#include "hub/hub_fixture.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

class HubResume : public HubTest {
 protected:
  static constexpr std::size_t kSize = 400'000;

  HubResume() : content(test_bytes(kSize)), etag(server.add_file("org/model", "w.bin", content, true)) {}

  std::optional<fs::path> fetch() { return make_hub().cached_file("org/model", "w.bin"); }
  fs::path blob() const { return repo_folder() / "blobs" / etag; }
  fs::path incomplete() const { return repo_folder() / "blobs" / (etag + ".incomplete"); }
  void expect_good_copy() {
    const auto path = fetch();
    ASSERT_TRUE(path);
    EXPECT_EQ(read_file(*path), content);
    EXPECT_FALSE(fs::exists(incomplete()));
  }
  std::vector<std::string> ranges() const {
    std::vector<std::string> values;
    for (const HubRequest& request : server.requests()) {
      if (request.method == "GET") values.push_back(request.header("range"));
    }
    return values;
  }

  std::string content;
  std::string etag;
};

TEST_F(HubResume, GoesOnAfterDropsAtRandomBytes) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    server.forget_requests();
    server.set_hook(spoil_first(
        3, "GET", [&random](HubReply& reply) { reply.drop_after = random() % (reply.length + 1) / 4; }));
    fs::remove_all(settings.cache);
    expect_good_copy();
    EXPECT_EQ(server.count("GET"), 4U) << "seed " << seed;
  }
}

TEST_F(HubResume, AsksForTheMissingBytesOnly) {
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.drop_after = 123'456; }));
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre("", "bytes=123456-"));
}

TEST_F(HubResume, GivesUpAfterTheLastTryAndKeepsWhatCame) {
  server.set_hook(spoil_first(100, "GET", [](HubReply& reply) { reply.drop_after = 1000; }));
  EXPECT_THROW(fetch(), RunError);
  EXPECT_EQ(server.count("GET"), 4U) << "one try and three more";
  EXPECT_FALSE(fs::exists(blob()));
  EXPECT_EQ(fs::file_size(incomplete()), 4000U);
  EXPECT_EQ(make_hub().find_cached("org/model", "w.bin"), std::nullopt);
}

TEST_F(HubResume, AnotherRunGoesOnFromWhatIsThere) {
  fs::create_directories(blob().parent_path());
  write_file_atomically(incomplete(), content.substr(0, 250'000));
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre("bytes=250000-"));
  ASSERT_EQ(progress.stages.size(), 1U);
  EXPECT_EQ(progress.stages[0].total, kSize - 250'000);
  EXPECT_EQ(progress.stages[0].done, kSize - 250'000);
}

TEST_F(HubResume, AFileThatWasWholeBeforeTheRenameNeedsNoBytes) {
  write_file_atomically(incomplete(), content);
  expect_good_copy();
  EXPECT_EQ(server.count("GET"), 0U);
}

TEST_F(HubResume, LongDownloadsMayBeCutMoreOftenThanTheTriesAllow) {
  content = test_bytes(9 << 20);
  etag = server.add_file("org/model", "w.bin", content, true);
  server.set_hook(spoil_first(7, "GET", [](HubReply& reply) { reply.drop_after = (1 << 20) + 7; }));
  expect_good_copy();
  EXPECT_EQ(server.count("GET"), 8U);
}

TEST_F(HubResume, StartsOverWhereTheServerIgnoresRanges) {
  write_file_atomically(incomplete(), content.substr(0, 1000));
  server.set_hook([&](const HubRequest& request, HubReply& reply) {
    if (request.method != "GET") return;
    reply.status = 200;
    reply.offset = 0;
    reply.length = kSize;
  });
  expect_good_copy();
}

TEST_F(HubResume, StartsOverWhereTheServerRefusesTheRange) {
  write_file_atomically(incomplete(), content.substr(0, 1000));
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) {
    reply.status = 416;
    reply.length = 0;
  }));
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre("bytes=1000-", ""));
}

TEST_F(HubResume, StartsOverWhereTheServerSendsAnotherRange) {
  write_file_atomically(incomplete(), content.substr(0, 1000));
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) {
    reply.offset = 0;
    reply.length = kSize;
    reply.set_header("Content-Range", "bytes 0-399999/400000");
  }));
  expect_good_copy();
}

TEST_F(HubResume, ALeftoverLongerThanTheFileIsThrownAway) {
  write_file_atomically(incomplete(), content + "and more");
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre(""));
}

TEST_F(HubResume, ADamagedBeginningIsFoundAndFetchedAnew) {
  std::string damaged = content.substr(0, 200'000);
  damaged[5] = static_cast<char>(damaged[5] ^ 1);
  write_file_atomically(incomplete(), damaged);
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre("bytes=200000-", ""));
}

TEST_F(HubResume, AWrongChecksumIsNeverAccepted) {
  for (const bool lfs : {true, false}) {
    etag = server.add_file("org/model", "w.bin", content, lfs);
    server.set_hook(spoil_first(100, "GET", [&](HubReply& reply) {
      std::string other = content;
      other[kSize / 2] = static_cast<char>(other[kSize / 2] ^ 1);
      reply.body = HubBlob::of_bytes(other);
    }));
    server.forget_requests();
    const ErrorDetail error = error_of<RunError>([&] { fetch(); });
    EXPECT_THAT(error.what, testing::HasSubstr("damaged"));
    EXPECT_EQ(error.expected, etag);
    EXPECT_EQ(server.count("GET"), 2U);
    EXPECT_FALSE(fs::exists(blob()));
    EXPECT_EQ(fs::file_size(incomplete()), 0U) << "damaged bytes must not be resumed";
  }
}

TEST_F(HubResume, AWrongSizeIsNeverAccepted) {
  const std::vector<std::function<void(HubReply&)>> spoilers = {
      [](HubReply& reply) { reply.length = kSize - 1; },
      [&](HubReply& reply) {
        reply.body = HubBlob::of_bytes(content + "more");
        reply.length = kSize + 4;
      },
      [&](HubReply& reply) {  // the length is not even told
        reply.body = HubBlob::of_bytes(content + "more");
        reply.length = kSize + 4;
        reply.without_length = true;
      },
      [](HubReply& reply) {
        reply.length = kSize / 2;
        reply.without_length = true;
      },
  };
  for (std::size_t i = 0; i < spoilers.size(); ++i) {
    fs::remove_all(settings.cache);
    server.forget_requests();
    server.set_hook([&](const HubRequest& request, HubReply& reply) {
      if (request.method == "GET" && reply.status == 200) spoilers[i](reply);
      if (request.method == "GET" && reply.status == 206) reply.length = 0;
      if (reply.status == 206) reply.without_length = true;
    });
    EXPECT_THROW(fetch(), RunError) << "case " << i;
    EXPECT_FALSE(fs::exists(blob())) << "case " << i;
    EXPECT_LE(server.requests().size(), 12U) << "case " << i;
  }
}

TEST_F(HubResume, AFileThatChangedBetweenRunsStartsOver) {
  server.set_hook(spoil_first(100, "GET", [](HubReply& reply) { reply.drop_after = 1000; }));
  EXPECT_THROW(fetch(), RunError);
  server.set_hook(nullptr);
  server.forget_requests();
  content = test_bytes(kSize, 2);
  etag = server.add_file("org/model", "w.bin", content, true);
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre(""));
}

TEST_F(HubResume, AFileThatChangesWithinARunStartsOver) {
  // A hub that serves new bytes under an old commit, from the second GET on.
  const std::string changed = test_bytes(kSize, 3);
  TestHub other;
  const std::string new_etag = other.add_file("org/model", "w.bin", changed, true);
  int gets = 0;
  server.set_hook([&](const HubRequest& request, HubReply& reply) {
    if (request.method == "GET" && ++gets == 1) {
      reply.drop_after = 1000;
      return;
    }
    if (gets == 0) return;
    reply.body = HubBlob::of_bytes(changed);
    reply.set_header("ETag", '"' + new_etag + '"');
    reply.set_header("X-Linked-Etag", '"' + new_etag + '"');
  });
  const auto path = fetch();
  ASSERT_TRUE(path);
  EXPECT_EQ(read_file(*path), changed);
  EXPECT_EQ(fs::read_symlink(*path), "../../blobs/" + new_etag);
}

TEST_F(HubResume, AStalledConnectionIsDroppedAndResumed) {
  settings.stall_timeout = std::chrono::seconds(1);
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.stall_after = 100'000; }));
  expect_good_copy();
  EXPECT_THAT(ranges(), testing::ElementsAre("", "bytes=100000-"));
}

TEST_F(HubResume, ASlowServerIsWaitedFor) {
  settings.stall_timeout = std::chrono::seconds(1);
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.bytes_per_second = 300'000; }));
  expect_good_copy();
  EXPECT_EQ(server.count("GET"), 1U);
}

TEST_F(HubResume, CancellingKeepsTheBeginningAndNoFile) {
  server.set_hook(spoil_first(1, "GET", [](HubReply& reply) { reply.stall_after = 100'000; }));
  std::thread signal([&] {
    while (!fs::exists(incomplete()) || fs::file_size(incomplete()) < 100'000) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    cancel.request(2);
  });
  EXPECT_THROW(fetch(), Interrupted);
  signal.join();
  EXPECT_FALSE(fs::exists(blob()));
  EXPECT_EQ(fs::file_size(incomplete()), 100'000U);
  EXPECT_TRUE(progress.stages.back().ended);
}

TEST_F(HubResume, CancellingEndsTheWaitBetweenTries) {
  settings.backoff = std::chrono::hours(1);
  server.set_hook([&](const HubRequest&, HubReply& reply) {
    reply.status = 503;
    cancel.request(15);
  });
  EXPECT_THROW(fetch(), Interrupted);
}

TEST_F(HubResume, AFileLargerThanTheDiskIsRefusedBeforeItsFirstByte) {
  server.set_hook(
      [](const HubRequest&, HubReply& reply) { reply.set_header("X-Linked-Size", "4611686018427387904"); });
  EXPECT_THAT(error_of<RunError>([&] { fetch(); }).what, testing::HasSubstr("too little space"));
  EXPECT_EQ(server.count("GET"), 0U);
}

}  // namespace
}  // namespace saescope
