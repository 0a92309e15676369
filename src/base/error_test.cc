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

TEST(Error, SystemErrorsSayWhatTheSystemSaid) {
  errno = ENOSPC;
  const RunError error = system_error("cannot write", "out.csv", "free space");
  EXPECT_EQ(error.detail().found, "No space left on device");
  EXPECT_EQ(error.detail().where, "out.csv");
  EXPECT_EQ(error.detail().hint, "free space");
}

}  // namespace
}  // namespace saescope
