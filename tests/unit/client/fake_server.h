// A scripted ZooKeeper server on a loopback port: takes frames in, sends what the test tells it to.
//
// Lives on the io_context of the client under test, so a test is one thread and runs as far as run_until()
// says.
#pragma once

#include <array>
#include <boost/asio.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "client/server_address.h"
#include "jute/records.h"

namespace wk::client {

/// Encodes records one after the other.
template <typename... Records>
std::vector<std::byte> encode(const Records&... records) {
  std::vector<std::byte> output;
  jute::Writer out(output);
  (write(out, records), ...);
  return output;
}

class FakeServer {
 public:
  explicit FakeServer(boost::asio::io_context& io)
      : acceptor_(io, {boost::asio::ip::address_v4::loopback(), 0}),
        port_(acceptor_.local_endpoint().port()) {
    accept();
  }

  [[nodiscard]] ServerAddress address() const { return {"127.0.0.1", port_}; }

  /// Sends `payload` with its length in front.
  void send(const std::vector<std::byte>& payload) {
    auto frame = encode(static_cast<std::int32_t>(payload.size()));
    frame.insert(frame.end(), payload.begin(), payload.end());
    send_raw(frame);
  }

  void send_raw(const std::vector<std::byte>& bytes) {
    boost::asio::write(*peer_, boost::asio::buffer(bytes));
  }

  template <typename... Records>
  void reply(std::int32_t xid, std::uint64_t zxid, jute::ErrorCode error, const Records&... body) {
    send(encode(jute::ReplyHeader{xid, Zxid{zxid}, error}, body...));
  }

  /// Grants a session, as an answer to a ConnectRequest.
  void grant(std::int64_t id, std::int32_t timeout_ms = 30'000, bool read_only = false) {
    send(encode(
        jute::ConnectResponse{0, timeout_ms, SessionId{id}, std::string("password of 16 b"), read_only}));
  }

  /// Removes the oldest frame that arrived.
  std::vector<std::byte> take() {
    auto frame = std::move(frames.front());
    frames.pop_front();
    return frame;
  }

  /// Closes the current connection.
  void drop() { peer_->close(); }

  /// Accepts no more connections; later ones are refused.
  void stop() {
    acceptor_.close();
    if (peer_) peer_->close();
  }

  std::deque<std::vector<std::byte>> frames;  ///< payloads that arrived and were not taken
  int accepted = 0;
  bool ended = false;  ///< the client closed the current connection
  bool close_on_accept = false;

 private:
  using Socket = boost::asio::ip::tcp::socket;

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& code, Socket socket) {
      if (code) return;
      ++accepted;
      ended = false;
      peer_ = std::make_shared<Socket>(std::move(socket));
      if (close_on_accept)
        peer_->close();
      else
        read(peer_);
      accept();
    });
  }

  void read(const std::shared_ptr<Socket>& peer) {
    auto length = std::make_shared<std::array<std::byte, 4>>();
    boost::asio::async_read(*peer, boost::asio::buffer(*length),
                            [this, peer, length](const boost::system::error_code& code, std::size_t) {
                              if (code) return end(peer, code);
                              auto payload = std::make_shared<std::vector<std::byte>>(
                                  static_cast<std::size_t>(jute::Reader(*length).read_int()));
                              boost::asio::async_read(
                                  *peer, boost::asio::buffer(*payload),
                                  [this, peer, payload](const boost::system::error_code& cut, std::size_t) {
                                    if (cut) return end(peer, cut);
                                    frames.push_back(std::move(*payload));
                                    read(peer);
                                  });
                            });
  }

  void end(const std::shared_ptr<Socket>& peer, const boost::system::error_code& code) {
    if (peer == peer_ && code != boost::asio::error::operation_aborted) ended = true;
  }

  boost::asio::ip::tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::shared_ptr<Socket> peer_;
};

}  // namespace wk::client
