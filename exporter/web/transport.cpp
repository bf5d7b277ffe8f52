#include "exporter/web/transport.h"

#include <civetweb.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <ctime>
#include <future>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "exporter/web/civetweb_library.h"

namespace wk::exporter {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStopGrace{1};
constexpr std::chrono::milliseconds kStopPoll{10};
/// Between two pieces the deadline of the response is looked at; also the largest TLS record.
constexpr std::size_t kPieceBytes = 16 * 1024;
/// Bytes read from a client that was told that the connection ends: closing with unread input resets the
/// connection, and the client may never see the response.
constexpr std::size_t kDrainBytesMax = 64 * 1024;

bool fit_for_header(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

/// Status line and header fields. A field that would break the message's framing is left out.
std::string head_of(const Response& response, bool keep_alive) {
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\nContent-Type: {}\r\n", response.status,
      reason_phrase(response.status), fmt::gmtime(std::time(nullptr)), response.content_type);
  // A stream lasts until the connection ends. 304 has no body, and a length would be that of the 200.
  if (!response.body_stream() && response.status != 304)
    head += fmt::format("Content-Length: {}\r\n", response.body_text().size());
  head += fmt::format("Connection: {}\r\n", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) {
    if (fit_for_header(name) && fit_for_header(value))
      head.append(name).append(": ").append(value).append("\r\n");
  }
  head += "\r\n";
  return head;
}

Error listen_error(const ListenAddress& address, const error_code& error) {
  Errc code = Errc::kIo;
  std::string remedy = "check the address";
  if (error == asio::error::address_in_use) {
    code = Errc::kNotAllowed;
    remedy = fmt::format(
        "another process listens there (see: ss -ltnp 'sport = :{}'); stop it or choose another port",
        address.port);
  } else if (error == asio::error::access_denied) {
    code = Errc::kNotAllowed;
    remedy = "ports below 1024 need CAP_NET_BIND_SERVICE; choose a port above";
  } else if (error.value() == EADDRNOTAVAIL) {
    code = Errc::kUnreachable;
    remedy = "this machine does not have that address (see: ip address)";
  }
  return Error{code,
               fmt::format("cannot listen on {}: {}; {}", address.to_string(), error.message(), remedy)};
}

Result<void> check_family(const ListenAddress& address) {
  if (address.host.find(':') == std::string::npos) return {};
  return Error{
      Errc::kInvalidInput,
      fmt::format(
          "cannot listen on {}: the HTTP library of this build (civetweb {}) has no IPv6; listen on an "
          "IPv4 address such as 127.0.0.1:{} and let a reverse proxy listen on IPv6",
          address.to_string(), mg_version(), address.port)};
}

/// The IPv4 endpoint of `address`. A name with several is listened to on its first.
Result<tcp::endpoint> resolve(const ListenAddress& address) {
  if (address.host.empty()) return tcp::endpoint(tcp::v4(), address.port);
  if (const auto possible = check_family(address); !possible) return possible.error();
  asio::io_context io;
  error_code error;
  const auto found =
      tcp::resolver(io).resolve(tcp::v4(), address.host, std::to_string(address.port),
                                tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return Error{Errc::kUnresolved,
                 fmt::format("cannot listen on {}: the name cannot be resolved to an IPv4 address "
                             "({}); use an IPv4 address of this machine",
                             address.to_string(), error.message())};
  }
  return found.begin()->endpoint();
}

/// Tries to bind as civetweb will, which cannot say well what went wrong.
Result<void> check_bindable(const ListenAddress& address, const tcp::endpoint& endpoint) {
  asio::io_context io;
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (error) return listen_error(address, error);
  return {};
}

/// What is known about a connection beside what civetweb knows.
struct ConnectionState {
  Clock::time_point waiting_since;  ///< for the next request
  std::uint64_t requests = 0;       ///< complete or not, that were answered
};

/// When the handshake on this thread began; civetweb tells of a connection only after it.
thread_local Clock::time_point handshake_began;

std::string_view first_header(const mg_request_info& info, std::string_view name) {
  for (int i = 0; i < info.num_headers; ++i) {
    if (equal_header_name(info.http_headers[i].name, name)) return info.http_headers[i].value;
  }
  return {};
}

/// True when the comma-separated `list` holds `option`, in any case.
bool has_option(std::string_view list, std::string_view option) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (equal_header_name(item, option)) return true;
  }
  return false;
}

