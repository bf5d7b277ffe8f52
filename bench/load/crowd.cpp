#include "bench/load/crowd.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "bench/load/frames.h"

namespace wk::bench {
namespace {

constexpr std::size_t kInputBytes = std::size_t{64} << 10U;
constexpr std::size_t kEventsMax = 512;
constexpr int kPingsATimeout = 3;  // a session timeout, as Apache's client does
constexpr std::size_t kMemberBits = 32;
constexpr std::chrono::milliseconds kNapMax{10};

// Where the fields of a ConnectResponse lie: version, timeout, session, length of the password, password.
constexpr std::size_t kTimeoutAt = 4;
constexpr std::size_t kSessionAt = 8;
constexpr std::size_t kPasswordAt = 20;
// Where those of a ReplyHeader lie: xid, zxid, error.
constexpr std::size_t kErrorAt = 12;
constexpr std::size_t kReplyHeaderBytes = 16;

Error unexpected(std::size_t member, std::string_view what) {
  return {Errc::kInvalidInput, fmt::format("session {} of the crowd: {}", member, what)};
}

}  // namespace

Result<void> CrowdOwner::on_reply(std::size_t member, std::int32_t xid, jute::ErrorCode, Clock::time_point) {
  return unexpected(member, fmt::format("a reply to xid {} that nobody asked for", xid));
}
Result<void> CrowdOwner::on_event(std::size_t member, Clock::time_point) {
  return unexpected(member, "an event that nobody watches for");
}
Result<void> CrowdOwner::on_expired(std::size_t member, Clock::time_point) {
  return unexpected(member, "the server gave no session, or had forgotten it");
}
Result<void> CrowdOwner::on_closed(std::size_t member, Clock::time_point) {
  return unexpected(member, "the server closed the connection");
}

Crowd::Crowd(Settings settings, CrowdOwner& owner)
    : settings_(std::move(settings)),
      owner_(owner),
      members_(settings_.members),
      pace_(settings_.members, settings_.session_timeout / kPingsATimeout, Clock::now()),
      input_(kInputBytes) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  append_request(ping_, jute::kXidPing, jute::OpCode::kPing);
}

Crowd::~Crowd() {
  for (Member& member : members_) {
    if (member.descriptor >= 0) close(member.descriptor);
  }
  close(epoll_);
}

const Endpoint& Crowd::server(std::size_t member) const {
  return settings_.servers[member % settings_.servers.size()];
}

Error Crowd::broken(std::size_t member, const char* what) const {
  return {Errc::kIo, fmt::format("{}: session {} of the crowd: {}: {}", server(member).name, member, what,
                                 std::strerror(errno))};
}

Error Crowd::too_late(std::chrono::nanoseconds patience, std::string_view what) const {
  return {Errc::kTimedOut,
          fmt::format("waited {:.0f} s in vain for {}; {} of {} sessions are connected",
                      std::chrono::duration<double>(patience).count(), what, present_, members_.size())};
}

void Crowd::open(std::size_t member) {
  members_[member].session = SessionId{};
  members_[member].password.fill('\0');
  queue(member);
}

void Crowd::resume(std::size_t member) { queue(member); }

void Crowd::queue(std::size_t member) {
  members_[member].stage = Stage::kQueued;
  queue_.push_back(member);
}

Result<void> Crowd::connect_queued() {
  while (!queue_.empty() && joining_ < settings_.at_once) {
    const std::size_t member = queue_.front();
    queue_.pop_front();
    if (members_[member].stage != Stage::kQueued) continue;  // It was cut off meanwhile.
    if (auto connected = connect(member); !connected) return connected;
  }
  return {};
}

Result<void> Crowd::connect(std::size_t member) {
  Member& one = members_[member];
  const Endpoint& endpoint = server(member);
  one.descriptor = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (one.descriptor < 0) return broken(member, "no socket");
  const int on = 1;
  setsockopt(one.descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (const auto source = source_of(endpoint, member)) {
    // The port is chosen by connect(), when the whole pair of addresses is known.
    setsockopt(one.descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr = *source;
    const void* const raw = &from;
    if (bind(one.descriptor, static_cast<const sockaddr*>(raw), sizeof from) != 0) {
      return broken(member, "cannot use a further loopback address");
    }
  }
  one.stage = Stage::kConnecting;
  one.skimmer.reset();
  one.ping_sent = {};
  ++one.connection;
  ++joining_;
  if (::connect(one.descriptor, endpoint.generic(), endpoint.size) != 0 && errno != EINPROGRESS) {
    return broken(member, "cannot connect");
  }
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.u64 = std::uint64_t{one.connection} << kMemberBits | member;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, one.descriptor, &event) != 0) return broken(member, "epoll_ctl");
  return {};
}

Result<void> Crowd::greet(std::size_t member) {
  Member& one = members_[member];
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(one.descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    errno = error;
    return broken(member, "cannot connect");
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = std::uint64_t{one.connection} << kMemberBits | member;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, one.descriptor, &event);
  one.stage = Stage::kGreeting;
  std::vector<std::byte> frame;
  append_frame(frame, connect_request(settings_.session_timeout, one.session,
                                      std::string(one.password.data(), one.password.size())));
  return send(member, frame);
}

