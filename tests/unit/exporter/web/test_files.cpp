#include "tests/unit/exporter/web/test_files.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "base/check.h"

namespace wk::exporter {

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (std::filesystem::temp_directory_path() / "wk-web-XXXXXX").string();
  WK_CHECK(mkdtemp(name.data()) != nullptr, "no temporary directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() { std::filesystem::remove_all(path_); }

std::filesystem::path TemporaryDirectory::write(std::string_view name, std::string_view content) const {
  const std::filesystem::path next = path_ / (std::string(name) + ".next");
  std::ofstream(next, std::ios::binary) << content;
  std::filesystem::rename(next, path_ / name);
  return path_ / name;
}

KeyPair make_key_pair(const std::string& common_name, const std::string& san) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const std::basic_string<unsigned char> text(common_name.begin(), common_name.end());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text.c_str(), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, san.c_str());
  WK_CHECK(extension != nullptr, "bad subject alternative name");
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key.get(), EVP_sha256());

  const auto take = [](BIO* bio) {
    BUF_MEM* memory = nullptr;
    BIO_get_mem_ptr(bio, &memory);
    std::string pem(memory->data, memory->length);
    BIO_free(bio);
    return pem;
  };
  BIO* certificate_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_bio, certificate.get());
  BIO* key_bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(key_bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return {take(certificate_bio), take(key_bio)};
}

std::string bcrypt(const std::string& password) {
  const auto work = std::make_unique<crypt_data>();
  return crypt_r(password.c_str(), "$2b$04$MDEyMzQ1Njc4OWFiY2RlZe", work.get());
}

}  // namespace wk::exporter
