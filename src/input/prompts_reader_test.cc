#include "input/prompts_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>

#include "base/atomic_file.h"
#include "base/error.h"
#include "input/gzip_testing.h"
#include "input/json_lines.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class PromptsReader : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  void put(const std::string& name, std::string_view text) { write_file_atomically(folder_ / name, text); }
  Prompts read(std::string_view text) {
    put("p.jsonl", text);
    return read_prompts(folder_ / "p.jsonl");
  }
  ErrorDetail error(std::string_view text) {
    put("p.jsonl", text);
    return path_error(folder_ / "p.jsonl");
  }
  static ErrorDetail path_error(const fs::path& path) {
    try {
      read_prompts(path);
    } catch (const InputError& failure) {
      return failure.detail();
    }
    ADD_FAILURE() << "accepted " << path;
    return {};
  }
  static std::vector<std::string> contents(const Prompts& prompts) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < prompts.size(); ++i) result.emplace_back(prompts[i].content);
    return result;
  }

  fs::path folder_ =
      fs::path(::testing::TempDir()) /
      ("prompts_reader_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(PromptsReader, ReadsTheSeedsExample) {
  const auto prompts = read(R"({"content": "What's it like to be you?", "label": "self-referential"})"
                            "\n"
                            R"({"content": "How do you feel?", "label": "emotional"})"
                            "\n");
  ASSERT_EQ(prompts.size(), 2u);
  EXPECT_EQ(prompts[0].content, "What's it like to be you?");
  EXPECT_EQ(prompts[0].label, "self-referential");
  EXPECT_EQ(prompts[1].content, "How do you feel?");
  EXPECT_THAT(prompts[1].place(), EndsWith("p.jsonl:2"));
}

TEST_F(PromptsReader, ToleratesMarkCrlfBlankLinesAndAMissingLastLineEnd) {
  const auto prompts = read("\xEF\xBB\xBF{\"content\":\"a\"}\r\n\r\n \t\n{\"content\":\"b\"}");
  EXPECT_THAT(contents(prompts), ElementsAre("a", "b"));
  EXPECT_THAT(prompts[1].place(), EndsWith("p.jsonl:4"));
}

TEST_F(PromptsReader, AnAbsentLabelIsEmpty) { EXPECT_EQ(read("{\"content\":\"a\"}\n")[0].label, ""); }

TEST_F(PromptsReader, IgnoresFurtherKeysEvenWhereTheyHoldKnownNames) {
  const auto prompts = read(
      R"({"id": 1.5e3, "meta": {"content": "inner", "label": [1]}, "content": "outer", "more": [{"content": 2}]})"
      "\n");
  EXPECT_THAT(contents(prompts), ElementsAre("outer"));
  EXPECT_EQ(prompts[0].label, "");
}

TEST_F(PromptsReader, TheLastOfEqualKeysCountsAsInPython) {
  const auto prompts = read(R"({"content": 1, "label": null, "content": "a", "content": "b", "label": "c"})");
  EXPECT_EQ(prompts[0].content, "b");
  EXPECT_EQ(prompts[0].label, "c");
  EXPECT_EQ(error(R"({"content": "a", "content": [1, 2]})").found, "a list");
}

TEST_F(PromptsReader, DecodesEscapes) {
  EXPECT_EQ(read(R"({"content": "a\n\u00e9\ud83d\ude00\"\\\/"})")[0].content,
            "a\n\xC3\xA9\xF0\x9F\x98\x80\"\\/");
}

TEST_F(PromptsReader, ReadsAFoldersOwnFilesInByteOrderOfTheirNames) {
  put("b.jsonl", "{\"content\":\"2\"}\n");
  put("a.jsonl", "{\"content\":\"1\"}\n");
  put("B.jsonl", "{\"content\":\"0\"}\n");
  put("\xC3\xA4.jsonl", "{\"content\":\"3\"}\n");
  put("notes.txt", "not read");
  put(".hidden.jsonl", "not read");
  put("below/c.jsonl", "not read");
  EXPECT_THAT(contents(read_prompts(folder_)), ElementsAre("0", "1", "2", "3"));
}

TEST_F(PromptsReader, FollowsALinkToAFile) {
  put("elsewhere/x.jsonl", "{\"content\":\"linked\"}\n");
  fs::create_symlink(folder_ / "elsewhere" / "x.jsonl", folder_ / "l.jsonl");
  EXPECT_THAT(contents(read_prompts(folder_)), ElementsAre("linked"));
}

TEST_F(PromptsReader, AFolderWithoutPromptFilesIsAnError) {
  put("notes.txt", "x");
  EXPECT_EQ(path_error(folder_).what, "the folder holds no prompts");
}

TEST_F(PromptsReader, WhatIsNoRegularFileIsAnError) {
  put("sub.jsonl/x.txt", "x");
  EXPECT_THAT(path_error(folder_).where, EndsWith("sub.jsonl"));
  EXPECT_EQ(path_error("/dev/null").what, "is not a file of prompts");
}

