#include "client/session_identity.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace wk::client {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPasswordBytes = 16;

std::int32_t to_wire_ms(milliseconds duration) {
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(duration.count(), 0, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

jute::ConnectRequest SessionIdentity::ask(milliseconds timeout, bool allow_read_only) {
  asked_ = resumable_ ? id_ : SessionId{};
  jute::ConnectRequest hello;
  hello.last_zxid_seen = last_zxid_seen_;
  hello.timeout_ms = to_wire_ms(timeout);
  hello.session_id = asked_;
  hello.password = resumable_ ? password_ : std::string(kPasswordBytes, '\0');
  hello.read_only = allow_read_only;
  return hello;
}

SessionIdentity::Grant SessionIdentity::take(jute::ConnectResponse answer) {
  if (answer.timeout_ms <= 0 || answer.session_id.value == 0) return Grant::kRefused;
  if (asked_.value != 0 && answer.session_id != asked_) return Grant::kForeign;
  id_ = answer.session_id;
  password_ = std::move(answer.password).value_or(std::string());
  negotiated_timeout_ = milliseconds(answer.timeout_ms);
  resumable_ = resumable_ || !answer.read_only.value_or(false);
  return asked_.value != 0 ? Grant::kResumed : Grant::kCreated;
}

void SessionIdentity::saw(Zxid zxid) {
  if (static_cast<std::int64_t>(zxid.value) > 0) last_zxid_seen_ = std::max(last_zxid_seen_, zxid);
}

void SessionIdentity::forget() {
  id_ = SessionId{};
  password_.clear();
  resumable_ = false;
  last_zxid_seen_ = Zxid{};
}

}  // namespace wk::client
