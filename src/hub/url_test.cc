#include "hub/url.h"

#include <gmock/gmock.h>

namespace saescope {
namespace {

TEST(Url, OriginsDifferInSchemeHostAndPort) {
  const auto hub = parse_origin("https://huggingface.co/a/b");
  ASSERT_TRUE(hub);
  EXPECT_EQ(hub, parse_origin("HTTPS://HuggingFace.co:443/other"));
  for (const char* other :
       {"http://huggingface.co", "https://huggingface.co:8443", "https://cdn.huggingface.co",
        "https://huggingface.co.evil.org", "https://huggingface.co@evil.org"}) {
    EXPECT_NE(hub, parse_origin(other)) << other;
  }
}

TEST(Url, OnlyAbsoluteWebAddressesHaveAnOrigin) {
  for (const char* url : {"", "huggingface.co", "/path", "ftp://x/", "file:///etc/passwd", "https://"}) {
    EXPECT_EQ(parse_origin(url), std::nullopt) << url;
  }
}

TEST(Url, RedirectsResolveAgainstTheirPage) {
  const std::string base = "https://hub.org/a/resolve/main/x?download=1";
  EXPECT_EQ(resolve_url(base, "/b/resolve/main/x"), "https://hub.org/b/resolve/main/x");
  EXPECT_EQ(resolve_url(base, "y"), "https://hub.org/a/resolve/main/y");
  EXPECT_EQ(resolve_url(base, "//cdn.org/z"), "https://cdn.org/z");
  EXPECT_EQ(resolve_url(base, "https://cdn.org/z?sig=1"), "https://cdn.org/z?sig=1");
}

TEST(Url, FilesAreEscaped) {
  EXPECT_EQ(resolve_file_url("https://h", "o/m", "refs/pr/1", "a b/c#d?e%f.pt"),
            "https://h/o/m/resolve/refs%2Fpr%2F1/a%20b/c%23d%3Fe%25f.pt");
}

TEST(Url, MessagesShowNoSecrets) {
  EXPECT_EQ(display_url("https://user:password@cdn.org/file?X-Signature=1#part"), "https://cdn.org/file");
}

}  // namespace
}  // namespace saescope
