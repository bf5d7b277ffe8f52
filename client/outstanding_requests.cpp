#include "client/outstanding_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace wk::client {

void OutstandingRequests::add(jute::OpCode op, Clock::time_point deadline, std::unique_ptr<Call> call) {
  requests_.push_back({next_xid_, op, deadline, std::move(call)});
  next_xid_ = next_xid_ == std::numeric_limits<std::int32_t>::max() ? 1 : next_xid_ + 1;
}

Result<OutstandingRequests::Request> OutstandingRequests::take(std::int32_t xid) {
  if (requests_.empty())
    return Error{Errc::kInvalidInput, fmt::format("a reply with xid {} while none is awaited", xid)};
  if (requests_.front().xid != xid)
    return Error{Errc::kInvalidInput,
                 fmt::format("a reply with xid {} where {} is next", xid, requests_.front().xid)};
  Request request = std::move(requests_.front());
  requests_.pop_front();
  return request;
}

std::vector<OutstandingRequests::Request> OutstandingRequests::take_overdue(Clock::time_point now) {
  std::vector<Request> overdue;
  for (Request& request : requests_)
    if (request.call && request.deadline <= now)
      overdue.push_back({request.xid, request.op, request.deadline, std::move(request.call)});
  return overdue;
}

std::deque<OutstandingRequests::Request> OutstandingRequests::take_all() {
  return std::exchange(requests_, {});
}

OutstandingRequests::Clock::time_point OutstandingRequests::earliest_deadline() const {
  auto earliest = Clock::time_point::max();
  for (const Request& request : requests_)
    if (request.call) earliest = std::min(earliest, request.deadline);
  return earliest;
}

}  // namespace wk::client
