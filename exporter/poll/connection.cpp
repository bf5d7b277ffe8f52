#include "exporter/poll/connection.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <utility>

#include "base/endpoint.h"
#include "base/log.h"
#include "exporter/poll/source_choice.h"

namespace wk::exporter {
namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::redirect_error;
using asio::use_awaitable;

std::string to_text(const asio::ip::tcp::endpoint& endpoint) {
  return endpoint_text(endpoint.address().to_string(), endpoint.port());
}

Connection::Connection(const asio::any_io_executor& executor) : socket_(executor), timer_(executor) {}

Connection::~Connection() {
  if (!tls_stream_) return;
  SSL* ssl = tls_stream_->native_handle();
  if (!tls_established_) return;
  // Without it OpenSSL would take the missing close_notify for an attack and forget the session.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  tls_->keep_session(ssl, tls_peer_, Clock::now());
}

void Connection::set_deadline(Clock::time_point deadline) {
  timer_.expires_at(deadline);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (ec || !self || Clock::now() < self->timer_.expiry()) return;
    self->expired_ = true;
    boost::system::error_code ignored;
    self->socket_.close(ignored);
  });
}

void Connection::close() {
  closed_ = true;
  timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

boost::system::error_code Connection::translated(boost::system::error_code ec) const {
  return ec && expired_ ? asio::error::timed_out : ec;
}

asio::awaitable<Fault> Connection::open(const Goal& goal, Clock::time_point deadline) {
  Fault fault;
  for (std::size_t i = 0; i < goal.endpoints->size() && !closed_; ++i) {
    const bool last = i + 1 == goal.endpoints->size();
    const auto now = Clock::now();
    endpoint_ = (*goal.endpoints)[i];
    expired_ = false;
    set_deadline(now + std::chrono::duration_cast<Clock::duration>(step_budget(deadline - now, !last)));
    boost::system::error_code ec;
    socket_.close(ec);
    co_await socket_.async_connect(endpoint_, redirect_error(use_awaitable, ec));
    if (!ec && expired_) ec = asio::error::timed_out;
    ec = translated(ec);
    fault = ec ? connect_fault(ec, to_text(endpoint_)) : Fault{};
    if (!fault) break;
  }
  if (!fault && goal.tls) {
    set_deadline(deadline);
    fault = co_await shake_hands(goal);
  }
  co_return fault;
}

asio::awaitable<Fault> Connection::shake_hands(const Goal& goal) {
  tls_peer_ = fmt::format("{}:{}", goal.host, goal.port);
  const auto context = goal.tls->context(Clock::now());
  if (!context) co_return Fault{SourceState::kTlsFailure, wk::printable(context.error().message)};
  tls_context_ = *context;
  tls_ = goal.tls;
  tls_stream_ = std::make_unique<TlsStream>(socket_, *tls_context_);
  SSL* ssl = tls_stream_->native_handle();
  if (tls_->verifies())
    tls_stream_->set_verify_callback([this](bool accepted, asio::ssl::verify_context& verification) {
      X509_STORE_CTX* store = verification.native_handle();
      certificate_not_after_ = not_after(X509_STORE_CTX_get0_cert(store));
      if (!accepted && verify_problem_.empty())
        verify_problem_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
      return accepted;
    });
  if (const auto prepared = tls_->prepare(ssl, goal.host, tls_peer_, Clock::now()); !prepared)
    co_return Fault{SourceState::kTlsFailure, wk::printable(prepared.error().message)};
  boost::system::error_code ec;
  co_await tls_stream_->async_handshake(asio::ssl::stream_base::client, redirect_error(use_awaitable, ec));
  ec = translated(ec);
  if (!ec) {
    tls_established_ = true;
    certificate_not_after_ = not_after(SSL_get0_peer_certificate(ssl));
    co_return Fault{};
  }
  const std::string peer = to_text(endpoint_);
  if (ec == asio::error::timed_out)
    co_return Fault{SourceState::kTimedOut, wk::printable(fmt::format("{}: TLS handshake: no answer", peer))};
  if (!verify_problem_.empty())
    co_return Fault{SourceState::kTlsFailure,
                    wk::printable(fmt::format("{}: certificate for {}: {}", peer,
                                              tls_->expected_name(goal.host), verify_problem_))};
  co_return Fault{SourceState::kTlsFailure,
                  wk::printable(fmt::format("{}: TLS handshake: {}", peer, ec.message()))};
}

asio::awaitable<boost::system::error_code> Connection::write(std::string_view text) {
  boost::system::error_code ec;
  const asio::const_buffer buffer(text.data(), text.size());
  if (tls_stream_)
    co_await asio::async_write(*tls_stream_, buffer, redirect_error(use_awaitable, ec));
  else
    co_await asio::async_write(socket_, buffer, redirect_error(use_awaitable, ec));
  co_return translated(ec);
}

asio::awaitable<boost::system::error_code> Connection::read_some(std::span<char> into, std::size_t& count) {
  boost::system::error_code ec;
  const asio::mutable_buffer buffer(into.data(), into.size());
  if (tls_stream_)
    count = co_await tls_stream_->async_read_some(buffer, redirect_error(use_awaitable, ec));
  else
    count = co_await socket_.async_read_some(buffer, redirect_error(use_awaitable, ec));
  // Many servers, Java's among them, end TLS without close_notify; whether the answer is whole shows in its
  // text.
  if (ec == asio::ssl::error::stream_truncated) ec = asio::error::eof;
  co_return translated(ec);
}

asio::awaitable<boost::system::error_code> Connection::exchange(const Request& request,
                                                                boost::beast::flat_buffer& buffer,
                                                                ResponseParser& response) {
  boost::system::error_code ec;
  if (tls_stream_) {
    co_await http::async_write(*tls_stream_, request, redirect_error(use_awaitable, ec));
    if (!ec) co_await http::async_read(*tls_stream_, buffer, response, redirect_error(use_awaitable, ec));
  } else {
    co_await http::async_write(socket_, request, redirect_error(use_awaitable, ec));
    if (!ec) co_await http::async_read(socket_, buffer, response, redirect_error(use_awaitable, ec));
  }
  co_return translated(ec);
}

}  // namespace wk::exporter
