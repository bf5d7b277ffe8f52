// Frames for clients: encodes replies and events into the Output of the current step, and counts them.
//
// Invariant: for each connection, the event of a transaction is sent before any reply that shows the
// transaction; events that fire while a reply is being written overtake it.
// Thread: core. Source: NIOServerCnxn.java (sendResponse, process); reference "Framing", "Order guarantee".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "jute/codes.h"
#include "server/replica/io.h"
#include "server/replica/state.h"
#include "server/txn/events.h"

namespace wk::replica {

/// What a reply answers.
struct Answered {
  std::int32_t xid = 0;
  jute::OpCode op = jute::OpCode::kNotification;
  std::chrono::steady_clock::time_point received{};
};

class Outbox final : public txn::EventSink {
 public:
  explicit Outbox(State& state) : state_(state) {}

  /// Everything from here to the next begin() goes into `output`.
  void begin(Output& output) { output_ = &output; }
  [[nodiscard]] Output& output() { return *output_; }

  /// Starts a reply. \return  the vector to which its body, if any, is to be appended before finish_reply()
  std::vector<std::byte>& start_reply();
  /// Ends the reply begun: its body is dropped when `error` is not kOk.
  void finish_reply(Connection& connection, const Answered& answered, Zxid zxid, jute::ErrorCode error);
  /// A whole reply. \param body  ignored when `error` is not kOk
  void reply(Connection& connection, const Answered& answered, Zxid zxid, jute::ErrorCode error,
             std::span<const std::byte> body = {});
  /// The answer to a ConnectRequest: the connection's session and timeout, or zeros when it is refused.
  void connect_response(Connection& connection, bool accepted,
                        std::chrono::steady_clock::time_point received);

  void close(ConnectionId connection, CloseReason reason);
  void flow(Connection& connection, bool paused);

  std::span<const jute::Id> identities(ConnectionId connection) override;
  void fired(std::span<const ConnectionId> watchers, jute::EventType type, std::string_view path,
             Zxid zxid) override;

  /// The output was handed to the kernel: counts the latency of all replies since the last call.
  void delivered(const Moment& now);

 private:
  /// Replies to requests of one kind and one moment, on one connection.
  struct Burst {
    ConnectionId connection{};
    jute::OpCode op = jute::OpCode::kNotification;
    std::chrono::steady_clock::time_point received{};
    std::uint64_t replies = 0;
  };
  struct HeldEvent {
    std::size_t size = 0;
    std::size_t watchers = 0;
  };

  void send(const Send& one);
  void send_event(std::span<const ConnectionId> watchers, std::size_t offset, std::size_t size);
  void release_held_events();
  void note_slow(const Burst& burst, std::chrono::nanoseconds latency);
  void note(Connection& connection, const Answered& answered, Zxid zxid, std::size_t size);

  State& state_;
  Output* output_ = nullptr;
  bool replying_ = false;
  std::size_t reply_start_ = 0;
  std::vector<Burst> bursts_;
  std::vector<std::byte> held_bytes_;
  std::vector<HeldEvent> held_events_;
  std::vector<ConnectionId> held_watchers_;
};

}  // namespace wk::replica