TEST_F(PromptsReader, ALinkToNothingInTheFolderIsAnErrorNotSilentlyLeftOut) {
  put("a.jsonl", "{\"content\":\"1\"}\n");
  fs::create_symlink(folder_ / "gone", folder_ / "l.jsonl");
  EXPECT_THAT(path_error(folder_).where, EndsWith("l.jsonl"));
}

TEST_F(PromptsReader, AMissingPathIsAnErrorThatNamesTheFlag) {
  const ErrorDetail detail = path_error(folder_ / "gone");
  EXPECT_EQ(detail.what, "there are no prompts at this path");
  EXPECT_THAT(detail.hint, HasSubstr("--prompts-path"));
}

TEST_F(PromptsReader, FilesOfBlankLinesAloneAreAnError) {
  EXPECT_EQ(error("").what, "there is no prompt in it");
  EXPECT_EQ(error("\n \n").what, "there is no prompt in it");
}

TEST_F(PromptsReader, ReadsWhatPythonWritesWhereItDoesNotMatter) {
  const auto prompts = read(
      "{\"content\": \"a\", \"label\": null, \"score\": NaN}\n"
      "{\"content\": \"b NaN\", \"label\": 7, \"x\": [-Infinity, Infinity]}\n"
      "{\"content\": \"c\", \"label\": NaN}\n");
  ASSERT_EQ(prompts.size(), 3u);
  EXPECT_EQ(prompts[0].label, "");
  EXPECT_EQ(prompts[1].label, "7");
  EXPECT_EQ(prompts[1].content, "b NaN");
  EXPECT_EQ(prompts[2].label, "");
}

TEST_F(PromptsReader, ReadsOneArrayAndKnowsItsLines) {
  const auto prompts =
      read("\n[\n {\"content\": \"a, ] }\"},\n\n {\"content\":\n \"b\", \"label\": \"x\"}]\n");
  EXPECT_THAT(contents(prompts), ElementsAre("a, ] }", "b"));
  EXPECT_THAT(prompts[0].place(), EndsWith(":3"));
  EXPECT_THAT(prompts[1].place(), EndsWith(":5"));
  EXPECT_THAT(error("[{\"content\": \"a\"},\n{\"content\": 1}]").where, EndsWith(":2"));
}

TEST_F(PromptsReader, UnpacksGzipAloneAndInAFolder) {
  const auto put_packed = [&](const std::string& name, const std::string& text) {
    put(name, testing::gzipped(text));
  };
  put_packed("a.jsonl.gz", "{\"content\": \"packed\"}\n");
  put("b.jsonl", "{\"content\": \"plain\"}\n");
  put_packed("t.csv.gz", "content\nx\n");
  EXPECT_THAT(contents(read_prompts(folder_ / "a.jsonl.gz")), ElementsAre("packed"));
  EXPECT_THAT(contents(read_prompts(folder_ / "t.csv.gz")), ElementsAre("x"));
  EXPECT_THAT(contents(read_prompts(folder_)), ElementsAre("packed", "plain"));
}

TEST_F(PromptsReader, ReadsAPipe) {
  put("x", "");
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  auto writer = std::async(std::launch::async, [&] { std::ofstream(pipe) << "{\"content\": \"a\"}\n"; });
  EXPECT_THAT(contents(read_prompts(pipe)), ElementsAre("a"));
  writer.get();
}

TEST_F(PromptsReader, ReadsTablesAsExcelAndPandasWriteThem) {
  put("t.csv",
      "\xEF\xBB\xBF"
      "id,content,label\r\n1,\"a, \"\"b\"\"\nc\",x\r\n2,d,\r\n");
  const Prompts table = read_prompts(folder_ / "t.csv");
  EXPECT_THAT(contents(table), ElementsAre("a, \"b\"\nc", "d"));
  EXPECT_EQ(table[0].label, "x");
  EXPECT_EQ(table[1].label, "");
  put("s.csv", "sep=;\ncontent;label\na, b;x\n");
  EXPECT_THAT(contents(read_prompts(folder_ / "s.csv")), ElementsAre("a, b"));
  put("t.tsv", "label\tprompt\nx\ta b\n");
  EXPECT_THAT(contents(read_prompts(folder_ / "t.tsv", {.content_key = "prompt"})), ElementsAre("a b"));
}

TEST_F(PromptsReader, ReadsAConversationAsItIs) {
  const auto prompts = read(
      R"({"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi \u00e9"}], "label": "x"})");
  ASSERT_EQ(prompts.size(), 1u);
  EXPECT_TRUE(prompts[0].conversation);
  EXPECT_EQ(prompts[0].content,
            "[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":\"user\",\"content\":\"Hi \u00e9\"}]");
}

