#include "exporter/canary/canary.h"

#include <utility>

namespace wk::exporter {

Canary::Canary(boost::asio::io_context& io, const EnsembleSpec& ensemble, const std::string& instance,
               const client::RandomSource& random, const MemberCanary::Report& report,
               const std::function<void(std::size_t)>& lost)
    : timer_(io) {
  for (std::size_t index = 0; index < ensemble.members.size(); ++index)
    members_.push_back(std::make_unique<MemberCanary>(io, ensemble, index, instance, random, report,
                                                      [lost, index] { lost(index); }));
  if (ensemble.canary == CanaryMode::kWrite)
    for (std::size_t index = 0; index < members_.size(); ++index)
      members_[index]->watched_by(members_[(index + 1) % members_.size()].get());
}

void Canary::start() {
  for (const auto& member : members_) member->open();
  turn_ = std::chrono::steady_clock::now() + kCanaryInterval;
  next_round();
}

void Canary::next_round() {
  timer_.expires_at(turn_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopped_) return;
    ++round_;
    for (const auto& member : members_) member->begin_round(round_);
    const auto now = std::chrono::steady_clock::now();
    turn_ += kCanaryInterval;
    if (turn_ <= now)
      turn_ = now + kCanaryInterval;  // The process was stopped for a while: no burst afterwards.
    next_round();
  });
}

void Canary::stop(std::function<void()> done) {
  stopped_ = true;
  timer_.cancel();
  auto left = std::make_shared<std::size_t>(members_.size());
  auto finished = std::make_shared<std::function<void()>>(std::move(done));
  for (const auto& member : members_)
    member->close([left, finished] {
      if (--*left == 0) (*finished)();
    });
}

}  // namespace wk::exporter
