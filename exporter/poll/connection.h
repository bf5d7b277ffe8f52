// One connection to one surface of a member, plain or TLS, every step of which ends at its deadline.
//
// At most one operation at a time. When the deadline passes or close() is called, the socket is closed and
// the pending operation ends; after the deadline the error is asio::error::timed_out. Thread: io.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/poll/fault.h"
#include "exporter/poll/tls_client.h"

namespace wk::exporter {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;
  using ResponseParser = boost::beast::http::response_parser<boost::beast::http::string_body>;

  /// What open() is to reach. The pointed-to endpoints must live until it is done.
  struct Goal {
    std::string host;  ///< as configured: for SNI and the certificate check
    std::uint16_t port = 0;
    std::shared_ptr<TlsClient> tls;  ///< null: no TLS
    const std::vector<boost::asio::ip::tcp::endpoint>* endpoints =
        nullptr;  ///< tried in this order; not empty
  };

  explicit Connection(const boost::asio::any_io_executor& executor);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects to the first endpoint that accepts, then shakes hands. The fault is that of the last endpoint
  /// tried.
  boost::asio::awaitable<Fault> open(const Goal& goal, Clock::time_point deadline);

  /// Sets the deadline of what follows.
  void set_deadline(Clock::time_point deadline);
  /// Ends whatever is pending. Idempotent.
  void close();

  boost::asio::awaitable<boost::system::error_code> write(std::string_view text);
  /// \param count  receives the bytes read
  boost::asio::awaitable<boost::system::error_code> read_some(std::span<char> into, std::size_t& count);
  /// Sends the request and reads the whole response.
  boost::asio::awaitable<boost::system::error_code> exchange(const Request& request,
                                                             boost::beast::flat_buffer& buffer,
                                                             ResponseParser& response);

  /// The endpoint that open() reached, or tried last.
  [[nodiscard]] const boost::asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }
  /// End of the member's certificate, known also when it was not accepted.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> certificate_not_after() const {
    return certificate_not_after_;
  }

 private:
  using TlsStream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;

  boost::asio::awaitable<Fault> shake_hands(const Goal& goal);
  [[nodiscard]] boost::system::error_code translated(boost::system::error_code ec) const;

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  bool expired_ = false;
  bool closed_ = false;
  std::shared_ptr<boost::asio::ssl::context> tls_context_;
  std::unique_ptr<TlsStream> tls_stream_;
  std::shared_ptr<TlsClient> tls_;
  std::string tls_peer_;
  bool tls_established_ = false;
  std::string verify_problem_;  ///< why the certificate check failed
  boost::asio::ip::tcp::endpoint endpoint_;
  std::optional<std::chrono::system_clock::time_point> certificate_not_after_;
};

/// "IP:PORT", "[IP]:PORT" for IPv6.
std::string to_text(const boost::asio::ip::tcp::endpoint& endpoint);

}  // namespace wk::exporter
