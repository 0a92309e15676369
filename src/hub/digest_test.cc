#include "hub/digest.h"

#include <gmock/gmock.h>

namespace saescope {
namespace {

TEST(Digest, Sha256OfFips180) {
  Digest digest = Digest::sha256();
  digest.update("a");
  digest.update("");
  digest.update("bc");
  EXPECT_EQ(digest.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, GitBlobIsWhatGitHashObjectPrints) {
  Digest empty = Digest::git_blob(0);
  EXPECT_EQ(empty.finish(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  Digest hello = Digest::git_blob(6);
  hello.update("hello\n");
  EXPECT_EQ(hello.finish(), "ce013625030ba8dba906f756967f9e9ca394464a");
}

/// NIST's test vectors of GCM have no case with this key; the value is of Python's `cryptography`:
/// AESGCM(bytes([1]) + bytes(15)).encrypt(bytes(12), b"", b"abc").hex()
TEST(QuickFingerprint, IsGmacOfTheBytes) {
  EXPECT_EQ(quick_fingerprint("abc"), "25c4a7609565f25af3e1f6a46546fdc1");
  EXPECT_NE(quick_fingerprint("abd"), quick_fingerprint("abc"));
  EXPECT_NE(quick_fingerprint(std::string_view("abc\0", 4)), quick_fingerprint("abc"));
}

TEST(Digest, ACopyGoesOnByItself) {
  Digest one = Digest::sha256();
  one.update("ab");
  Digest other = one.copy();
  one.update("c");
  other.update("d");
  Digest abc = Digest::sha256();
  abc.update("abc");
  EXPECT_EQ(one.finish(), abc.finish());
  Digest abd = Digest::sha256();
  abd.update("abd");
  EXPECT_EQ(other.finish(), abd.finish());
}

}  // namespace
}  // namespace saescope
