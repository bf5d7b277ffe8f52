#include "server/net/listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "server/net/address.h"

namespace wk::net {
namespace {

Error socket_error(const std::string& host, std::uint16_t port, std::string_view what) {
  return {Errc::kIo, fmt::format("cannot listen on {}:{}: {}: {}", host.empty() ? "*" : host, port, what,
                                 std::strerror(errno))};
}

Descriptor open_spare() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Result<Descriptor> listen_on(const std::string& host, std::uint16_t port, int backlog) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(port);
  const std::string& wildcard_or_host = host.empty() ? std::string("::") : host;
  int status = ::getaddrinfo(wildcard_or_host.c_str(), service.c_str(), &hints, &found);
  if (status != 0)
    return Error{Errc::kUnresolved,
                 fmt::format("cannot listen on {}:{}: {}", host, port, ::gai_strerror(status))};
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  const addrinfo& chosen = listened_address(*found);
  Descriptor socket(::socket(chosen.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid() && host.empty() && errno == EAFNOSUPPORT) return listen_on("0.0.0.0", port, backlog);
  if (!socket.valid()) return socket_error(host, port, "socket");
  const int on = 1, off = 0;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (host.empty()) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(socket.get(), chosen.ai_addr, chosen.ai_addrlen) != 0) {
    // A machine without IPv6 has the family and no address of it.
    if (host.empty() && errno == EADDRNOTAVAIL) return listen_on("0.0.0.0", port, backlog);
    return socket_error(host, port, "bind");
  }
  if (::listen(socket.get(), backlog > 0 ? backlog : SOMAXCONN) != 0)
    return socket_error(host, port, "listen");
  return socket;
}

const addrinfo& listened_address(const addrinfo& first) {
  for (const addrinfo* one = &first; one != nullptr; one = one->ai_next)
    if (one->ai_family == AF_INET) return *one;
  return first;
}

std::uint16_t bound_port(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  void* const raw = &address;
  if (::getsockname(descriptor, static_cast<sockaddr*>(raw), &size) != 0) return 0;
  return port_of(address);
}

Listener::Listener(Descriptor socket, ReadySet& ready_set, std::function<void(AcceptedSocket)> on_accept,
                   std::function<void()> on_exhausted)
    : socket_(std::move(socket)),
      spare_(open_spare()),
      ready_set_(ready_set),
      on_accept_(std::move(on_accept)),
      on_exhausted_(std::move(on_exhausted)) {
  const auto added = ready_set_.add(socket_.get(), {}, *this);
  WK_CHECK(added.has_value(), added.error().message);
}

Listener::~Listener() { ready_set_.remove(socket_.get(), *this); }

void Listener::on_ready(Readiness) {
  for (int i = 0; i < kBatch; ++i) {
    if (auto accepted = accept_one()) {
      on_accept_(*std::move(accepted));
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;
    if (errno != EMFILE && errno != ENFILE) return;
    spare_.reset();
    accept_one().reset();
    spare_ = open_spare();
    on_exhausted_();
    return;
  }
}

std::optional<AcceptedSocket> Listener::accept_one() {
  AcceptedSocket accepted;
  socklen_t size = sizeof accepted.peer;
  void* const raw = &accepted.peer;
  accepted.socket =
      Descriptor(::accept4(socket_.get(), static_cast<sockaddr*>(raw), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!accepted.socket.valid()) return std::nullopt;
  return accepted;
}

}  // namespace wk::net
