// HTTP basic authentication against bcrypt hashes, at a bounded cost.
//
// bcrypt is slow on purpose (some 50 ms at cost 10). So that a flood of wrong passwords cannot eat the
// machine that it should watch, few evaluations run at a time, few wait, and the rest is told to come back.
// Passwords found right are remembered, so that the scraper that has authenticated once is served even during
// a flood. Unknown users cost an evaluation too: the time of an answer does not tell which names exist.
// Thread: any; check() blocks for an evaluation and for those before it.
// Source: RFC 7617.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace wk::exporter {

struct Credentials {
  std::string user;
  std::string password;
};

/// The credentials in the value of an Authorization header; nothing when it is not well-formed `Basic` or
/// holds NUL.
std::optional<Credentials> parse_basic_authorization(std::string_view header);

/// True when `password`, which holds no NUL, belongs to the bcrypt `hash`.
bool bcrypt_matches(const std::string& password, const std::string& hash);

class BasicAuth {
 public:
  static constexpr std::size_t kEvaluationsMax = 1;   ///< at the same time
  static constexpr std::size_t kWaitingMax = 2;       ///< for an evaluation
  static constexpr std::size_t kRememberedMax = 100;  ///< right passwords; the oldest gives way
  static constexpr std::size_t kCredentialsBytesMax = 1024;

  enum class Verdict {
    kAllowed,
    kDenied,
    kBusy,  ///< not looked at: too many evaluations are waiting
  };

  using Users = std::map<std::string, std::string>;  ///< name → bcrypt hash, as WebConfig::users

  /// Tells whether `password` belongs to `hash`. Slow by design; called on the thread of check(), on at most
  /// kEvaluationsMax threads at a time.
  using Matches = std::function<bool(const std::string& password, const std::string& hash)>;

  explicit BasicAuth(Matches matches = &bcrypt_matches);

  /// \param users          not empty
  /// \param authorization  value of the header; empty when there is none
  Verdict check(const Users& users, std::string_view authorization);

 private:
  using Digest = std::array<unsigned char, 32>;

  Digest digest_of(const Credentials& credentials, const std::string& hash) const;
  bool remembered(const Digest& digest) const;  ///< needs mutex_
  void remember(const Digest& digest);          ///< needs mutex_

  const Matches matches_;
  Digest secret_;  ///< random; makes remembered digests useless outside this process
  std::mutex mutex_;
  std::condition_variable evaluation_done_;
  std::size_t evaluating_ = 0;           ///< under mutex_
  std::size_t waiting_ = 0;              ///< under mutex_
  std::set<Digest> remembered_;          ///< under mutex_
  std::deque<Digest> remembered_order_;  ///< under mutex_; oldest first, the same digests
};

}  // namespace wk::exporter