bool has_body(const mg_request_info& info) {
  return info.content_length > 0 || !first_header(info, "Transfer-Encoding").empty();
}

/// True where civetweb, too, keeps the connection.
bool wants_keep_alive(const mg_request_info& info) {
  if (has_body(info) || !first_header(info, "Upgrade").empty()) return false;
  const std::string_view connection = first_header(info, "Connection");
  if (!connection.empty()) return has_option(connection, "keep-alive");
  return std::string_view(info.http_version) == "1.1";
}

Request request_of(const mg_request_info& info) {
  Request request;
  request.method = info.request_method;
  request.path = info.request_uri;
  if (info.query_string != nullptr) request.path.append("?").append(info.query_string);
  request.remote_address = static_cast<const char*>(info.remote_addr);
  for (int i = 0; i < info.num_headers; ++i) {
    request.headers.emplace_back(info.http_headers[i].name, info.http_headers[i].value);
  }
  return request;
}

}  // namespace

Result<void> check_transport(const std::vector<ListenAddress>& addresses, bool tls) {
  for (const ListenAddress& address : addresses)
    if (auto possible = check_family(address); !possible) return possible;
  for (const ListenAddress& all : addresses)
    for (const ListenAddress& one : addresses)
      if (&one != &all && all.port == one.port && all.port != 0 &&
          (all.host.empty() || all.host == "0.0.0.0"))
        return Error{Errc::kInvalidInput,
                     fmt::format("cannot listen on {} beside {}, which is all addresses of this "
                                 "machine; leave one of them out",
                                 one.to_string(), all.to_string())};
  return tls ? prepare_civetweb_tls() : Result<void>();
}

class Transport::State {
 public:
  State(std::size_t connections_max, const ConnectionLimits& limits, TransportUse use)
      : connections_max_(connections_max), limits_(limits), use_(std::move(use)) {}
  ~State() { stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> start(const std::vector<ListenAddress>& addresses) {
    if (use_.tls) {
      if (const auto prepared = prepare_civetweb_tls(); !prepared) return prepared.error();
      entrance_.emplace(use_.tls);
      SSL_CTX_set_app_data(entrance_->context(), this);
      SSL_CTX_set_info_callback(entrance_->context(), &State::on_tls_event);
    } else {
      prepare_civetweb();
    }
    std::string ports;
    for (const ListenAddress& address : addresses) {
      const auto endpoint = resolve(address);
      if (!endpoint) return endpoint.error();
      if (const auto bindable = check_bindable(address, *endpoint); !bindable) return bindable.error();
      ports += fmt::format("{}{}:{}{}", ports.empty() ? "" : ",", endpoint->address().to_string(),
                           endpoint->port(), use_.tls ? "s" : "");
      endpoints_.push_back(*endpoint);
    }
    if (const auto listening = listen(ports); !listening) return listening.error();

    std::vector<mg_server_port> found(addresses.size());
    const int count = mg_get_server_ports(context_, static_cast<int>(found.size()), found.data());
    WK_CHECK(count == static_cast<int>(addresses.size()), "civetweb listens on fewer ports than it says");
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      endpoints_[i].port(static_cast<std::uint16_t>(found[i].port));
      addresses_.push_back({addresses[i].host, endpoints_[i].port()});
    }
    return {};
  }

  void stop() {
    if (context_ == nullptr) return;
    {
      std::unique_lock lock(mutex_);
      stopping_ = true;
      for (BodyStream* const stream : streams_) stream->end();
      request_done_.wait(lock, [this] { return answering_ == 0; });
      request_done_.wait_for(lock, kStopGrace, [this] { return writing_ == 0; });
    }
    auto stopped = std::async(std::launch::async, [this] { mg_stop(context_); });
    // civetweb's accepting thread looks at its orders every two seconds only; a connection wakes it.
    while (stopped.wait_for(kStopPoll) != std::future_status::ready) wake();
    context_ = nullptr;
  }

  const std::vector<ListenAddress>& addresses() const { return addresses_; }

  TransportCounters counters() const { return {malformed_, timeouts_, tls_failures_, keep_alive_refused_}; }

