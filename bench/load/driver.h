// The load itself: one epoll thread that drives its share of the connections.
//
// Closed loop: each connection keeps `outstanding_max` requests under way; each reply brings the next
// request, and all of one wake-up leave with one write. Open loop: requests are due at times that do not
// depend on replies, and a latency counts from the time at which its request was due, so a stalled server is
// charged for every request that it kept waiting. Requests are copied from templates and of a reply only the
// header is looked at, so that the generator costs less than any server (the null server shows by how much).
// Thread: made and read by one thread, run() by another.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "bench/load/clock.h"
#include "bench/load/frame_skimmer.h"
#include "bench/load/latency_histogram.h"
#include "bench/load/plan.h"
#include "bench/load/requests.h"
#include "bench/load/session.h"

namespace wk::bench {

/// When what is counted.
struct Schedule {
  Clock::time_point measuring_begin{};
  std::chrono::nanoseconds window{};
  std::size_t windows = 0;
  /// Replies after it are not counted; with a fixed number of operations there is no end.
  [[nodiscard]] Clock::time_point end() const {
    return measuring_begin + static_cast<std::int64_t>(windows) * window;
  }
};

/// What happened in one window (or altogether, merged).
struct Tally {
  std::array<LatencyHistogram, kOperationNames.size()> latencies{};
  std::map<std::int32_t, std::uint64_t> errors{};  ///< by ZooKeeper's code; such replies have a latency, too

  void merge(const Tally& other);
  [[nodiscard]] std::uint64_t operations() const;
  [[nodiscard]] LatencyHistogram all() const;
};

/// A driver's part of the plan.
struct Share {
  double rate_per_s = 0;         ///< of the arrivals; 0: closed loop
  std::uint64_t operations = 0;  ///< how many; without a fixed number, more than there is time for
  bool keep_answers = false;     ///< see answers(); 16 bytes each
};

/// One request that was answered.
struct Answer {
  Clock::time_point due{};  ///< open loop: when it should have left; closed loop: when it left
  std::chrono::nanoseconds latency{};
};

class Driver {
 public:
  /// \param sessions  connected; they become non-blocking. first_connection numbers them for their parents.
  /// \param share     of the plan that this driver does
  /// \param run       see RequestMaker
  Driver(const Plan& plan, std::vector<Session> sessions, std::size_t first_connection, Share share,
         std::uint32_t run);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  /// Drives until the schedule's end (or the number of operations) and then until the last reply, two seconds
  /// at most. An error when a connection breaks or answers out of order.
  Result<void> run(const Schedule& schedule);

  /// Open loop without a fixed number of operations: ends run() with the next arrival, from any thread.
  void stop() { stop_asked_ = true; }

  [[nodiscard]] const std::vector<Tally>& tallies() const { return tallies_; }
  /// Every answer, inside the windows and outside, in the order of arrival; empty unless they are kept.
  [[nodiscard]] const std::vector<Answer>& answers() const { return answers_; }
  /// Open loop: requests that were due and had to wait for a free place, at worst.
  [[nodiscard]] std::size_t backlog_max() const { return backlog_max_; }
  std::vector<Session>& sessions() { return sessions_; }

 private:
  static constexpr std::size_t kHeadBytes = 20;  // length, xid, zxid, error
  using Skimmer = FrameSkimmer<kHeadBytes>;

  struct Pending {
    Clock::time_point since{};
    Operation operation{};
  };
  /// The replies of a connection come in order, so its requests wait in a ring.
  struct Connection {
    explicit Connection(RequestMaker made) : maker(std::move(made)) {}
    RequestMaker maker;
    int descriptor = -1;
    std::string server{};
    std::vector<Pending> ring{};
    std::uint32_t sent = 0;
    std::uint32_t answered = 0;
    std::vector<std::byte> output{};
    std::size_t written = 0;
    Skimmer skimmer{};
    bool waits_for_space = false;

    [[nodiscard]] std::size_t outstanding() const { return sent - answered; }
  };

  bool may_send() const;
  void enqueue(Connection& connection, Clock::time_point since);
  Result<void> flush(Connection& connection);
  Result<void> receive(Connection& connection);
  Result<void> take(Connection& connection, std::span<const std::byte> head, Clock::time_point now);
  void count(const Pending& pending, std::int32_t code, Clock::time_point now);
  Result<void> start_closed_loop();
  Result<void> send_due(Clock::time_point now);
  std::chrono::nanoseconds next_gap();
  bool finished(Clock::time_point now) const;
  std::optional<std::chrono::nanoseconds> patience(Clock::time_point now) const;

  const Plan& plan_;
  std::vector<Session> sessions_;
  std::vector<Connection> connections_;
  Chooser chooser_;
  FastRandom random_;
  Schedule schedule_{};
  std::vector<Tally> tallies_;
  std::vector<std::byte> input_;
  int epoll_ = -1;
  std::uint64_t outstanding_ = 0;
  std::uint64_t operations_left_;
  std::atomic<bool> stop_asked_{false};
  bool stopping_ = false;
  Clock::time_point stopped_at_{};
  double gap_ns_ = 0;  ///< mean time between two arrivals; 0 in a closed loop
  Clock::time_point next_due_{};
  std::deque<Clock::time_point> backlog_{};
  std::size_t backlog_max_ = 0;
  std::size_t turn_ = 0;
  bool keep_answers_;
  std::vector<Answer> answers_{};
};

}  // namespace wk::bench
