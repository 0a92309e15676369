#include "hub/names.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace saescope {
namespace {

TEST(Names, AcceptsRepositoriesOfTheHub) {
  for (const char* repo :
       {"gpt2", "Qwen/Qwen2.5-7B-Instruct", "andyrdt/saes-llama-3.1-8b-instruct", "a_b/c"}) {
    EXPECT_NO_THROW(check_repo_id(repo)) << repo;
  }
}

TEST(Names, RefusesRepositoriesThatWouldBeOtherFolders) {
  for (const char* repo : {"", "/", "a/", "/a", "a/b/c", "..", "a/..", "../a", "a--b", "a/b--c", "a..b", ".a",
                           "a-", "a b", "a\\b", "a/b.git", "ä"}) {
    EXPECT_THROW(check_repo_id(repo), InputError) << repo;
  }
  EXPECT_THROW(check_repo_id(std::string(97, 'a')), InputError);
}

TEST(Names, FilesStayBelowTheirFolder) {
  for (const char* file : {"config.json", "a/b/c.pt", "..a", "a b", ".gitattributes", "ü"}) {
    EXPECT_NO_THROW(check_file_name(file)) << file;
  }
  for (const char* file : {"", ".", "..", "../a", "a/..", "a/../b", "/a", "a/", "a//b", "a\\b", "a\nb"}) {
    EXPECT_THROW(check_file_name(file), InputError) << file;
  }
  EXPECT_THROW(check_file_name(std::string("a\0b", 3)), InputError);
  EXPECT_THROW(check_file_name(std::string(256, 'a')), InputError);
}

TEST(Names, EtagsLoseQuotesAndWeakness) {
  EXPECT_EQ(normalize_etag("\"abc\""), "abc");
  EXPECT_EQ(normalize_etag("W/\"abc\""), "abc");
  EXPECT_EQ(normalize_etag("abc-1.x_2"), "abc-1.x_2");
}

TEST(Names, EtagsThatAreNoFileNamesAreRefused) {
  for (const char* etag : {"", "\"\"", "\"..\"", "\"a/b\"", "\"a\\b\"", "\".a\"", "\"a b\"", "\"a\"b\""}) {
    EXPECT_EQ(normalize_etag(etag), std::nullopt) << etag;
  }
  EXPECT_EQ(normalize_etag(std::string(129, 'a')), std::nullopt);
}

TEST(Names, CommitsAreLettersAndDigits) {
  EXPECT_TRUE(is_commit_id("0123456789abcdef0123456789abcdef01234567"));
  for (const char* text : {"", "main", "../../../x", "0123456 ", "a/b/c/d/e"}) {
    EXPECT_FALSE(is_commit_id(text)) << text;
  }
}

}  // namespace
}  // namespace saescope