 private:
  using Counter = std::atomic<std::uint64_t>;

  static State& of(const mg_connection* connection) {
    return *static_cast<State*>(mg_get_user_data(mg_get_context(connection)));
  }

  Result<void> listen(const std::string& ports) {
    const std::string threads = std::to_string(connections_max_);
    const std::string header_bytes = std::to_string(limits_.header_bytes_max);
    const std::string request_timeout = std::to_string(limits_.request_timeout.count());
    const std::string idle_timeout = std::to_string(limits_.idle_timeout.count());
    const std::array<const char*, 23> options = {"listening_ports",
                                                 ports.c_str(),
                                                 "num_threads",
                                                 threads.c_str(),
                                                 "max_request_size",
                                                 header_bytes.c_str(),
                                                 "request_timeout_ms",
                                                 request_timeout.c_str(),
                                                 "keep_alive_timeout_ms",
                                                 idle_timeout.c_str(),
                                                 "enable_keep_alive",
                                                 "yes",
                                                 "tcp_nodelay",
                                                 "1",
                                                 "decode_url",
                                                 "no",
                                                 "enable_auth_domain_check",
                                                 "no",
                                                 "enable_directory_listing",
                                                 "no",
                                                 "listen_backlog",
                                                 "256",
                                                 nullptr};
    mg_callbacks callbacks{};
    callbacks.begin_request = &State::on_request;
    callbacks.http_error = &State::on_refused;
    callbacks.init_connection = &State::on_open;
    callbacks.connection_close = &State::on_close;
    callbacks.log_message = &State::on_log;
    callbacks.log_access = [](const mg_connection*, const char*) { return 1; };
    callbacks.external_ssl_ctx = &State::on_tls_context;
    std::array<char, 256> text{};
    mg_error_data error{};
    error.text = text.data();
    error.text_buffer_size = text.size();
    mg_init_data init{};
    init.callbacks = &callbacks;
    init.user_data = this;
    init.configuration_options = const_cast<const char**>(options.data());  // civetweb only reads it
    context_ = mg_start2(&init, &error);
    if (context_ != nullptr) return {};
    const std::lock_guard lock(mutex_);
    return Error{Errc::kIo, fmt::format("the HTTP server cannot start on {}: {}; {}check the address", ports,
                                        text.data(), startup_log_)};
  }

  void wake() const {
    asio::io_context io;
    for (tcp::endpoint endpoint : endpoints_) {
      if (endpoint.address().is_unspecified()) endpoint.address(asio::ip::address_v4::loopback());
      tcp::socket socket(io);
      error_code ignored;
      socket.open(tcp::v4(), ignored);
      socket.non_blocking(true, ignored);
      socket.connect(endpoint, ignored);
    }
  }

  // civetweb's callbacks. No exception may leave them: between them and the thread's start is only C.

  static int on_open(const mg_connection* connection, void** data) noexcept {
    ++of(connection).open_;
    *data = new ConnectionState{Clock::now(), 0};
    return 0;
  }

  static void on_close(const mg_connection* connection) noexcept {
    State& self = of(connection);
    const std::unique_ptr<ConnectionState> state(
        static_cast<ConnectionState*>(mg_get_user_connection_data(connection)));
    if (state) --self.open_;
    if (self.stopping_) return;
    if (!state) {
      const bool late = Clock::now() - handshake_began >= self.limits_.request_timeout;
      ++(late ? self.timeouts_ : self.tls_failures_);
    } else if (state->requests == 0 && Clock::now() - state->waiting_since >= self.limits_.request_timeout) {
      ++self.timeouts_;
    }
  }