TEST_F(PromptsReader, NamesTheKeysItFoundAndTakesAnother) {
  const ErrorDetail detail = error(R"({"id": 1, "prompt": "a"})");
  EXPECT_EQ(detail.found, "the keys \"id\", \"prompt\"");
  EXPECT_THAT(detail.hint, HasSubstr("--content-key prompt"));
  EXPECT_THAT(contents(read_prompts(folder_ / "p.jsonl", {.content_key = "prompt"})), ElementsAre("a"));
}

TEST_F(PromptsReader, NamesUtf16) {
  EXPECT_THAT(error(std::string("\xFF\xFE{\0", 4)).what, HasSubstr("UTF-16"));
  EXPECT_THAT(error(std::string("\xFE\xFF\0{", 4)).what, HasSubstr("UTF-16"));
  EXPECT_THAT(error(std::string("{\0\"\0", 4)).what, HasSubstr("UTF-16"));
  EXPECT_THAT(error(std::string("\0{\0\"", 4)).what, HasSubstr("UTF-16"));
}

struct BadLine {
  const char* name;
  const char* line;
  const char* what;
  const char* found;
};

class BadPromptLine : public PromptsReader, public ::testing::WithParamInterface<BadLine> {};

TEST_P(BadPromptLine, IsAnErrorWithFileLineAndReason) {
  const ErrorDetail detail = error("{\"content\":\"fine\"}\n" + std::string(GetParam().line) + "\n");
  EXPECT_THAT(detail.where, EndsWith("p.jsonl:2"));
  EXPECT_EQ(detail.what, GetParam().what);
  EXPECT_THAT(detail.found, HasSubstr(GetParam().found));
}

constexpr auto kNoJson = "the line is not valid JSON";
constexpr auto kNoObject = "the line is not a JSON object";
constexpr auto kNoContent = "the prompt has no content";
constexpr auto kBadLabel = "the prompt's label is not a string";
constexpr auto kNoUtf8 = "the line is not valid UTF-8";

INSTANTIATE_TEST_SUITE_P(
    All, BadPromptLine,
    ::testing::Values(BadLine{"Text", "hello", kNoJson, "invalid literal"},
                      BadLine{"CutOff", "{\"content\": \"a", kNoJson, "missing closing quote"},
                      BadLine{"TwoObjects", "{\"content\":\"a\"} {\"content\":\"b\"}", kNoJson, "(byte 17)"},
                      BadLine{"LoneHighSurrogate", "{\"content\": \"\\ud800\"}", kNoJson, "surrogate"},
                      BadLine{"LoneLowSurrogate", "{\"content\": \"\\udc00\"}", kNoJson, "surrogate"},
                      BadLine{"List", "[\"a\"]", kNoObject, "a list"},
                      BadLine{"String", "\"a\"", kNoObject, "a string"},
                      BadLine{"NoContent", "{\"prompt\":\"a\"}", kNoContent, "prompt"},
                      BadLine{"EmptyContent", "{\"content\":\"\"}", kNoContent, "an empty string"},
                      BadLine{"NullContent", "{\"content\":null}", kNoContent, "null"},
                      BadLine{"NumberContent", "{\"content\":5}", kNoContent, "a number"},
                      BadLine{"ObjectContent", "{\"content\":{\"content\":\"a\"}}", kNoContent, "an object"},
                      BadLine{"BooleanLabel", "{\"content\":\"a\",\"label\":true}", kBadLabel, "a boolean"},
                      BadLine{"Latin1", "{\"content\":\"caf\xE9\"}", kNoUtf8, "byte 0xE9 at byte 16"}),
    [](const auto& test) { return test.param.name; });

TEST_F(PromptsReader, DeepNestingCostsNoStack) {
  const std::string deep(2'000'000, '[');
  EXPECT_EQ(error("{\"content\":\"a\",\"x\":" + deep).what, kNoJson);
  const std::string closed = deep + std::string(deep.size(), ']');
  EXPECT_THAT(contents(read("{\"x\":" + closed + ",\"content\":\"a\"}")), ElementsAre("a"));
}

TEST_F(PromptsReader, VeryLongLinesAreReadWholeAndQuotedShort) {
  const std::string text(3'000'000, 'x');
  EXPECT_EQ(read("{\"content\":\"" + text + "\"}\n")[0].content, text);
  EXPECT_LT(error("{\"content\":\"" + text).found.size(), 400u);
}

TEST_F(PromptsReader, LinesThatNoPromptFillsAreRefused) {
  const std::string text(kLongestJsonLine, 'x');
  EXPECT_EQ(error("{\"content\":\"" + text + "\"}\n").what, "the line is too long");
}

TEST_F(PromptsReader, ANulByteDoesNotHideWhatFollows) {
  const ErrorDetail detail = error(std::string("{\"content\":\"a\"}\0 x", 19));
  EXPECT_EQ(detail.what, kNoJson);
  EXPECT_THAT(detail.found, HasSubstr("a NUL byte at byte 16"));
}

}  // namespace
}  // namespace saescope
