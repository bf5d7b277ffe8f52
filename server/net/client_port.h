// The plain-text client port: accepts connections, keeps their limits, delivers frames and four-letter words,
// and sends answers, everything that is ready in one go.
//
// A wake-up goes like this: every readable connection is read once and its frames are delivered; then
// on_wake_up() is called once; there the owner hands over what is to be sent and calls flush(), which writes
// once for each connection. Nothing is allocated for a request. What is to be told to thousands at once
// (Delivery::kInTurn) leaves in turns of kTurnWrites, and between two of them everybody else is served: a
// write costs about as much as an answer, and ten thousand of them in a row would be felt by all. Thread:
// core.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/net/connection.h"
#include "server/net/first_bytes.h"
#include "server/net/listener.h"
#include "server/net/ready_set.h"
#include "server/net/refusal.h"

namespace wk::net {

struct ClientPortLimits {
  int connections_per_address = 60;  ///< 0 = unlimited
  int connections = 0;               ///< 0 = unlimited
  std::int32_t request_bytes = 1'048'575;
  std::chrono::milliseconds unasked_timeout{10'000};  ///< until the first whole frame or word has come
  /// How long the frames that one connection has sent are served before others have their turn.
  std::chrono::nanoseconds turn = std::chrono::milliseconds{5};
  int listen_backlog = -1;
  bool tcp_keep_alive = false;
};

struct ClientPortStats {
  std::uint64_t accepted = 0;
  std::uint64_t refused_by_address_limit = 0;
  std::uint64_t refused_by_total_limit = 0;
  std::uint64_t refused_without_descriptor = 0;
  std::uint64_t frames_too_long = 0;
  std::uint64_t http_requests = 0;
  std::uint64_t tls_hellos = 0;
  std::uint64_t words = 0;
  std::uint64_t closed_unanswered = 0;   ///< no handshake in time
  std::uint64_t closed_not_reading = 0;  ///< too many unsent bytes
  std::uint64_t ended_by_peer = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t reads = 0;   ///< calls of the system
  std::uint64_t writes = 0;  ///< calls of the system
  std::uint64_t wake_ups = 0;
  std::uint64_t choked = 0;  ///< times a connection was not read from since it did not read
};

/// What the owner of the port gets told. May call the port's queue(), finish(), pause_reading() at any time;
/// the connection in question lives until the end of the wake-up.
class ClientPortOwner {
 public:
  ClientPortOwner() = default;
  ClientPortOwner(const ClientPortOwner&) = delete;
  ClientPortOwner& operator=(const ClientPortOwner&) = delete;
  virtual ~ClientPortOwner() = default;

  /// A connection began with something that is no four-letter word.
  virtual void on_opened(ConnectionId connection, const std::string& address) = 0;
  /// A frame without its length prefix; the bytes live during the call. The owner may flush() in between:
  /// then the frames behind this one wait until the client has read what it is owed. They wait, too, while
  /// reading is paused.
  virtual void on_frame(ConnectionId connection, std::span<const std::byte> payload) = 0;
  /// A four-letter word; `rest` is what came right behind it. The connection is not read from any more. It
  /// ends when the owner has called finish().
  virtual void on_word(ConnectionId connection, FourLetterWord word, std::span<const std::byte> rest) = 0;
  /// A connection that is not read from, since it does not read, has fetched some of what it is owed: its
  /// client lives. Told by tick().
  virtual void on_fetched(ConnectionId connection) = 0;
  /// An opened connection ended. \param why  when the port did it by itself; nullopt: the peer, or finish()
  virtual void on_gone(ConnectionId connection, std::optional<Refusal> why) = 0;
  /// For the log. Never followed by anything but on_gone for that connection.
  virtual void on_refused(Refusal refusal, const std::string& address, std::int64_t number) = 0;
  /// Everything that was ready has been delivered, or connections ended while they were written to.
  virtual void on_wake_up() = 0;
};

class ClientPort {
 public:
  ClientPort(boost::asio::io_context& io, const ClientPortLimits& limits, ClientPortOwner& owner);
  ~ClientPort();
  ClientPort(const ClientPort&) = delete;
  ClientPort& operator=(const ClientPort&) = delete;

