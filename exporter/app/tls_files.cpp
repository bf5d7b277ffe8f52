#include "exporter/app/tls_files.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string_view>

#include "base/log.h"
#include "exporter/app/text_file.h"

namespace wk::exporter {
namespace {

using File = TlsFileFault::File;
constexpr std::size_t kPemFileMax = std::size_t{16}
                                    << 20;  // a bundle of every public authority has a quarter MiB

TlsFileFault unusable(File file, const std::string& path, std::string_view expected) {
  ERR_clear_error();
  return {
      file,
      fmt::format("\"{}\" holds no {} that can be used; write the path of a PEM file (without a pass phrase)",
                  printable(path), expected)};
}

std::optional<TlsFileFault> check_readable(File file, const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto text = read_text_file(path, kPemFileMax);
  if (text) return std::nullopt;
  return TlsFileFault{file, fmt::format("\"{}\": {}", printable(path), text.error().message)};
}

/// Without a terminal there is nobody to ask for a pass phrase.
int no_pass_phrase(char*, int, int, void*) { return 0; }

}  // namespace

std::optional<TlsFileFault> check_tls_files(const TlsSpec& tls) {
  if (auto fault = check_readable(File::kCa, tls.ca_file)) return fault;
  if (auto fault = check_readable(File::kCertificate, tls.cert_file)) return fault;
  if (auto fault = check_readable(File::kKey, tls.key_file)) return fault;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  if (!context) return unusable(File::kCa, tls.ca_file, "certificate");
  SSL_CTX_set_default_passwd_cb(context.get(), no_pass_phrase);
  if (!tls.ca_file.empty() && SSL_CTX_load_verify_locations(context.get(), tls.ca_file.c_str(), nullptr) != 1)
    return unusable(File::kCa, tls.ca_file, "certificate");
  if (tls.cert_file.empty()) return std::nullopt;
  if (SSL_CTX_use_certificate_chain_file(context.get(), tls.cert_file.c_str()) != 1)
    return unusable(File::kCertificate, tls.cert_file, "certificate");
  if (SSL_CTX_use_PrivateKey_file(context.get(), tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    // The same call reads the key and compares it with the certificate; tell the two faults apart.
    const bool mismatch = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509;
    if (!mismatch) return unusable(File::kKey, tls.key_file, "private key");
    ERR_clear_error();
    return TlsFileFault{
        File::kKey, fmt::format("\"{}\" is not the key of the certificate \"{}\"; name the files of one pair",
                                printable(tls.key_file), printable(tls.cert_file))};
  }
  return std::nullopt;
}

}  // namespace wk::exporter
