#include "base/terminal.h"

#include <gmock/gmock.h>

namespace saescope {
namespace {

TEST(FitLine, CountsCharactersNotBytes) {
  EXPECT_EQ(fit_line("abc", 3), "abc");
  EXPECT_EQ(fit_line("abc", 2), "ab");
  EXPECT_EQ(fit_line("äöü", 2), "äö");
}

TEST(WrapLines, BreaksBetweenWordsUnderTheColumnOfTheText) {
  EXPECT_EQ(wrap_lines("short\n\nlines\n", 20), "short\n\nlines\n");
  EXPECT_EQ(wrap_lines("  --flag X    one two three four five six\n", 36),
            "  --flag X    one two three four\n"
            "              five six\n");
  EXPECT_EQ(wrap_lines("aaaa bbbb cccc dddd eeee", 12), "aaaa bbbb\ncccc dddd\neeee");
}

TEST(WrapLines, LeavesWordsThatAreTooLongWhole) {
  EXPECT_EQ(wrap_lines("aaaaaaaaaaaaaaaaaaaaaaaaa b", 10), "aaaaaaaaaaaaaaaaaaaaaaaaa\nb");
}

}  // namespace
}  // namespace saescope
