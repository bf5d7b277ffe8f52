#include "client/connection.h"

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <exception>
#include <utility>

#include "base/check.h"
#include "dial/peer_name.h"
#include "dial/resolver.h"

namespace wk::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kInputFirstBytes = 4096;
/// Buffers that grew beyond this for one large frame are given back when they are empty.
constexpr std::size_t kBufferKeepBytes = 64 * 1024;

Errc classify(const boost::system::error_code& code) {
  if (code == asio::error::connection_refused) return Errc::kRefused;
  if (code == asio::error::network_unreachable || code == asio::error::host_unreachable ||
      code == asio::error::network_down)
    return Errc::kUnreachable;
  if (code == asio::error::timed_out) return Errc::kTimedOut;
  if (code == asio::error::eof || code == asio::error::connection_reset || code == asio::error::broken_pipe ||
      code == asio::error::connection_aborted || code == asio::ssl::error::stream_truncated)
    return Errc::kClosed;
  if (code.category() == asio::error::get_ssl_category() ||
      code.category() == asio::ssl::error::get_stream_category())
    return Errc::kTls;
  return Errc::kIo;
}

std::string_view remedy(Errc code) {
  switch (code) {
    case Errc::kRefused:
      return "; check that the server runs and that this is its clientPort";
    case Errc::kUnresolved:
      return "; check the name and the resolver";
    case Errc::kUnreachable:
      return "; check routes and firewalls";
    case Errc::kTls:
      return "; check that this is the secureClientPort and that both sides trust each other's certificate";
    case Errc::kClosed:
      return "; a server closes when it has no quorum, when it reached maxClientCnxns, when it is behind "
             "what this "
             "session has seen, or when it stops";
    default:
      return "";
  }
}

std::size_t big_endian_length(const std::byte* bytes) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    length = length << 8 | std::to_integer<std::size_t>(bytes[i]);
  return length;
}

}  // namespace

Connection::Connection(asio::io_context& io, ServerAddress server, ConnectionTls tls, ConnectionLimits limits)
    : server_(std::move(server)),
      tls_(std::move(tls)),
      limits_(limits),
      io_(io),
      resolution_(std::make_shared<asio::steady_timer>(io, asio::steady_timer::time_point::max())),
      socket_(io) {}

/// Wraps a handler so that it keeps the connection alive and does nothing once that is closed.
template <typename Handler>
auto Connection::guarded(Handler handler) {
  return
      [self = shared_from_this(), handler = std::move(handler)](const auto& code, auto&&... results) mutable {
        if (!self->owner_) return;
        if (code) return self->fail(code);
        handler(std::forward<decltype(results)>(results)...);
      };
}

void Connection::start(std::shared_ptr<Owner> owner, std::size_t attempt) {
  WK_CHECK(!owner_ && owner, "a connection is started once");
  owner_ = std::move(owner);
  attempt_ = attempt;
  step_ = "resolving the name";
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(server_.host, not_literal);
  if (!not_literal) return connect({tcp::endpoint(literal, server_.port)});
  // Posted: a question that is refused at once must not call the owner from inside its own call.
  asio::post(io_, [self = shared_from_this()] {
    if (!self->owner_) return;
    asio::co_spawn(self->io_, resolve(self), [](const std::exception_ptr& exception) {
      if (exception) std::rethrow_exception(exception);  // this process in trouble (no memory)
    });
  });
}

asio::awaitable<void> Connection::resolve(std::shared_ptr<Connection> self) {
  const auto found = co_await dial::Resolver::of(self->io_).resolve(self->server_.host, self->resolution_);
  if (!self->owner_) co_return;
  if (!found)
    co_return self->fail(Error{
        found.error().code, fmt::format("{}: {} while {}{}", self->server_.to_string(), found.error().message,
                                        self->step_, remedy(found.error().code))});
  Endpoints endpoints;
  for (const asio::ip::address& address : *found) endpoints.emplace_back(address, self->server_.port);
  self->connect(std::move(endpoints));
}

void Connection::connect(Endpoints endpoints) {
  step_ = "connecting";
  if (!endpoints.empty())
    std::rotate(endpoints.begin(),
                endpoints.begin() + static_cast<std::ptrdiff_t>(attempt_ % endpoints.size()),
                endpoints.end());
  asio::async_connect(socket_, endpoints, guarded([this](const auto&) {
                        boost::system::error_code ignored;  // a slower connection is better than none
                        socket_.set_option(tcp::no_delay(true), ignored);
                        if (tls_.context)
                          secure();
                        else
                          opened();
                      }));
}

void Connection::secure() {
  step_ = "in the TLS handshake";
  secure_.emplace(socket_, *tls_.context);
  SSL* ssl = secure_->native_handle();
  const std::string& name = tls_.expected_name.empty() ? server_.host : tls_.expected_name;
  if (const auto expected = dial::expect_peer_name(ssl, name, tls_.verify_host_name); !expected)
    return fail(Error{Errc::kTls, fmt::format("{}: {}", server_.to_string(), expected.error().message)});
  if (tls_.verify_host_name) SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  secure_->async_handshake(asio::ssl::stream_base::client, guarded([this] { opened(); }));
}

