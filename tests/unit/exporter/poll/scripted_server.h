// A peer on loopback that does what a test scripts: one script a connection, in order, the last one repeated.
//
// Thread: runs inside the io_context that the tested code uses; no threads, no sleeps.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wk::exporter {

/// The far end of one accepted connection.
class Peer {
 public:
  virtual ~Peer() = default;
  /// Reads until `count` bytes came (or the other side closed), and returns them.
  virtual boost::asio::awaitable<std::string> read(std::size_t count) = 0;
  /// Reads an HTTP request head; empty when the other side closed.
  virtual boost::asio::awaitable<std::string> read_head() = 0;
  /// False when the other side is gone.
  virtual boost::asio::awaitable<bool> write(std::string text) = 0;
  /// Waits until the other side closes.
  virtual boost::asio::awaitable<void> hang() = 0;
  /// Closes with a reset instead of an orderly end.
  virtual void reset() = 0;
};

class ScriptedServer {
 public:
  using Script = std::function<boost::asio::awaitable<void>(Peer&)>;

  /// \param tls  null: plain TCP; else the handshake comes before the script
  ScriptedServer(boost::asio::io_context& context, std::vector<Script> scripts,
                 std::shared_ptr<boost::asio::ssl::context> tls = nullptr);
  ~ScriptedServer();

  [[nodiscard]] std::uint16_t port() const { return state_->port; }
  [[nodiscard]] int connections() const { return state_->connections; }
  /// TLS handshakes that resumed a session.
  [[nodiscard]] int resumed() const { return state_->resumed; }
  void close();

 private:
  struct State {
    explicit State(boost::asio::io_context& context) : acceptor(context) {}
    boost::asio::ip::tcp::acceptor acceptor;
    std::uint16_t port = 0;
    std::vector<Script> scripts;
    std::shared_ptr<boost::asio::ssl::context> tls;
    int connections = 0;
    int resumed = 0;
  };
  static boost::asio::awaitable<void> accept(std::shared_ptr<State> state);
  static boost::asio::awaitable<void> serve(std::shared_ptr<State> state, boost::asio::ip::tcp::socket socket,
                                            Script script);

  std::shared_ptr<State> state_;
};

/// A member's client port: answers each four-letter word with its text (nothing for an unknown one) and
/// closes.
ScriptedServer::Script words(std::vector<std::pair<std::string, std::string>> answers);
/// Answers with `text` whatever is asked, and closes.
ScriptedServer::Script says(std::string text);
/// Reads the question and never answers.
ScriptedServer::Script hangs();

/// What srvr and mntr of a standalone 3.8.0 print.
extern const char* const kSrvrText;
extern const char* const kMntrText;

}  // namespace wk::exporter
