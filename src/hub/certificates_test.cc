#include "hub/certificates.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <string>

#include "base/atomic_file.h"

namespace saescope {
namespace {

namespace fs = std::filesystem;

/// An empty folder in place of the system's root.
class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() {
    std::string pattern = (fs::temp_directory_path() / "saescope-certificates-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  ~CertificatesTest() override {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  void add(const std::string& place) const {
    fs::create_directories((root / place).parent_path());
    write_file_atomically(root / place, "");
  }

  fs::path root;
};

TEST_F(CertificatesTest, ASystemWithoutCertificatesHasNone) { EXPECT_EQ(find_system_certificates(root), ""); }

TEST_F(CertificatesTest, TheFileOfEachDistributionIsFound) {
  for (const char* place : {"etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt",
                            "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "etc/ssl/ca-bundle.pem",
                            "var/lib/ca-certificates/ca-bundle.pem", "etc/ssl/cert.pem"}) {
    add(place);
    EXPECT_EQ(find_system_certificates(root), root / place);
    fs::remove(root / place);
  }
}

TEST_F(CertificatesTest, AFileCountsBeforeTheFolderOfHashedOnes) {
  fs::create_directories(root / "etc/ssl/certs");
  EXPECT_EQ(find_system_certificates(root), root / "etc/ssl/certs");
  add("etc/pki/tls/certs/ca-bundle.crt");
  EXPECT_EQ(find_system_certificates(root), root / "etc/pki/tls/certs/ca-bundle.crt");
}

}  // namespace
}  // namespace saescope