void Connection::opened() {
  step_ = "waiting for the server's answer to the session handshake";
  const auto owner = owner_;  // outlives the call even when it closes this connection
  owner->on_open();
  if (owner_) read_more();
}

void Connection::close() {
  owner_.reset();
  resolution_->cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Connection::fail(const boost::system::error_code& code) {
  const Errc kind = classify(code);
  std::string detail = code.message();
  if (kind == Errc::kTls && secure_) {
    const long verdict = SSL_get_verify_result(secure_->native_handle());
    if (verdict != X509_V_OK) detail += fmt::format(" ({})", X509_verify_cert_error_string(verdict));
  }
  fail(Error{kind, fmt::format("{}: {} while {}{}", server_.to_string(), detail, step_, remedy(kind))});
}

void Connection::fail(Error reason) {
  const auto owner = std::exchange(owner_, nullptr);
  close();
  owner->on_closed(reason);
}

// ------------------------------------------------------------------------------------------------------------
// reading

void Connection::read_more() {
  make_room();
  const auto room = asio::buffer(input_.data() + filled_, input_.size() - filled_);
  auto handler = guarded([this](std::size_t size) { on_read(size); });
  if (secure_)
    secure_->async_read_some(room, std::move(handler));
  else
    socket_.async_read_some(room, std::move(handler));
}

/// The buffer grows with what has arrived, not with what the peer announces.
void Connection::make_room() {
  if (filled_ == 0 && input_.size() > kBufferKeepBytes) std::vector<std::byte>().swap(input_);
  if (filled_ == input_.size()) input_.resize(std::max(kInputFirstBytes, input_.size() * 2));
}

void Connection::on_read(std::size_t size) {
  filled_ += size;
  if (deliver_frames()) read_more();
}

/// Hands over all whole frames. \return whether the connection is still open.
bool Connection::deliver_frames() {
  const auto owner = owner_;  // outlives the calls even when one closes this connection
  std::size_t begin = 0;
  while (filled_ - begin >= kLengthBytes) {
    const std::size_t length = big_endian_length(input_.data() + begin);
    if (length > limits_.frame_max_bytes) {
      fail(
          Error{Errc::kTooLarge,
                fmt::format(
                    "{}: announced a frame of {} bytes, limit {}; check that a ZooKeeper client port without "
                    "TLS listens there, or that no node outgrew jute.maxbuffer",
                    server_.to_string(), length, limits_.frame_max_bytes)});
      return false;
    }
    if (filled_ - begin - kLengthBytes < length) break;
    step_ = "connected";
    owner->on_frame(std::span(input_).subspan(begin + kLengthBytes, length));
    if (!owner_) return false;
    begin += kLengthBytes + length;
  }
  if (begin > 0) std::memmove(input_.data(), input_.data() + begin, filled_ - begin);
  filled_ -= begin;
  return true;
}

// ------------------------------------------------------------------------------------------------------------
// writing

std::vector<std::byte>& Connection::begin_frame() {
  frame_start_ = queued_.size();
  queued_.resize(frame_start_ + kLengthBytes);
  return queued_;
}

void Connection::abandon_frame() { queued_.resize(frame_start_); }

Result<void> Connection::end_frame() {
  const std::size_t length = queued_.size() - frame_start_ - kLengthBytes;
  if (length > limits_.frame_max_bytes) {
    abandon_frame();
    return Error{Errc::kTooLarge, fmt::format("{}: the request takes {} bytes, limit {}", server_.to_string(),
                                              length, limits_.frame_max_bytes)};
  }
  if (queued_.size() + writing_.size() > limits_.write_queue_max_bytes) {
    abandon_frame();
    return Error{Errc::kTooLarge,
                 fmt::format("{}: {} bytes wait to be written already; the server or the network is "
                             "too slow for this rate of requests",
                             server_.to_string(), frame_start_ + writing_.size())};
  }
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    queued_[frame_start_ + i] = static_cast<std::byte>(length >> (8 * (kLengthBytes - 1 - i)) & 0xff);
  if (writing_.empty() && !std::exchange(flush_posted_, true))
    asio::post(io_, [self = shared_from_this()] {
      self->flush_posted_ = false;
      self->flush();
    });
  return {};
}

void Connection::flush() {
  if (!owner_ || !writing_.empty() || queued_.empty()) return;
  writing_.swap(queued_);
  auto handler = guarded([this](std::size_t) { on_written(); });
  if (secure_)
    asio::async_write(*secure_, asio::buffer(writing_), std::move(handler));
  else
    asio::async_write(socket_, asio::buffer(writing_), std::move(handler));
}

void Connection::on_written() {
  if (writing_.capacity() > kBufferKeepBytes)
    std::vector<std::byte>().swap(writing_);
  else
    writing_.clear();
  flush();
}

}  // namespace wk::client
