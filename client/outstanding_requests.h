// The requests that wait for a reply, in the order they were sent, which is the order of their replies.
//
// A request whose deadline has passed keeps its place until its reply comes, without its call.
// Invariant: each call is answered or failed by whoever takes it out, once. Thread: one owner. Pure.
// Source: ClientCnxn.java (pendingQueue, readResponse); reference "Ordering, pipelining".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/error.h"
#include "client/outcome.h"
#include "jute/records.h"

namespace wk::client {

class CallbackQueue;

/// What a request owes its caller, with its type erased.
class Call {
 public:
  virtual ~Call() = default;
  /// Decodes the reply and queues the caller's callback. \return whether the reply could be decoded.
  virtual Result<void> answer(const jute::ReplyHeader& header, jute::Reader& body,
                              CallbackQueue& callbacks) = 0;
  virtual void fail(Fault fault, CallbackQueue& callbacks) = 0;
};

class OutstandingRequests {
 public:
  using Clock = std::chrono::steady_clock;

  struct Request {
    std::int32_t xid = 0;
    jute::OpCode op = jute::OpCode::kPing;
    Clock::time_point deadline;
    std::unique_ptr<Call> call;  ///< null once its deadline has passed, and for closeSession
  };

  /// The xid of the request that is added next: 1, 2, …, and 1 again behind the largest.
  [[nodiscard]] std::int32_t next_xid() const { return next_xid_; }
  /// The request was sent with next_xid(). \param call  may be null
  void add(jute::OpCode op, Clock::time_point deadline, std::unique_ptr<Call> call);

  /// Takes the request that a reply with this xid answers. \return kInvalidInput when that is not the next
  /// one
  Result<Request> take(std::int32_t xid);
  /// Takes the calls, with their operations, whose deadline has come.
  std::vector<Request> take_overdue(Clock::time_point now);
  /// Takes everything: the connection is gone.
  std::deque<Request> take_all();

  /// Of the calls that wait; Clock::time_point::max() when none does.
  [[nodiscard]] Clock::time_point earliest_deadline() const;
  /// Requests without a reply, overdue ones included.
  [[nodiscard]] std::size_t size() const { return requests_.size(); }

 private:
  std::deque<Request> requests_;
  std::int32_t next_xid_ = 1;
};

}  // namespace wk::client
