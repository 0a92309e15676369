#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace saescope {
namespace {

TEST(Error, PrintsEveryFactInOrder) {
  const InputError error({.what = "bad shape",
                          .where = "ae.pt",
                          .expected = "[3, 4]",
                          .found = "[4, 3]",
                          .hint = "transpose it"});
  EXPECT_STREQ(error.what(),
               "ae.pt: bad shape\n  expected: [3, 4]\n  found:    [4, 3]\n  hint:     transpose it");
}

TEST(Error, LeavesOutWhatIsNotKnown) {
  EXPECT_STREQ(InputError({.what = "bad flag", .hint = "see --help"}).what(),
               "bad flag\n  hint:     see --help");
  EXPECT_STREQ(RunError({.what = "out of memory"}).what(), "out of memory");
}

TEST(Error, ExitCodesFollowTheKind) {
  EXPECT_EQ(InputError({.what = "x"}).exit_code(), 2);
  EXPECT_EQ(RunError({.what = "x"}).exit_code(), 1);
  EXPECT_EQ(Interrupted(2).exit_code(), 130);
}

TEST(Error, KeepsTheFactsForCallers) {
  const InputError error({.what = "bad shape", .where = "ae.pt"});
  EXPECT_EQ(error.detail().what, "bad shape");
  EXPECT_EQ(error.detail().where, "ae.pt");
}

TEST(Error, QuotedBytesNeitherSteerATerminalNorLookLikeAMessage) {
  const InputError error({.what = "no tensor \x1B[2J\r\nerror: 'é\xFF'", .found = std::string("a\0b", 3)});
  EXPECT_STREQ(error.what(), "no tensor \\x1b[2J\\x0d\\x0aerror: 'é\\xff'\n  found:    a\\x00b");
  EXPECT_EQ(error.detail().found.size(), 3u);
}

TEST(Error, ListsKeepTheirLinesAndLongTextsAreCut) {
  EXPECT_STREQ(InputError({.what = "bad", .found = "one\n            two"}).what(),
               "bad\n  found:    one\n            two");
  const std::string text = InputError({.what = std::string(1'000'000, 'a')}).what();
  EXPECT_LT(text.size(), 2100u);
  EXPECT_NE(text.find("(1000000 bytes)"), std::string::npos);
}

TEST(Error, SystemErrorsSayWhatTheSystemSaid) {
  errno = ENOSPC;
  const RunError error = system_error("cannot write", "out.csv", "free space");
  EXPECT_EQ(error.detail().found, "No space left on device");
  EXPECT_EQ(error.detail().where, "out.csv");
  EXPECT_EQ(error.detail().hint, "free space");
}

}  // namespace
}  // namespace saescope
