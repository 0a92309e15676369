#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/atomic_file.h"
#include "base/error.h"
#include "hub/hub.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// An environment of which nothing is set but HOME, an empty folder.
class HubSettingsTest : public ::testing::Test {
 protected:
  HubSettingsTest() {
    for (const char* name : {"HF_ENDPOINT", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HOME",
                             "XDG_CACHE_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE",
                             "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "REQUESTS_CA_BUNDLE",
                             "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
      ::unsetenv(name);
    }
    std::string pattern = (fs::temp_directory_path() / "saescope-settings-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    home = pattern;
    set("HOME", home);
  }
  ~HubSettingsTest() override {
    std::error_code ignored;
    fs::remove_all(home, ignored);
  }
  static void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

  fs::path home;
};

using Read = HubSettingsTest;

TEST_F(Read, DefaultsAreHuggingfaceHubs) {
  const HubSettings settings = HubSettings::from_environment();
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
  EXPECT_EQ(settings.token, "");
  EXPECT_EQ(settings.cache, home / ".cache/huggingface/hub");
  EXPECT_FALSE(settings.offline);
  EXPECT_TRUE(settings.ca_bundle.empty());
}

TEST_F(Read, TheCachesFolderFollowsTheMoreSpecificVariable) {
  set("XDG_CACHE_HOME", "/xdg");
  EXPECT_EQ(HubSettings::from_environment().cache, "/xdg/huggingface/hub");
  set("HF_HOME", "/hf");
  EXPECT_EQ(HubSettings::from_environment().cache, "/hf/hub");
  set("HUGGINGFACE_HUB_CACHE", "/old");
  EXPECT_EQ(HubSettings::from_environment().cache, "/old");
  set("HF_HUB_CACHE", "/new");
  EXPECT_EQ(HubSettings::from_environment().cache, "/new");
}

TEST_F(Read, FoldersExpandHomeAndVariables) {
  set("PLACE", "there");
  set("HF_HUB_CACHE", "~/a/$PLACE/${PLACE}x/$UNSET_VARIABLE/${PLACE");
  EXPECT_EQ(HubSettings::from_environment().cache, home / "a/there/therex/$UNSET_VARIABLE/${PLACE");
}

TEST_F(Read, AnEmptyVariableCountsAsNotSet) {
  for (const char* name : {"HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN", "SSL_CERT_FILE"})
    set(name, "");
  const HubSettings settings = HubSettings::from_environment();
  EXPECT_EQ(settings.cache, home / ".cache/huggingface/hub");
  EXPECT_EQ(settings.endpoint, "https://huggingface.co");
}

TEST_F(Read, TheTokenComesFromTheVariableBeforeTheFile) {
  write_file_atomically(home / ".cache/huggingface/token", "hf_stored\n");
  EXPECT_EQ(HubSettings::from_environment().token, "hf_stored");
  write_file_atomically(home / "elsewhere", "  hf_elsewhere \r\n");
  set("HF_TOKEN_PATH", "~/elsewhere");
  EXPECT_EQ(HubSettings::from_environment().token, "hf_elsewhere");
  set("HUGGING_FACE_HUB_TOKEN", "hf_old");
  EXPECT_EQ(HubSettings::from_environment().token, "hf_old");
  set("HF_TOKEN", "hf_new\n");
  EXPECT_EQ(HubSettings::from_environment().token, "hf_new");
  set("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1");
  EXPECT_EQ(HubSettings::from_environment().token, "");
}

TEST_F(Read, ATokenThatCannotStandInAHeaderIsRefusedWithoutShowingIt) {
  set("HF_TOKEN", "hf_se cret");
  try {
    HubSettings::from_environment();
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("HF_TOKEN"));
    EXPECT_THAT(error.what(), testing::Not(testing::HasSubstr("cret")));
  }
}

TEST_F(Read, TheEndpointIsAnAbsoluteUrlWithoutASlashAtItsEnd) {
  set("HF_ENDPOINT", "http://localhost:8080/mirror/");
  EXPECT_EQ(HubSettings::from_environment().endpoint, "http://localhost:8080/mirror");
  for (const char* bad : {"huggingface.co", "ftp://x", "https://", "/path"}) {
    set("HF_ENDPOINT", bad);
    EXPECT_THROW(HubSettings::from_environment(), InputError) << bad;
  }
}

TEST_F(Read, OfflineKnowsHuggingfaceHubsWordsForTrue) {
  for (const char* yes : {"1", "ON", "yes", "True"}) {
    set("HF_HUB_OFFLINE", yes);
    EXPECT_TRUE(HubSettings::from_environment().offline) << yes;
  }
  for (const char* no : {"0", "off", "2"}) {
    set("HF_HUB_OFFLINE", no);
    EXPECT_FALSE(HubSettings::from_environment().offline) << no;
  }
  ::unsetenv("HF_HUB_OFFLINE");
  set("TRANSFORMERS_OFFLINE", "1");
  EXPECT_TRUE(HubSettings::from_environment().offline);
}

TEST_F(Read, CertificatesMustExist) {
  set("SSL_CERT_FILE", (home / "ca.pem").string());
  EXPECT_THROW(HubSettings::from_environment(), InputError);
  write_file_atomically(home / "ca.pem", "");
  EXPECT_EQ(HubSettings::from_environment().ca_bundle, home / "ca.pem");
  write_file_atomically(home / "other.pem", "");
  set("CURL_CA_BUNDLE", (home / "other.pem").string());
  EXPECT_EQ(HubSettings::from_environment().ca_bundle, home / "other.pem");
}

}  // namespace
}  // namespace saescope
