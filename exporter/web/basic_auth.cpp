#include "exporter/web/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/check.h"
#include "exporter/web/web_config.h"

namespace wk::exporter {
namespace {

/// The most expensive hash: what an unknown user is compared with.
const std::string& dearest_hash(const BasicAuth::Users& users) {
  return std::max_element(
             users.begin(), users.end(),
             [](const auto& a, const auto& b) { return bcrypt_cost(a.second) < bcrypt_cost(b.second); })
      ->second;
}

}  // namespace

bool bcrypt_matches(const std::string& password, const std::string& hash) {
  // 32 KiB: too large for a worker's stack to be careless with.
  const auto work = std::make_unique<crypt_data>();
  const char* result = crypt_r(password.c_str(), hash.c_str(), work.get());
  const bool equal = result != nullptr && std::string_view(result).size() == hash.size() &&
                     CRYPTO_memcmp(result, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(work.get(), sizeof(*work));
  return equal;
}

std::optional<Credentials> parse_basic_authorization(std::string_view header) {
  constexpr std::string_view kScheme = "basic ";
  if (header.size() < kScheme.size()) return std::nullopt;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kScheme[i]) return std::nullopt;
  }
  header.remove_prefix(kScheme.size());
  while (header.starts_with(' ')) header.remove_prefix(1);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t letters = std::min(header.find_first_not_of(kAlphabet), header.size());
  const std::string_view padding = header.substr(letters);
  if (header.empty() || header.size() % 4 != 0 || header.size() > BasicAuth::kCredentialsBytesMax ||
      (padding != "" && padding != "=" && padding != "==")) {
    return std::nullopt;
  }
  std::vector<unsigned char> decoded(header.size() / 4 * 3);
  const std::vector<unsigned char> encoded(header.begin(), header.end());
  const int length = EVP_DecodeBlock(decoded.data(), encoded.data(), static_cast<int>(encoded.size()));
  if (length < 0) return std::nullopt;
  const std::string text(decoded.begin(),
                         decoded.begin() + length - static_cast<std::ptrdiff_t>(padding.size()));
  const std::size_t colon = text.find(':');
  // crypt_r ends a password at NUL: "right\0anything" would pass.
  if (colon == std::string::npos || text.find('\0') != std::string::npos) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

BasicAuth::BasicAuth(Matches matches) : matches_(std::move(matches)) {
  // From the kernel: OpenSSL would load itself, 3 MB, into a process that needs neither TLS nor passwords.
  static_assert(sizeof(secret_) <= 256, "getentropy gives no more at a time");
  WK_CHECK(getentropy(secret_.data(), secret_.size()) == 0, "the kernel gives no randomness");
}

BasicAuth::Verdict BasicAuth::check(const Users& users, std::string_view authorization) {
  WK_CHECK(!users.empty(), "authentication without users");
  const std::optional<Credentials> credentials = parse_basic_authorization(authorization);
  if (!credentials) return Verdict::kDenied;
  const auto user = users.find(credentials->user);
  const bool known = user != users.end();
  const std::string& hash = known ? user->second : dearest_hash(users);
  const Digest digest = digest_of(*credentials, hash);

  std::unique_lock lock(mutex_);
  if (known && remembered(digest)) return Verdict::kAllowed;
  if (evaluating_ == kEvaluationsMax) {
    if (waiting_ == kWaitingMax) return Verdict::kBusy;
    ++waiting_;
    evaluation_done_.wait(lock, [this] { return evaluating_ < kEvaluationsMax; });
    --waiting_;
    // The one before may have been the same scraper on another connection.
    if (known && remembered(digest)) {
      evaluation_done_.notify_one();
      return Verdict::kAllowed;
    }
  }
  ++evaluating_;
  lock.unlock();
  const bool right = matches_(credentials->password, hash) && known;
  lock.lock();
  --evaluating_;
  if (right) remember(digest);
  evaluation_done_.notify_one();
  return right ? Verdict::kAllowed : Verdict::kDenied;
}

BasicAuth::Digest BasicAuth::digest_of(const Credentials& credentials, const std::string& hash) const {
  // Neither part contains NUL, so the joined text is unambiguous. With the hash in it, a changed password
  // forgets.
  std::string text(secret_.begin(), secret_.end());
  text.append(credentials.user).append(1, '\0').append(hash).append(1, '\0').append(credentials.password);
  Digest digest{};
  unsigned int length = 0;
  WK_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1,
           "OpenSSL has no SHA-256");
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

bool BasicAuth::remembered(const Digest& digest) const { return remembered_.contains(digest); }

void BasicAuth::remember(const Digest& digest) {
  if (!remembered_.insert(digest).second) return;
  remembered_order_.push_back(digest);
  if (remembered_order_.size() > kRememberedMax) {
    remembered_.erase(remembered_order_.front());
    remembered_order_.pop_front();
  }
}

}  // namespace wk::exporter
