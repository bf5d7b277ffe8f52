// The canary of one ensemble: a session on each member, and one round of operations through each every
// second.
//
// It measures what clients feel, outages included; its rounds are the indicator of the availability SLO.
// Thread: io.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/canary/member_canary.h"
#include "exporter/model/target.h"

namespace wk::exporter {

inline constexpr std::chrono::seconds kCanaryInterval{1};

class Canary {
 public:
  /// \param ensemble  its canary mode is not kOff
  /// \param instance  see MemberCanary
  /// \param report    called for every member at the end of every round
  /// \param lost      called with the member's index when its established connection is lost
  Canary(boost::asio::io_context& io, const EnsembleSpec& ensemble, const std::string& instance,
         const client::RandomSource& random, const MemberCanary::Report& report,
         const std::function<void(std::size_t)>& lost);

  void start();
  /// Ends rounds and sessions; `done` is called when every session has ended or given up.
  void stop(std::function<void()> done);

 private:
  void next_round();

  boost::asio::steady_timer timer_;
  std::vector<std::unique_ptr<MemberCanary>> members_;
  std::chrono::steady_clock::time_point turn_;
  std::uint64_t round_ = 0;
  bool stopped_ = false;
};

}  // namespace wk::exporter