  static int on_request(mg_connection* connection) noexcept {
    State& self = of(connection);
    const mg_request_info& info = *mg_get_request_info(connection);
    bool too_late = false;
    {
      const std::lock_guard lock(self.mutex_);
      too_late = self.stopping_;
      if (!too_late) ++self.answering_;
      ++self.writing_;
    }
    Response response;
    if (too_late) {
      response = plain_response(503, "This server is stopping.\n");
    } else {
      response = self.answer(info);
      const std::lock_guard lock(self.mutex_);
      --self.answering_;
      self.request_done_.notify_all();
    }
    const bool malformed = response.status == 400 || response.status == 431;
    bool keep_alive = wants_keep_alive(info) && !malformed && !response.body_stream() && !self.stopping_;
    if (keep_alive && self.open_ * 2 > self.connections_max_) {
      ++self.keep_alive_refused_;
      keep_alive = false;
    }
    if (!keep_alive) mg_disable_connection_keep_alive(connection);
    const int status = response.status;
    self.respond(connection, std::move(response), keep_alive,
                 std::string_view(info.request_method) == "HEAD");
    // Chunked bodies are not worth reading: their end is known too late.
    if (info.content_length > 0) drain(connection);
    {
      const std::lock_guard lock(self.mutex_);
      --self.writing_;
    }
    self.request_done_.notify_all();
    return status;
  }

  // Requests that civetweb itself refuses, before anything can be authenticated.
  static int on_refused(mg_connection* connection, int status, const char* why) noexcept {
    State& self = of(connection);
    const auto* state = static_cast<const ConnectionState*>(mg_get_user_connection_data(connection));
    if (self.stopping_ || state == nullptr) return 0;
    const auto limit = state->requests == 0 ? self.limits_.request_timeout : self.limits_.idle_timeout;
    if (status == 400 && Clock::now() - state->waiting_since >= limit) {
      ++self.timeouts_;
      self.respond(connection, plain_response(408, "The request was not complete in time.\n"), false, false);
      return 0;
    }
    ++self.malformed_;
    // Here civetweb does not tell a header that is too large from one that is not HTTP. What is left of it
    // must not be read: mg_read() fails on a request without a known length.
    Response response = plain_response(
        400, fmt::format("The request is not HTTP ({}), or its header is larger than {} bytes.\n",
                         printable(why), self.limits_.header_bytes_max));
    if (status == 505) response = plain_response(505, "Only HTTP/1.0 and HTTP/1.1 are served here.\n");
    self.respond(connection, std::move(response), false, false);
    return 0;
  }

  static int on_log(const mg_connection* connection, const char* message) noexcept {
    State& self = of(connection);
    const std::string text = printable(message);
    // What a client can cause is no warning; TLS faults come before civetweb knows their connection.
    const bool of_client =
        mg_get_request_info(connection) != nullptr || text.starts_with("sslize") || text.starts_with("SSL ");
    spdlog::log(of_client ? spdlog::level::debug : spdlog::level::warn, "civetweb: {}", text);
    if (!of_client) {
      const std::lock_guard lock(self.mutex_);
      if (self.startup_log_.size() < 1024) self.startup_log_ += text + "; ";
    }
    return 1;
  }

  // Called to get the context and, with one, when it is about to be freed.
  static int on_tls_context(void** context, void* self) noexcept {
    auto& entrance = static_cast<State*>(self)->entrance_;
    if (!entrance) return 0;
    *context = entrance->context();
    return 1;
  }

  // A plain request on a TLS port gets words instead of a broken handshake.
  static void on_tls_event(const SSL* ssl, int where, int result) noexcept {
    if ((where & SSL_CB_HANDSHAKE_START) != 0) handshake_began = Clock::now();
    if (where != SSL_CB_ACCEPT_EXIT || result > 0 ||
        ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_HTTP_REQUEST)
      return;
    auto* self = static_cast<State*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    Response response = plain_response(400, "This port speaks HTTPS: write https:// instead of http://\n");
    self->use_.finish(response);
    const std::string text = head_of(response, false).append(response.body_text());
    const int socket = SSL_get_fd(ssl);
    send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    std::array<char, 4096> dropped{};
    for (std::size_t total = 0; total < kDrainBytesMax; total += dropped.size()) {
      if (recv(socket, dropped.data(), dropped.size(), MSG_DONTWAIT) <= 0) break;
    }
  }

  Response answer(const mg_request_info& info) {
    if (info.num_headers > static_cast<int>(kHeadersMax)) {
      ++malformed_;
      return too_many_fields();
    }
    Request request = request_of(info);
    const auto hosts = std::count_if(request.headers.begin(), request.headers.end(), [](const auto& header) {
      return equal_header_name(header.first, "Host");
    });
    if (hosts != 1 && (hosts > 1 || std::string_view(info.http_version) == "1.1")) {
      ++malformed_;
      return plain_response(400, "The request needs one Host header.\n");
    }
    return use_.answer(std::move(request));
  }

