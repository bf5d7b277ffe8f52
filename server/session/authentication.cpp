#include "server/session/authentication.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "jute/utf8.h"

namespace wk::session {

namespace {

constexpr std::string_view kDigest = "digest";
constexpr std::string_view kIp = "ip";
constexpr std::string_view kSuper = "super";

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};

std::string base64(std::span<const unsigned char> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string_view before_colon(std::string_view text) { return text.substr(0, text.find(':')); }

jute::Id identity(std::string_view scheme, std::string_view id) {
  return jute::Id{std::string(scheme), std::string(id)};
}

}  // namespace

Result<std::string> digest_id(std::string_view user_and_password, std::string_view algorithm) {
  const std::unique_ptr<EVP_MD, FreeDigest> digest(
      EVP_MD_fetch(nullptr, std::string(algorithm).c_str(), nullptr));
  if (!digest)
    return Error{
        Errc::kNotFound,
        fmt::format("unknown hash algorithm \"{}\" for digest authentication; use SHA1, SHA-256 or SHA3-256",
                    algorithm)};
  // Java turns the bytes into text before it hashes that text's UTF-8.
  const std::string text = jute::repaired(user_and_password);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), hash.data(), &size, digest.get(), nullptr) != 1)
    return Error{Errc::kNotFound, fmt::format("OpenSSL cannot compute {}", algorithm)};
  return fmt::format("{}:{}", before_colon(text), base64(std::span(hash).first(size)));
}

Result<Authentication> Authentication::create(AuthenticationSettings settings) {
  if (settings.digest_enabled)
    if (auto probe = digest_id("", settings.digest_algorithm); !probe) return std::move(probe).error();
  Authentication authentication;
  authentication.settings_ = std::move(settings);
  return authentication;
}

Result<std::vector<jute::Id>> Authentication::authenticate(std::string_view scheme,
                                                           const std::optional<std::string_view>& auth,
                                                           std::string_view peer) const {
  if (scheme == kIp) return std::vector{identity(kIp, peer)};
  if (scheme != kDigest || !settings_.digest_enabled)
    return Error{Errc::kNotAllowed, fmt::format("authentication scheme \"{}\" is not offered here", scheme)};
  if (!auth) return Error{Errc::kNotAllowed, "digest authentication without data"};
  auto id = digest_id(*auth, settings_.digest_algorithm);
  if (!id) return std::move(id).error();
  std::vector<jute::Id> identities{};
  if (!settings_.super_digest.empty() && *id == settings_.super_digest)
    identities.push_back(identity(kSuper, ""));
  identities.push_back(identity(kDigest, *id));
  return identities;
}

std::string_view Authentication::user_name(const jute::Id& identity) {
  const std::string_view scheme = identity.scheme ? *identity.scheme : std::string_view();
  const std::string_view id = identity.id ? *identity.id : std::string_view();
  if (scheme == kDigest) return before_colon(id);
  return scheme == kIp ? id : std::string_view();
}

}  // namespace wk::session
