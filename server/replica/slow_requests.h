// The slowest requests of the last minutes, each with where its time went.
//
// What is slow follows from the load: ten times the median latency, at least kLeast; once kCapacity requests
// are kept, only what is slower than the fastest of them. Requests are noted when they are answered and
// complete when their replies have left; one that became slow only then is known without its path. Pure;
// times are arguments. Thread: core.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "jute/codes.h"
#include "server/replica/distribution.h"
#include "server/replica/write_stages.h"

namespace wk::replica {

struct SlowRequest {
  ConnectionId connection{};
  SessionId session{};
  jute::OpCode op = jute::OpCode::kNotification;
  std::string path;  ///< empty when the operation has none, or it is not known any more
  Zxid zxid{};       ///< of a write's transaction; 0 for reads
  std::chrono::steady_clock::time_point received{};
  std::size_t queued_before = 0;  ///< writes: transactions in flight when it arrived
  bool during_snapshot = false;
  bool during_purge = false;
  Moment answered{};                    ///< set when it is complete
  std::chrono::nanoseconds latency{0};  ///< likewise
  /// Of a write, likewise.
  std::optional<WriteMoments> moments;
};

class SlowRequests {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t kCapacity = 20;
  static constexpr std::chrono::milliseconds kLeast{10};
  static constexpr std::chrono::minutes kKept{10};
  /// Requests of one wake-up that are looked at.
  static constexpr std::size_t kMaxNoted = 64;
  /// Requests that wait to be logged; more are counted only.
  static constexpr std::size_t kMaxToLog = 8;
  /// Longer paths are kept by their beginning.
  static constexpr std::size_t kMaxPathBytes = 512;

  /// \param logged_from  latency from which a request is to be logged; 0: none
  explicit SlowRequests(std::chrono::milliseconds logged_from);

  /// True when a request that was received then is worth a note() now.
  [[nodiscard]] bool is_slow(Time received, Time now) const { return now - received >= threshold_; }
  [[nodiscard]] bool is_slow(std::chrono::nanoseconds latency) const { return latency >= threshold_; }

  /// A slow request was answered; its reply is on its way.
  void note(SlowRequest request);
  /// `replies` to requests of this kind and moment left after `latency`; what was not noted is noted now.
  void note_late(const SlowRequest& request, std::uint64_t replies, std::chrono::nanoseconds latency);
  /// All replies left. \param applied  as of OutputDelivered::began
  void delivered(Time applied, const Moment& now, const WriteStages& stages);
  /// Expected about every second. \param latency  of all requests
  void tick(Time now, const Distribution& latency);

  /// Slowest first.
  [[nodiscard]] const std::vector<SlowRequest>& slowest() const { return slowest_; }
  [[nodiscard]] std::chrono::nanoseconds threshold() const { return threshold_; }

  struct ToLog {
    std::vector<SlowRequest> requests;
    std::uint64_t left_out = 0;
  };
  /// What is to be logged since the last call.
  ToLog take_to_log();

 private:
  void keep(SlowRequest request);
  void update_threshold();

  const std::chrono::nanoseconds logged_from_;
  std::chrono::nanoseconds usual_{kLeast};  // ten times the median
  std::chrono::nanoseconds threshold_{kLeast};
  std::vector<SlowRequest> noted_;
  std::uint64_t answered_ = 0;  // of this wake-up, slow enough to be logged
  std::vector<SlowRequest> slowest_;
  ToLog to_log_;
};

}  // namespace wk::replica
