// Many sessions on one thread: they connect, ping, hear, are cut off and come back.
//
// The crowd knows the protocol of a session and nothing of what the sessions are for; its owner is told what
// happens to each and says what each does next. A member costs about 150 bytes and a ping a system call or
// two, so that tens of thousands of them cost less than the server that keeps them. The pings of all members
// are spread evenly over a third of the session timeout, as those of clients that know nothing of each other.
// Limits: a member's requests are small and wait for their replies, so what a socket does not take at once is
// an error. Thread: one owner; the owner's calls come from turn().
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "bench/load/clock.h"
#include "bench/load/endpoint.h"
#include "bench/load/frame_skimmer.h"
#include "bench/load/latency_histogram.h"
#include "bench/load/ping_pace.h"
#include "jute/codes.h"

namespace wk::bench {

/// Who is told. An error ends the crowd's turn; what is not expected is one.
class CrowdOwner {
 public:
  CrowdOwner() = default;
  CrowdOwner(const CrowdOwner&) = delete;
  CrowdOwner& operator=(const CrowdOwner&) = delete;
  virtual ~CrowdOwner() = default;

  /// The session of `member` was opened or resumed.
  virtual Result<void> on_session(std::size_t member, Clock::time_point now) = 0;
  /// A request was answered (pings are the crowd's own business).
  virtual Result<void> on_reply(std::size_t member, std::int32_t xid, jute::ErrorCode code,
                                Clock::time_point now);
  /// A watch fired.
  virtual Result<void> on_event(std::size_t member, Clock::time_point now);
  /// The server does not know the session of `member` any more. The connection is closed already.
  virtual Result<void> on_expired(std::size_t member, Clock::time_point now);
  /// The server closed the connection: one that had its session, or kAttempts in a row that waited for
  /// theirs.
  virtual Result<void> on_closed(std::size_t member, Clock::time_point now);
};

class Crowd {
 public:
  /// Connections in a row of one member that may end before its session is there, as when a server gives up a
  /// handshake that its disk held up.
  static constexpr int kAttempts = 5;

  struct Settings {
    std::vector<Endpoint> servers{};  ///< members are spread over them in turn; not empty
    std::size_t members = 1;
    std::chrono::milliseconds session_timeout{30'000};
    std::size_t at_once = 256;  ///< connections that wait for their session at one time; others queue
  };

  Crowd(Settings settings, CrowdOwner& owner);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Connects a member for a new session, or for the one that it had. It must not be connected.
  void open(std::size_t member);
  void resume(std::size_t member);
  /// Sends whole frames of a member that has its session.
  Result<void> send(std::size_t member, std::span<const std::byte> frames);
  /// Ends the connection with a reset, as a broken network does: nothing is said to the server, and its
  /// session goes on. Nothing happens when there is none.
  void cut(std::size_t member);

  /// Waits for what comes, `until` at most, tells the owner, sends the pings that are due.
  Result<void> turn(Clock::time_point until);
  /// Pings for that long, and looks at what came each time it does, 10 ms apart at most. In between it sleeps
  /// without waiting for the server: across a network no server pays for waking up its clients, but on one
  /// machine the write that wakes one up costs as much again as the write.
  Result<void> rest(std::chrono::nanoseconds duration);
  /// Turns until done() holds; an error that names `what` after `patience`.
  template <typename Done>
  Result<void> turn_until(Done&& done, std::chrono::nanoseconds patience, std::string_view what) {
    const Clock::time_point end = Clock::now() + patience;
    while (!done()) {
      if (Clock::now() >= end) return too_late(patience, what);
      if (auto turned = turn(end); !turned) return turned;
    }
    return {};
  }

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  /// Members that have their session now.
  [[nodiscard]] std::size_t present() const { return present_; }
  [[nodiscard]] bool is_present(std::size_t member) const {
    return members_[member].stage == Stage::kPresent;
  }
  [[nodiscard]] const Endpoint& server(std::size_t member) const;
  /// What the server granted to the last member that asked.
  [[nodiscard]] std::chrono::milliseconds granted_timeout() const { return granted_timeout_; }
  /// Times from a ping to its answer.
  [[nodiscard]] const LatencyHistogram& ping_times() const { return ping_times_; }

 private:
  /// The length and a ConnectResponse without its last byte, which is longer than all else that is looked at.
  static constexpr std::size_t kHeadBytes = 40;
  static constexpr std::size_t kPasswordBytes = 16;

  enum class Stage : std::uint8_t { kOut, kQueued, kConnecting, kGreeting, kPresent };
  struct Member {
    FrameSkimmer<kHeadBytes> skimmer{};
    Clock::time_point ping_sent{};  ///< epoch: no ping is under way
    SessionId session{};
    std::array<char, kPasswordBytes> password{};
    int descriptor = -1;
    std::uint32_t connection =
        0;  ///< counts its connections, so that what the kernel says of an old one is known
    Stage stage = Stage::kOut;
    std::uint8_t failed = 0;  ///< connections in a row that ended before the session was there
  };

  void queue(std::size_t member);
  Result<void> connect_queued();
  Result<void> connect(std::size_t member);
  Result<void> greet(std::size_t member);
  Result<void> handle(std::size_t member, Clock::time_point now);
  Result<void> receive(std::size_t member, Clock::time_point now);
  Result<void> take(std::size_t member, std::span<const std::byte> head, Clock::time_point now);
  Result<void> take_greeting(std::size_t member, std::span<const std::byte> head, Clock::time_point now);
  Result<void> send_pings(Clock::time_point now);
  /// Closes the socket; the member is out.
  void leave(std::size_t member);
  [[nodiscard]] Error broken(std::size_t member, const char* what) const;
  [[nodiscard]] Error too_late(std::chrono::nanoseconds patience, std::string_view what) const;

  Settings settings_;
  CrowdOwner& owner_;
  std::vector<Member> members_;
  std::deque<std::size_t> queue_{};  ///< members that are to be connected
  PingPace pace_;
  LatencyHistogram ping_times_{};
  std::vector<std::byte> ping_{};
  std::vector<std::byte> input_;
  std::chrono::milliseconds granted_timeout_{0};
  std::size_t joining_ = 0;  ///< members that wait for their session
  std::size_t present_ = 0;
  int epoll_ = -1;
};

}  // namespace wk::bench
