#include "exporter/poll/member.h"

#include <openssl/evp.h>

#include <utility>
#include <vector>

namespace wk::exporter {
namespace {

std::string basic_authorization(const BasicAuthSpec& auth) {
  const std::string plain = auth.username + ":" + auth.password;
  const std::vector<unsigned char> bytes(plain.begin(), plain.end());
  std::vector<unsigned char> encoded(4 * ((plain.size() + 2) / 3) + 1);
  const int length = EVP_EncodeBlock(encoded.data(), bytes.data(), static_cast<int>(bytes.size()));
  return "Basic " + std::string(encoded.begin(), encoded.begin() + length);
}

}  // namespace

Member::Member(TargetSpec target) : spec(std::move(target)) {
  if (!spec.admin_url.empty()) admin = parse_surface_url(spec.admin_url);
  if (!spec.prometheus_url.empty()) prometheus = parse_surface_url(spec.prometheus_url);
  if (spec.tls) client_tls = std::make_shared<TlsClient>(*spec.tls);
  http_tls = client_tls ? client_tls : std::make_shared<TlsClient>(TlsSpec{});
  if (spec.http_auth) authorization = basic_authorization(*spec.http_auth);
}

}  // namespace wk::exporter
