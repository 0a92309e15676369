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

}  // namespace
}  // namespace saescope
