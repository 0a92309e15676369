#include "input/gunzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "base/error.h"
#include "input/gzip_testing.h"

namespace saescope {
namespace {

using testing::gzipped;
using ::testing::HasSubstr;

std::string unpacked(const std::string& bytes) {
  std::stringbuf packed(bytes);
  GunzipBuffer text(packed, "x.gz");
  return {std::istreambuf_iterator<char>(&text), std::istreambuf_iterator<char>()};
}

ErrorDetail error(const std::string& bytes) {
  try {
    unpacked(bytes);
  } catch (const InputError& failure) {
    return failure.detail();
  }
  ADD_FAILURE() << "accepted";
  return {};
}

/// Text that packs badly, so that both sides take several pieces of the buffers.
std::string long_text() {
  std::string text;
  uint32_t state = 1;
  while (text.size() < 3'000'000) {
    state = state * 1664525u + 1013904223u;
    text += static_cast<char>(state >> 24);
  }
  return text;
}

constexpr auto kDamaged = "the compressed file is damaged";
constexpr auto kTooShort = "the compressed file ends too early";

TEST(Gunzip, HandsOnWhatIsNotCompressed) {
  for (const std::string& text : {std::string(), std::string("a"), std::string("\x1F"),
                                  std::string("{\"a\":1}\n"), std::string("\x1F\x8C plain"), long_text()}) {
    EXPECT_TRUE(unpacked(text) == text) << text.size();
  }
}

TEST(Gunzip, UnpacksShortAndLongTexts) {
  EXPECT_EQ(unpacked(gzipped("")), "");
  EXPECT_EQ(unpacked(gzipped("hello\n")), "hello\n");
  EXPECT_TRUE(unpacked(gzipped(long_text())) == long_text());
  const std::string zeros(8'000'000, '\0');
  EXPECT_TRUE(unpacked(gzipped(zeros)) == zeros);
}

TEST(Gunzip, MembersMakeOneText) {
  EXPECT_EQ(unpacked(gzipped("one ") + gzipped("") + gzipped("two")), "one two");
}

TEST(Gunzip, ZerosBehindAMemberArePadding) {
  EXPECT_EQ(unpacked(gzipped("one ") + std::string(600'000, '\0')), "one ");
  EXPECT_EQ(unpacked(gzipped("one ") + std::string(7, '\0') + gzipped("two")), "one two");
}

TEST(Gunzip, EveryCutIsAnErrorButTheOneBetweenMembers) {
  const std::string first = gzipped("first text\n");
  const std::string both = first + gzipped("second text\n");
  for (std::size_t size = 2; size < both.size(); ++size) {
    if (size == first.size()) {
      EXPECT_EQ(unpacked(both.substr(0, size)), "first text\n");
    } else {
      EXPECT_EQ(error(both.substr(0, size)).what, kTooShort) << size;
    }
  }
}

TEST(Gunzip, AWrongChecksumOrLengthIsAnError) {
  std::string packed = gzipped("some text\n");
  packed[packed.size() - 8] = static_cast<char>(packed[packed.size() - 8] ^ 1);
  const ErrorDetail detail = error(packed);
  EXPECT_EQ(detail.what, kDamaged);
  EXPECT_EQ(detail.where, "x.gz");
  EXPECT_THAT(detail.found, HasSubstr("incorrect data check"));

  packed = gzipped("some text\n");
  packed.back() = 1;
  EXPECT_THAT(error(packed).found, HasSubstr("incorrect length check"));
}

TEST(Gunzip, DamagedDataAreAnErrorWithTheirPlace) {
  std::string packed = gzipped(long_text());
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  EXPECT_EQ(error(packed).what, kDamaged);
  EXPECT_THAT(error(gzipped("a") + "garbage").found, HasSubstr("incorrect header check"));
  EXPECT_THAT(error(std::string("\x1F\x8B\x07\x00\x00\x00\x00\x00\x00\x00", 10)).found, HasSubstr("(byte "));
}

}  // namespace
}  // namespace saescope