Result<void> Crowd::send(std::size_t member, std::span<const std::byte> frames) {
  ssize_t sent = 0;
  do {
    sent = ::send(members_[member].descriptor, frames.data(), frames.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  // A reset that has not been read yet is no fault of the sender: the next turn finds the connection closed.
  if (sent < 0 && (errno == ECONNRESET || errno == EPIPE)) return {};
  if (sent < 0) return broken(member, "cannot send");
  if (static_cast<std::size_t>(sent) < frames.size()) {
    return Error{Errc::kTooLarge, fmt::format("{}: session {} of the crowd: the server does not read",
                                              server(member).name, member)};
  }
  return {};
}

void Crowd::cut(std::size_t member) {
  Member& one = members_[member];
  if (one.descriptor >= 0) {
    const linger abortive{1, 0};
    setsockopt(one.descriptor, SOL_SOCKET, SO_LINGER, &abortive, sizeof abortive);
  }
  leave(member);
}

void Crowd::leave(std::size_t member) {
  Member& one = members_[member];
  if (one.stage == Stage::kPresent) --present_;
  if (one.stage == Stage::kConnecting || one.stage == Stage::kGreeting) --joining_;
  one.stage = Stage::kOut;
  if (one.descriptor >= 0) close(std::exchange(one.descriptor, -1));
}

Result<void> Crowd::take_greeting(std::size_t member, std::span<const std::byte> head,
                                  Clock::time_point now) {
  Member& one = members_[member];
  if (head.size() < kPasswordAt + kPasswordBytes) {
    return unexpected(member, fmt::format("a ConnectResponse of {} bytes", head.size()));
  }
  const SessionId session{big_endian<std::int64_t>(head.data() + kSessionAt)};
  if (session.value == 0) {
    leave(member);
    return owner_.on_expired(member, now);
  }
  granted_timeout_ = std::chrono::milliseconds{big_endian<std::int32_t>(head.data() + kTimeoutAt)};
  one.session = session;
  std::memcpy(one.password.data(), head.data() + kPasswordAt, kPasswordBytes);
  one.stage = Stage::kPresent;
  one.failed = 0;
  --joining_;
  ++present_;
  return owner_.on_session(member, now);
}

Result<void> Crowd::take(std::size_t member, std::span<const std::byte> head, Clock::time_point now) {
  Member& one = members_[member];
  if (one.stage == Stage::kGreeting) return take_greeting(member, head, now);
  if (head.size() < kReplyHeaderBytes) {
    return unexpected(member, fmt::format("a reply of {} bytes", head.size()));
  }
  const auto xid = big_endian<std::int32_t>(head.data());
  if (xid == jute::kXidNotification) return owner_.on_event(member, now);
  if (xid == jute::kXidPing) {
    if (one.ping_sent != Clock::time_point{}) ping_times_.record(now - one.ping_sent);
    one.ping_sent = {};
    return {};
  }
  return owner_.on_reply(member, xid,
                         static_cast<jute::ErrorCode>(big_endian<std::int32_t>(head.data() + kErrorAt)), now);
}

Result<void> Crowd::receive(std::size_t member, Clock::time_point now) {
  Member& one = members_[member];
  const ssize_t received = recv(one.descriptor, input_.data(), input_.size(), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (received < 0 && errno != ECONNRESET) return broken(member, "cannot receive");
  if (received <= 0) {
    const bool early = one.stage == Stage::kGreeting;
    leave(member);
    if (!early || ++one.failed == kAttempts) return owner_.on_closed(member, now);
    queue(member);
    return {};
  }
  const std::uint32_t connection = one.connection;
  return one.skimmer.feed(std::span<const std::byte>(input_.data(), static_cast<std::size_t>(received)),
                          [&](std::span<const std::byte> head) -> Result<bool> {
                            if (auto taken = take(member, head, now); !taken) return taken.error();
                            return one.descriptor >= 0 && one.connection == connection;
                          });
}

Result<void> Crowd::handle(std::size_t member, Clock::time_point now) {
  return members_[member].stage == Stage::kConnecting ? greet(member) : receive(member, now);
}

Result<void> Crowd::send_pings(Clock::time_point now) {
  while (const auto member = pace_.take_due(now)) {
    Member& one = members_[*member];
    if (one.stage != Stage::kPresent) continue;
    if (auto sent = send(*member, ping_); !sent) return sent;
    if (one.ping_sent == Clock::time_point{}) one.ping_sent = now;
  }
  return {};
}

Result<void> Crowd::turn(Clock::time_point until) {
  if (auto connected = connect_queued(); !connected) return connected;
  if (auto sent = send_pings(Clock::now()); !sent) return sent;
  const auto wait = std::max(std::min(until, pace_.next()) - Clock::now(), Clock::duration{0});
  const timespec limit{std::chrono::duration_cast<std::chrono::seconds>(wait).count(),
                       (wait % std::chrono::seconds{1}).count()};
  std::array<epoll_event, kEventsMax> events{};
  const int ready = epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &limit, nullptr);
  if (ready < 0 && errno != EINTR) {
    return Error{Errc::kIo, fmt::format("epoll_pwait2: {}", std::strerror(errno))};
  }
  for (int i = 0; i < ready; ++i) {
    const std::uint64_t word = events.at(static_cast<std::size_t>(i)).data.u64;
    const std::size_t member = word & 0xffffffffU;
    // Of a connection that was given up earlier in this turn.
    if (members_[member].descriptor < 0 || members_[member].connection != word >> kMemberBits) continue;
    if (auto handled = handle(member, Clock::now()); !handled) return handled;
  }
  return {};
}

Result<void> Crowd::rest(std::chrono::nanoseconds duration) {
  const Clock::time_point end = Clock::now() + duration;
  for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
    std::this_thread::sleep_until(std::min({end, pace_.next(), now + kNapMax}));
    if (auto turned = turn(now); !turned) return turned;
  }
  return {};
}

}  // namespace wk::bench
