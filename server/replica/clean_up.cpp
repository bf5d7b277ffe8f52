#include "server/replica/clean_up.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "jute/writer.h"
#include "server/txn/request.h"

namespace wk::replica {

CleanUp::CleanUp(State& state, Pipeline& pipeline, const Moment& started)
    : state_(state),
      pipeline_(pipeline),
      next_search_(started.steady + state.settings.container_check_interval),
      next_removal_(started.steady) {}

bool CleanUp::on_tick(const Moment& now) {
  // Time in which nothing was due earns no credit.
  if (due_.empty()) next_removal_ = std::max(next_removal_, now.steady);
  const bool more = search(now);
  remove(now);
  return more;
}

bool CleanUp::search(const Moment& now) {
  if (!searching_) {
    if (now.steady < next_search_) return false;
    // A path that still waits would be found a second time.
    if (!due_.empty()) return false;
    next_search_ = now.steady + state_.settings.container_check_interval;
    searching_ = true;
  }
  if (due_.size() >= kMaxDue) return false;
  const auto wall =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.wall.time_since_epoch()).count();
  found_.clear();
  searching_ = !state_.database->tree.collect_due(wall, state_.settings.container_max_never_used.count(),
                                                  kExaminedAStep, found_);
  std::move(found_.begin(), found_.end(), std::back_inserter(due_));
  return searching_ && due_.size() < kMaxDue;
}

void CleanUp::remove(const Moment& now) {
  if (!pipeline_.accepts_writes()) return;
  const std::chrono::nanoseconds pace =
      std::chrono::nanoseconds(std::chrono::minutes{1}) / state_.settings.container_max_per_minute;
  // A long pause of the ticks earns no more than one burst.
  next_removal_ = std::max(next_removal_, now.steady - pace * static_cast<std::int64_t>(kMaxBurst));
  while (!due_.empty() && next_removal_ <= now.steady) {
    std::vector<std::byte> body;
    jute::Writer(body).write_string(due_.front());
    due_.pop_front();
    txn::Request request;
    request.op = jute::OpCode::kDeleteContainer;
    request.body = body;
    pipeline_.submit(request, now);
    next_removal_ += pace;
  }
}

}  // namespace wk::replica
