// A crowd that does things together: arrives, asks, departs. What the scenarios have in common.
//
// Thread: one owner.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bench/load/crowd.h"
#include "jute/codes.h"

namespace wk::bench {

class Gathering : public CrowdOwner {
 public:
  /// Time for all members to do one thing, whatever the server.
  static constexpr std::chrono::seconds kPatience{300};

  explicit Gathering(Crowd::Settings settings) : crowd_(std::move(settings), *this) {}

  /// Every member opens a session.
  Result<void> arrive();
  /// The first `members` send what `frames` appends for each, `count` requests, and hear every reply.
  /// \param also  a code that is as good as kOk
  Result<void> ask(std::size_t members, std::size_t count,
                   const std::function<void(std::size_t member, std::vector<std::byte>& output)>& frames,
                   jute::ErrorCode also = jute::ErrorCode::kOk);
  /// Every member that is present closes its session.
  Result<void> depart();

  Crowd& crowd() { return crowd_; }

  Result<void> on_session(std::size_t, Clock::time_point) override { return {}; }
  Result<void> on_reply(std::size_t member, std::int32_t xid, jute::ErrorCode code,
                        Clock::time_point now) override;
  Result<void> on_closed(std::size_t member, Clock::time_point now) override;

 private:
  Crowd crowd_;
  std::uint64_t replies_ = 0;  ///< since ask() began
  jute::ErrorCode also_ = jute::ErrorCode::kOk;
  bool departing_ = false;
};

}  // namespace wk::bench
