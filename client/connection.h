// One TCP (or TLS) connection to one server: finds it, opens it, and moves length-prefixed frames both ways.
//
// Knows frames, not ZooKeeper; Session gives them meaning. A connection is used once: start, frames, close.
// Invariants: the owner is called only from the io_context, never from inside a call of the owner; at most
// one write is under way, and everything queued while it runs leaves with the next one; after close() or
// on_closed() the owner is never called again, whatever the operating system still reports. Thread: the
// io_context's one thread. Format: an int length that does not count itself, then the payload; reference
// "Framing".
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "client/server_address.h"

namespace wk::client {

struct ConnectionLimits {
  /// Longest payload to accept or send, in bytes. Above jute.maxbuffer, since replies are a little longer
  /// than requests.
  std::size_t frame_max_bytes = 0xfffff + 64 * 1024;
  /// Bytes that may wait to be written, frames under way included.
  std::size_t write_queue_max_bytes = 4 * 1024 * 1024;
};

struct ConnectionTls {
  std::shared_ptr<boost::asio::ssl::context> context{};  ///< null: plain TCP
  /// The certificate must be valid and name the host (or literal address) that was asked for. When false,
  /// only the context's own verify mode decides.
  bool verify_host_name = true;
  /// Name that the certificate must carry, and that is asked for (SNI); empty: the host as configured.
  std::string expected_name{};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  class Owner {
   public:
    /// Frames can be sent.
    virtual void on_open() = 0;
    /// One whole payload, at least 0 bytes; `payload` is gone when the call returns.
    virtual void on_frame(std::span<const std::byte> payload) = 0;
    /// The connection failed or the peer closed it. The message names peer, step and remedy.
    virtual void on_closed(const Error& reason) = 0;

   protected:
    ~Owner() = default;
  };

  Connection(boost::asio::io_context& io, ServerAddress server, ConnectionTls tls, ConnectionLimits limits);

  /// Resolves the name, tries its addresses one after the other, shakes hands with TLS. Sets no deadline: the
  /// owner closes what takes too long. \param owner    kept alive until the connection is closed \param
  /// attempt  which address comes first (modulo their number), so that a dead one cannot block every attempt
  void start(std::shared_ptr<Owner> owner, std::size_t attempt);

  /// Starts a frame: append its payload to the returned buffer, then call end_frame(). Nothing else in
  /// between.
  std::vector<std::byte>& begin_frame();
  /// Sends what was appended since begin_frame(), soon: all frames of one wake-up leave in one write.
  /// \return  kTooLarge when a limit was passed; the frame is then dropped and the connection still good
  Result<void> end_frame();
  /// Drops what was appended since begin_frame().
  void abandon_frame();

  /// Closes without a word. May be called at any time, repeatedly.
  void close();

  /// What the connection is busy with, for messages: "resolving the name", "connecting", …
  [[nodiscard]] std::string_view step() const { return step_; }

 private:
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  static boost::asio::awaitable<void> resolve(std::shared_ptr<Connection> self);
  void connect(Endpoints endpoints);
  void secure();
  void opened();
  void read_more();
  void on_read(std::size_t size);
  bool deliver_frames();
  void make_room();
  void flush();
  void on_written();
  void fail(const boost::system::error_code& code);
  void fail(Error reason);
  template <typename Handler>
  auto guarded(Handler handler);

  const ServerAddress server_;
  const ConnectionTls tls_;
  const ConnectionLimits limits_;
  boost::asio::io_context& io_;
  const std::shared_ptr<boost::asio::steady_timer> resolution_;  ///< cancelled to give a look-up up
  boost::asio::ip::tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> secure_;
  std::shared_ptr<Owner> owner_;  ///< null before start() and after the end
  std::string_view step_ = "not started";
  std::size_t attempt_ = 0;

  std::vector<std::byte> input_;  ///< [0, filled_) holds what arrived and is not delivered
  std::size_t filled_ = 0;

  std::vector<std::byte> queued_;   ///< whole frames, and the one that begin_frame() opened
  std::vector<std::byte> writing_;  ///< being written; empty: no write is under way
  std::size_t frame_start_ = 0;
  bool flush_posted_ = false;
};

}  // namespace wk::client