  /// Binds now, so that a taken port is known; connections are accepted from start() on.
  /// \return  the port that was bound
  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
  void start();
  /// Accepts no more, and ends all connections without a word.
  void stop();

  /// Owes `bytes`, which must live until flush(), to a connection; without effect when it has ended. Bytes of
  /// one connection leave in the order of the calls, however they are to be delivered.
  void queue(ConnectionId connection, std::span<const std::byte> bytes,
             Delivery delivery = Delivery::kAtOnce);
  /// Writes what is owed at once, and the first kTurnWrites of what may wait.
  void flush();
  /// Ends a connection when everything owed to it has left.
  void finish(ConnectionId connection);
  void pause_reading(ConnectionId connection, bool paused);

  /// Time passed: ends connections that took too long, and tells of those that fetch what they are owed.
  /// Expected about ten times a second.
  void tick(std::chrono::steady_clock::time_point now);

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  /// How many of them each address has.
  [[nodiscard]] const std::unordered_map<std::string, int>& by_address() const { return by_address_; }
  [[nodiscard]] const ClientPortStats& stats() const { return stats_; }
  [[nodiscard]] const Connection* find(ConnectionId connection) const;
  template <typename F>
  void for_each(F&& visit) const {
    for (const auto& [id, connection] : connections_) visit(*connection);
  }
  /// The port that listen() bound first; 0 before.
  [[nodiscard]] std::uint16_t bound() const { return bound_; }

  /// Connections that are written to in one turn of those that may wait.
  static constexpr std::size_t kTurnWrites = 16;

  /// Of as many descriptors as the process may have open, those that clients leave to its own files: without
  /// one for the next file of the log no write would be taken. Of few a quarter.
  static constexpr std::uint64_t kOwnDescriptors = 32;
  static constexpr std::uint64_t client_descriptors(std::uint64_t limit) {
    return limit - std::min(kOwnDescriptors, limit / 4);
  }

 private:
  friend class Connection;

  /// How long a finished connection may take to fetch what it is owed.
  static constexpr std::chrono::seconds kFinishTimeout{5};
  /// Bytes read from one connection at one wake-up.
  static constexpr std::size_t kReadBytes = 256UL << 10;

  struct Deadline {
    std::chrono::steady_clock::time_point at;
    ConnectionId connection;
  };

  void wait();
  void on_set_ready();
  /// Writes what is owed to one connection.
  void write(Connection& connection);
  /// Writes to the first of those that wait.
  void take_turn();
  /// Has the next turn come soon, behind what is ready by then.
  void arm_turn();
  void accept(AcceptedSocket accepted);
  void refuse(Refusal refusal, Connection& connection, std::int64_t number);
  /// Takes the connection out and tells the owner.
  void end(Connection& connection);
  void end_if_drained(Connection& connection);

  boost::asio::io_context& io_;
  ClientPortLimits limits_;
  ClientPortOwner& owner_;
  ReadySet ready_set_;
  boost::asio::posix::stream_descriptor set_descriptor_;
  std::vector<Descriptor> bound_sockets_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::uint16_t bound_ = 0;
  std::uint64_t last_id_ = 0;
  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::string, int> by_address_;
  std::vector<Connection*> owed_;     // have bytes queued since the last flush()
  std::deque<ConnectionId> waiting_;  // were put off, in the order of their turns
  bool turn_armed_ = false;
  std::vector<std::unique_ptr<Connection>> ended_;  // may still be on the call stack
  std::vector<ConnectionId> choked_;                // and those that were until a moment ago
  std::deque<Deadline> unasked_;
  std::deque<Deadline> finishing_;
  std::unique_ptr<std::byte[]> read_buffer_;
  ClientPortStats stats_;
};

}  // namespace wk::net
