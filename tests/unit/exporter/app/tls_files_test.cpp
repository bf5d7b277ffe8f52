#include "exporter/app/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace wk::exporter {
namespace {

using ::testing::HasSubstr;

/// A directory with a self-signed certificate and its key, another key, and a text that is neither.
class TlsFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::path(::testing::TempDir()) / "wk_tls_files_test";
    std::filesystem::create_directories(directory_);
    write_pair("cert.pem", "key.pem");
    write_pair("other_cert.pem", "other_key.pem");
    std::ofstream(directory_ / "text.pem") << "this is no PEM\n";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path(const char* file) const { return (directory_ / file).string(); }

  void write_pair(const char* certificate_file, const char* key_file) const {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    ASSERT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
    write(certificate_file, [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
    write(key_file, [&](std::FILE* file) {
      return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  template <typename Write>
  void write(const char* name, Write content) const {
    std::FILE* file = std::fopen(path(name).c_str(), "w");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(content(file), 1);
    std::fclose(file);
  }

  std::filesystem::path directory_;
};

TEST_F(TlsFiles, NothingNamedIsNoFault) { EXPECT_FALSE(check_tls_files({})); }

TEST_F(TlsFiles, GoodFilesAreNoFault) {
  TlsSpec tls;
  tls.ca_file = path("cert.pem");
  tls.cert_file = path("cert.pem");
  tls.key_file = path("key.pem");
  EXPECT_FALSE(check_tls_files(tls));
}

TEST_F(TlsFiles, MissingFileIsNamed) {
  TlsSpec tls;
  tls.ca_file = path("gone.pem");
  const auto fault = check_tls_files(tls);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->file, TlsFileFault::File::kCa);
  EXPECT_EQ(fault->message, "\"" + path("gone.pem") + "\": the file does not exist; check the path");
}

TEST_F(TlsFiles, TextInsteadOfPemIsAFault) {
  TlsSpec tls;
  tls.ca_file = path("text.pem");
  auto fault = check_tls_files(tls);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->file, TlsFileFault::File::kCa);
  EXPECT_THAT(fault->message, HasSubstr("holds no certificate that can be used"));
  tls = {};
  tls.cert_file = path("text.pem");
  tls.key_file = path("key.pem");
  fault = check_tls_files(tls);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->file, TlsFileFault::File::kCertificate);
  tls.cert_file = path("cert.pem");
  tls.key_file = path("text.pem");
  fault = check_tls_files(tls);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->file, TlsFileFault::File::kKey);
  EXPECT_THAT(fault->message, HasSubstr("holds no private key that can be used"));
}

TEST_F(TlsFiles, KeyOfAnotherCertificateIsAFault) {
  TlsSpec tls;
  tls.cert_file = path("cert.pem");
  tls.key_file = path("other_key.pem");
  const auto fault = check_tls_files(tls);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->file, TlsFileFault::File::kKey);
  EXPECT_THAT(fault->message, HasSubstr("is not the key of the certificate"));
}

}  // namespace
}  // namespace wk::exporter
