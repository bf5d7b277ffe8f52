// The canary of one member: a session pinned to it, and the operations that are made through it every second.
//
// A round is a sync, then a read; it ends within a second. In write mode a chain of writes runs beside the
// rounds: create an ephemeral znode, let the next member's canary watch it, change it, delete it. A chain may
// take longer than a second (a slow disk is slow, not down, as long as one operation does not hold up the
// session for a whole round); the next one starts with the first round after it, and a round counts as failed
// for the chain's sake only when the newest chain failed. An event that does not come fails the rounds of the
// member that should have seen it. Every operation is timed from the call to the reply.
//
// Thread: io. Callbacks come on it, never from inside a call, except that begin_round() reports at once a
// round that cannot begin, or that it overtakes. Invariants: at most one round and one chain are under way;
// each ends by its deadline; one report a round.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "client/session.h"
#include "exporter/model/target.h"
#include "exporter/poll/tls_client.h"

namespace wk::exporter {

/// Sessions ask for this timeout: short enough that ephemerals of a dead exporter vanish soon, long enough to
/// live through an ordinary election.
inline constexpr std::chrono::milliseconds kCanarySessionTimeout{10'000};
/// A round: sync and read together. One round starts each second.
inline constexpr std::chrono::milliseconds kCanaryRoundDeadline{950};
/// A chain of writes. Slower than this is as good as down for a client.
inline constexpr std::chrono::milliseconds kCanaryChainDeadline{5'000};
/// Of a chain, the wait for the watch event.
inline constexpr std::chrono::milliseconds kCanaryWatchDeadline{1'000};

class MemberCanary {
 public:
  using Report = std::function<void(CanaryReport)>;

  /// \param ensemble   mode, path and credentials
  /// \param index      of the member in `ensemble`
  /// \param instance   tells this exporter's znodes from another's; constant for the process
  /// \param report     called at the end of each round
  /// \param lost       called at once when an established connection is lost: the member may be gone
  MemberCanary(boost::asio::io_context& io, const EnsembleSpec& ensemble, std::size_t index,
               std::string instance, client::RandomSource random, Report report, std::function<void()> lost);
  ~MemberCanary();
  MemberCanary(const MemberCanary&) = delete;
  MemberCanary& operator=(const MemberCanary&) = delete;

  /// The canary of the member that watches what this one changes (write mode); may be this one itself.
  void watched_by(MemberCanary* next);

  void open();
  /// Begins round `number`; one that is still under way is ended first as timed out.
  void begin_round(std::uint64_t number);
  /// Ends the session, so that its znodes vanish at once.
  void close(std::function<void()> done);

 private:
  using Clock = std::chrono::steady_clock;

  void make_session();
  void on_change(const client::SessionChange& change);
  /// Whether the servers must have forgotten the session: for as long as it may live it had no connection.
  [[nodiscard]] bool outlived() const;
  void sync();
  void read();
  /// Counts the operation that the round waits for as timed out.
  void count_hung();
  void end_round(bool ok);

  void begin_chain();
  void prepare_parent(std::size_t position);
  void create();
  void watch();
  void set();
  void await_delivery(Clock::time_point acknowledged_at);
  void remove();
  void end_chain(bool ok);
  /// Sets an exists watch on `path` for another canary; `armed` tells whether it stands, `fired` comes with
  /// the event.
  void arm_watch(const std::string& path, std::chrono::milliseconds timeout,
                 std::function<void(bool armed)> armed, std::function<void()> fired);
  void delivered(std::chrono::nanoseconds after_acknowledgement);
  void watch_missed(const std::string& from);

  /// Counts an operation that was asked for at `asked`; true when it succeeded.
  template <typename T>
  bool finish(CanaryOperation operation, Clock::time_point asked, const client::Outcome<T>& outcome);
  void count(CanaryOperation operation, CanaryResult result);
  [[nodiscard]] static std::chrono::milliseconds left(Clock::time_point deadline);
  /// Wraps a callback so that it does nothing once the round (or chain) that `generation` numbers is over.
  template <typename Handler>
  auto while_current(const std::uint64_t& generation, Handler handler);

  boost::asio::io_context& io_;
  const TargetSpec target_;
  const CanaryMode mode_;
  const std::string path_;      ///< parent znode of the write mode
  const std::string own_path_;  ///< this member's znode below it
  const std::optional<std::string> credentials_;
  const std::size_t index_;
  client::RandomSource random_;
  Report report_;
  std::function<void()> lost_;
  MemberCanary* next_ = nullptr;

  std::unique_ptr<TlsClient> tls_;
  std::shared_ptr<boost::asio::ssl::context> tls_context_;
  std::unique_ptr<client::Session> session_;
  boost::asio::steady_timer round_timer_, watch_timer_;
  CanaryMember totals_;
  CanaryResult connect_failure_ = CanaryResult::kTimedOut;
  std::string connect_error_ = "no connection yet";
  std::optional<std::chrono::steady_clock::time_point> connecting_since_;
  std::optional<Clock::time_point> lost_since_;  ///< no connection since then; absent with one
  bool parent_made_ = false;
  bool leftover_ = false;  ///< a create or delete went unanswered: the own znode may exist

  bool in_round_ = false, in_chain_ = false;
  bool chain_failed_ = false;  ///< the newest finished chain
  std::uint64_t round_generation_ = 0, chain_generation_ = 0;
  std::uint64_t round_ = 0;
  Clock::time_point round_end_, chain_end_;
  bool sync_ok_ = false;
  bool watch_stands_ = false;
  std::optional<Clock::time_point> fired_at_;         ///< when the watch event of this chain came
  std::optional<Clock::time_point> acknowledged_at_;  ///< when the change of this chain was acknowledged
  std::optional<Clock::time_point> watch_missed_at_;  ///< by this member, as watcher
  std::string watch_error_;
  std::optional<Clock::time_point> refused_at_;             ///< credentials
  std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< callbacks of a destroyed canary find it gone
};

}  // namespace wk::exporter
