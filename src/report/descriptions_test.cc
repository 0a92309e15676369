#include "report/descriptions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"

namespace saescope {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;
const DescriptionKey kKey = {"llama3.1-8b-it", "11-resid-post-aa"};

std::string line(const std::string& index, const std::string& description,
                 const std::string& layer = "11-resid-post-aa") {
  return R"({"modelId":"llama3.1-8b-it","layer":")" + layer + R"(","index":)" + index +
         R"(,"embedding":[0.5,[1]],"description":)" + description + "}\n";
}

Descriptions read(const std::string& text) {
  Descriptions descriptions({kKey});
  std::istringstream in(text);
  append_descriptions(in, "d.jsonl", descriptions);
  return descriptions;
}

ErrorDetail error(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& failure) {
    return failure.detail();
  }
  ADD_FAILURE() << "accepted: " << text;
  return {};
}

std::string gzip(const std::string& text) {
  const fs::path path = fs::temp_directory_path() / "saescope-descriptions-test.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  std::string bytes = read_file(path);
  fs::remove(path);
  return bytes;
}

class DescriptionsFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / (std::string("saescope-descriptions-") +
                                           ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  fs::path folder_;
};

TEST(Descriptions, TheIndexIsAStringOrANumberAndFurtherKeysAreIgnored) {
  const Descriptions descriptions = read(line("\"12\"", "\"a\"") + line("13", "\"b\""));
  EXPECT_EQ(descriptions.find(kKey, 12), "a");
  EXPECT_EQ(descriptions.find(kKey, 13), "b");
  EXPECT_EQ(descriptions.find(kKey, 14), "");
  EXPECT_EQ(descriptions.kept(), 2u);
}

TEST(Descriptions, SeveralExplanationsAreJoinedInTheirOrderEachOnce) {
  const Descriptions descriptions =
      read(line("1", "\"second half\"") + line("1", "\"half\"") + line("2", "\"x\"") + line("1", "\"half\"") +
           line("1", "\"second half\""));
  EXPECT_EQ(descriptions.find(kKey, 1), "second half | half");
}

TEST(Descriptions, ThoseOfOtherDictionariesAreCounted) {
  const Descriptions descriptions =
      read(line("1", "\"a\"", "15-resid-post-aa") + line("2", "\"a\"", "15-resid-post-aa"));
  EXPECT_EQ(descriptions.kept(), 0u);
  const DescriptionKey other = {"llama3.1-8b-it", "15-resid-post-aa"};
  EXPECT_EQ(descriptions.others().at(other), 2u);
  EXPECT_EQ(descriptions.find(other, 1), "");
}

TEST(Descriptions, BomCrlfBlankLinesAndEmptyTextsAreTolerated) {
  const Descriptions descriptions =
      read("\xEF\xBB\xBF" + line("1", "null") + "\r\n\n" + line("2", "\" \"") + line("3", "\"é\"") + "\r\n");
  EXPECT_EQ(descriptions.kept(), 1u);
  EXPECT_EQ(descriptions.find(kKey, 3), "é");
}

TEST(Descriptions, BadLinesAreRefusedWithFileAndLine) {
  EXPECT_EQ(error(line("1", "\"a\"") + "[]").where, "d.jsonl:2");
  EXPECT_THAT(error("{}").what, HasSubstr("modelId"));
  EXPECT_THAT(error(R"({"modelId":"m","layer":3})").what, HasSubstr("layer"));
  for (const char* index : {"-1", "1.5", "\"1x\"", "\"\"", "null", "18446744073709551615"}) {
    EXPECT_THAT(error(line(index, "\"a\"")).what, HasSubstr("index")) << index;
  }
  EXPECT_THAT(error(line("1", "7")).what, HasSubstr("description"));
  EXPECT_THAT(error("{\"modelId\":\"\xFF\"}").what, HasSubstr("UTF-8"));
  EXPECT_THAT(error(std::string(std::size_t{9} << 20, 'x')).what, HasSubstr("too long"));
}

TEST_F(DescriptionsFiles, PlainAndGzipFilesOfAFolderAreReadInTheOrderOfTheirNames) {
  write("b.jsonl", line("1", "\"second\""));
  write("a.jsonl.gz", gzip(line("1", "\"first\"")) + gzip(line("2", "\"member\"")));
  write("readme.txt", "not read");
  write(".hidden.jsonl", "not read");
  const Descriptions descriptions = read_descriptions(folder_, {kKey});
  EXPECT_EQ(descriptions.find(kKey, 1), "first | second");
  EXPECT_EQ(descriptions.find(kKey, 2), "member");
}

TEST_F(DescriptionsFiles, APlainFileUnderAGzipsNameIsRead) {
  const fs::path path = write("plain.jsonl.gz", line("1", "\"a\""));
  EXPECT_EQ(read_descriptions(path, {kKey}).find(kKey, 1), "a");
}

TEST_F(DescriptionsFiles, DamagedGzipFilesAreRefusedWithTheirName) {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += line(std::to_string(i), "\"feature " + std::to_string(i * i) + "\"");
  const std::string whole = gzip(text);
  std::string wrong_checksum = whole;
  wrong_checksum[wrong_checksum.size() - 6] ^= 1;
  std::string wrong_byte = whole;
  wrong_byte[whole.size() / 2] ^= 0x55;
  for (const std::string& bytes :
       {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1), wrong_checksum, wrong_byte}) {
    const fs::path path = write("bad.jsonl.gz", bytes);
    try {
      read_descriptions(path, {kKey});
      ADD_FAILURE() << "accepted";
    } catch (const InputError& failure) {
      EXPECT_THAT(failure.detail().where, HasSubstr(path.string()));
    }
  }
}

TEST_F(DescriptionsFiles, WhereThereIsNothingToReadIsAnError) {
  EXPECT_THROW(read_descriptions(folder_ / "missing", {kKey}), InputError);
  EXPECT_THROW(read_descriptions(folder_, {kKey}), InputError);
  EXPECT_THROW(read_descriptions(write("empty.jsonl", "\n"), {kKey}), InputError);
}

TEST(KeyOfLink, IsTheTwoPartsBeforeTheFeature) {
  const auto key = key_of_link("https://www.neuronpedia.org/llama3.1-8b-it/11-resid-post-aa/{feature_id}");
  EXPECT_EQ(key, kKey);
  EXPECT_EQ(key_of_link(""), std::nullopt);
  EXPECT_EQ(key_of_link("https://example.org/{feature_id}"), std::nullopt);
  EXPECT_EQ(key_of_link("https://example.org/a/{feature_id}"), std::nullopt);
  EXPECT_EQ(key_of_link("https://example.org/?f={feature_id}"), std::nullopt);
}

}  // namespace
}  // namespace saescope