  static Response too_many_fields() {
    return plain_response(431, fmt::format("The request's header has more than {} fields.\n", kHeadersMax));
  }

  void respond(mg_connection* connection, Response response, bool keep_alive, bool head_only) {
    use_.finish(response);
    const std::string_view body = head_only ? std::string_view() : response.body_text();
    const auto deadline = Clock::now() + limits_.response_timeout;
    std::string piece = head_of(response, keep_alive);
    std::size_t sent = std::min(body.size(), kPieceBytes - std::min(kPieceBytes, piece.size()));
    piece.append(body.substr(0, sent));
    bool written = write(connection, piece);
    if (const auto stream = response.body_stream(); stream && !head_only) {
      written = written && send_stream(connection, *stream);
    }
    while (written && sent < body.size()) {
      if (Clock::now() >= deadline) {
        ++timeouts_;
        written = false;
        break;
      }
      const std::string_view next = body.substr(sent, kPieceBytes);
      written = write(connection, next);
      sent += next.size();
    }
    if (!written) mg_disable_connection_keep_alive(connection);
    if (auto* state = static_cast<ConnectionState*>(mg_get_user_connection_data(connection))) {
      ++state->requests;
      state->waiting_since = Clock::now();
    }
  }

  /// False when the client did not take it to its end.
  bool send_stream(mg_connection* connection, BodyStream& stream) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return true;
      streams_.insert(&stream);
    }
    bool written = true;
    while (written) {
      const std::shared_ptr<const std::string> piece = stream.next();
      if (!piece) break;
      const auto deadline = Clock::now() + limits_.request_timeout;
      for (std::string_view rest = *piece; written && !rest.empty();
           rest.remove_prefix(std::min(rest.size(), kPieceBytes))) {
        written = write(connection, rest.substr(0, kPieceBytes));
        if (written && Clock::now() >= deadline && rest.size() > kPieceBytes) {
          ++timeouts_;
          written = false;
        }
      }
    }
    const std::lock_guard lock(mutex_);
    streams_.erase(&stream);
    return written;
  }

  /// False when the client is gone, or took nothing for the time of a request.
  bool write(mg_connection* connection, std::string_view text) {
    const auto began = Clock::now();
    if (mg_write(connection, text.data(), text.size()) == static_cast<int>(text.size())) return true;
    if (!stopping_ && Clock::now() - began >= limits_.request_timeout) ++timeouts_;
    return false;
  }

  /// Takes at most the time of a request.
  static void drain(mg_connection* connection) {
    std::vector<char> dropped(kDrainBytesMax);
    mg_read(connection, dropped.data(), dropped.size());
  }

  const std::size_t connections_max_;
  const ConnectionLimits limits_;
  const TransportUse use_;
  std::optional<TlsEntrance> entrance_;
  std::vector<tcp::endpoint> endpoints_;
  std::vector<ListenAddress> addresses_;
  mg_context* context_ = nullptr;

  Counter malformed_{0};
  Counter timeouts_{0};
  Counter tls_failures_{0};
  Counter keep_alive_refused_{0};
  std::atomic<std::size_t> open_{0};
  std::atomic<bool> stopping_{false};  ///< written under mutex_

  std::mutex mutex_;
  std::condition_variable request_done_;
  std::size_t answering_ = 0;      ///< under mutex_; requests whose answer is being made
  std::size_t writing_ = 0;        ///< under mutex_; requests whose response is not yet written
  std::set<BodyStream*> streams_;  ///< under mutex_; being sent
  std::string startup_log_;        ///< under mutex_; civetweb's own messages, for the error of start()
};

Transport::Transport(std::size_t connections_max, const ConnectionLimits& limits, TransportUse use)
    : state_(std::make_unique<State>(connections_max, limits, std::move(use))) {}
Transport::~Transport() = default;

Result<void> Transport::start(const std::vector<ListenAddress>& addresses) {
  return state_->start(addresses);
}
std::vector<ListenAddress> Transport::addresses() const { return state_->addresses(); }
TransportCounters Transport::counters() const { return state_->counters(); }
void Transport::stop() { state_->stop(); }

}  // namespace wk::exporter
