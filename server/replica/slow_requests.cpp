#include "server/replica/slow_requests.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace wk::replica {

SlowRequests::SlowRequests(std::chrono::milliseconds logged_from) : logged_from_(logged_from) {
  update_threshold();
}

void SlowRequests::note(SlowRequest request) {
  if (noted_.size() < kMaxNoted) noted_.push_back(std::move(request));
}

void SlowRequests::note_late(const SlowRequest& request, std::uint64_t replies,
                             std::chrono::nanoseconds latency) {
  if (logged_from_.count() > 0 && latency >= logged_from_) answered_ += replies;
  const bool noted = std::ranges::any_of(noted_, [&](const SlowRequest& known) {
    return known.connection == request.connection && known.op == request.op &&
           known.received == request.received;
  });
  if (!noted) note(request);
}

void SlowRequests::delivered(Time applied, const Moment& now, const WriteStages& stages) {
  for (SlowRequest& request : noted_) {
    request.answered = now;
    request.latency = now.steady - request.received;
    if (const WriteMoments* const known = stages.find_committed(request.zxid)) {
      WriteMoments moments = *known;
      moments[kWriteStages - 1] = std::max(applied, moments[kWriteStages - 2]);
      moments[kWriteStages] = std::max(now.steady, moments[kWriteStages - 1]);
      request.moments = moments;
    }
    if (logged_from_.count() > 0 && request.latency >= logged_from_) {
      if (answered_ > 0) --answered_;
      if (to_log_.requests.size() < kMaxToLog)
        to_log_.requests.push_back(request);
      else
        ++to_log_.left_out;
    }
    keep(std::move(request));
  }
  noted_.clear();
  // Those beyond kMaxNoted were as slow.
  to_log_.left_out += std::exchange(answered_, 0);
}

void SlowRequests::keep(SlowRequest request) {
  if (request.latency < usual_) return;
  if (slowest_.size() == kCapacity) {
    if (request.latency <= slowest_.back().latency) return;
    slowest_.pop_back();
  }
  const auto place =
      std::ranges::upper_bound(slowest_, request.latency, std::ranges::greater{}, &SlowRequest::latency);
  slowest_.insert(place, std::move(request));
  update_threshold();
}

void SlowRequests::tick(Time now, const Distribution& latency) {
  std::erase_if(slowest_, [&](const SlowRequest& kept) { return now - kept.answered.steady >= kKept; });
  usual_ = std::max<std::chrono::nanoseconds>(
      kLeast, std::chrono::nanoseconds(static_cast<std::int64_t>(latency.quantile(0.5)) * 10));
  update_threshold();
}

void SlowRequests::update_threshold() {
  threshold_ = usual_;
  if (slowest_.size() == kCapacity) threshold_ = std::max(threshold_, slowest_.back().latency);
  if (logged_from_.count() > 0) threshold_ = std::min(threshold_, logged_from_);
}

SlowRequests::ToLog SlowRequests::take_to_log() { return std::exchange(to_log_, ToLog{}); }

}  // namespace wk::replica
