#include "server/net/client_port.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

#include "server/net/address.h"

namespace wk::net {
namespace {

/// Whether a client's connection would take one of the process's own descriptors. The system gives the lowest
/// free number: with clients below a bound, those above it are free or the process's own. The limit may be
/// changed from outside at any time.
bool is_for_own_files(int descriptor) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<std::uint64_t>(descriptor) >= ClientPort::client_descriptors(limit.rlim_cur);
}

}  // namespace

ClientPort::ClientPort(boost::asio::io_context& io, const ClientPortLimits& limits, ClientPortOwner& owner)
    : io_(io),
      limits_(limits),
      owner_(owner),
      set_descriptor_(io, ready_set_.descriptor()),
      read_buffer_(std::make_unique_for_overwrite<std::byte[]>(kReadBytes)) {}

ClientPort::~ClientPort() {
  // The set owns its descriptor.
  set_descriptor_.release();
}

Result<std::uint16_t> ClientPort::listen(const std::string& host, std::uint16_t port) {
  auto socket = listen_on(host, port, limits_.listen_backlog);
  if (!socket) return std::move(socket).error();
  const std::uint16_t got = bound_port(socket->get());
  if (bound_ == 0) bound_ = got;
  bound_sockets_.push_back(*std::move(socket));
  return got;
}

void ClientPort::start() {
  for (Descriptor& socket : bound_sockets_)
    listeners_.push_back(std::make_unique<Listener>(
        std::move(socket), ready_set_, [this](AcceptedSocket accepted) { accept(std::move(accepted)); },
        [this] {
          ++stats_.refused_without_descriptor;
          owner_.on_refused(Refusal::kNoDescriptor, "", 0);
        }));
  bound_sockets_.clear();
  wait();
}

void ClientPort::stop() {
  listeners_.clear();
  bound_sockets_.clear();
  boost::system::error_code ignored;
  set_descriptor_.cancel(ignored);
  owed_.clear();
  waiting_.clear();
  choked_.clear();
  connections_.clear();
  by_address_.clear();
}

void ClientPort::wait() {
  set_descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [this](const boost::system::error_code& error) {
                               if (error) return;
                               on_set_ready();
                               if (!listeners_.empty()) wait();
                             });
}

void ClientPort::on_set_ready() {
  ++stats_.wake_ups;
  ready_set_.poll();
  owner_.on_wake_up();
  ended_.clear();
}

void ClientPort::arm_turn() {
  if (waiting_.empty() || std::exchange(turn_armed_, true)) return;
  boost::asio::post(io_, [this] {
    turn_armed_ = false;
    take_turn();
    arm_turn();
  });
}

void ClientPort::accept(AcceptedSocket accepted) {
  std::string address = address_text(accepted.peer);
  if (is_for_own_files(accepted.socket.get())) {
    ++stats_.refused_without_descriptor;
    return owner_.on_refused(Refusal::kNoDescriptor, address, 0);
  }
  if (limits_.connections > 0 && connections_.size() >= static_cast<std::size_t>(limits_.connections)) {
    ++stats_.refused_by_total_limit;
    return owner_.on_refused(Refusal::kTotalLimit, address, limits_.connections);
  }
  int& of_address = by_address_[address];
  if (limits_.connections_per_address > 0 && of_address >= limits_.connections_per_address) {
    ++stats_.refused_by_address_limit;
    return owner_.on_refused(Refusal::kAddressLimit, address, limits_.connections_per_address);
  }
  const int on = 1;
  const int fd = accepted.socket.get();
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (limits_.tcp_keep_alive) ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const ConnectionId id{++last_id_};
  auto connection = std::make_unique<Connection>(id, std::move(accepted.socket), std::move(address),
                                                 port_of(accepted.peer), limits_.request_bytes, *this);
  const auto added = ready_set_.add(fd, {}, *connection);
  if (!added) {
    ++stats_.refused_without_descriptor;
    return owner_.on_refused(Refusal::kNoDescriptor, connection->address(), 0);
  }
  ++of_address;
  ++stats_.accepted;
  unasked_.push_back({std::chrono::steady_clock::now() + limits_.unasked_timeout, id});
  connections_.emplace(id.value, std::move(connection));
}

void ClientPort::refuse(Refusal refusal, Connection& connection, std::int64_t number) {
  connection.set_refusal(refusal);
  switch (refusal) {
    case Refusal::kFrameTooLong:
      ++stats_.frames_too_long;
      break;
    case Refusal::kHttp:
      ++stats_.http_requests;
      break;
    case Refusal::kTlsHello:
      ++stats_.tls_hellos;
      break;
    case Refusal::kUnansweredTooLong:
      ++stats_.closed_unanswered;
      break;
    case Refusal::kDoesNotRead:
      ++stats_.closed_not_reading;
      break;
    default:
      break;
  }
  owner_.on_refused(refusal, connection.address(), number);
}

void ClientPort::end(Connection& connection) {
  const auto found = connections_.find(connection.id().value);
  if (found == connections_.end()) return;
  connection.detach();
  ended_.push_back(std::move(found->second));
  connections_.erase(found);
  std::erase(owed_, &connection);
  if (const auto count = by_address_.find(connection.address());
      count != by_address_.end() && --count->second == 0)
    by_address_.erase(count);
  if (connection.announced()) owner_.on_gone(connection.id(), connection.refusal());
}

void ClientPort::end_if_drained(Connection& connection) {
  if (!connection.drained()) return;
  connection.shut_down();
  end(connection);
}

void ClientPort::queue(ConnectionId id, std::span<const std::byte> bytes, Delivery delivery) {
  const auto found = connections_.find(id.value);
  if (found == connections_.end() || bytes.empty()) return;
  if (found->second->queue(bytes, delivery)) owed_.push_back(found->second.get());
}

void ClientPort::write(Connection& connection) {
  const bool alive = connection.flush();
  if (!alive) {
    ++stats_.ended_by_peer;
    end(connection);
  } else if (connection.choked() && connection.owed_while_choked_bytes() > kUnsentMax) {
    refuse(Refusal::kDoesNotRead, connection, static_cast<std::int64_t>(connection.unsent_bytes()));
    end(connection);
  } else if (connection.finishing()) {
    end_if_drained(connection);
  }
}

void ClientPort::take_turn() {
  for (std::size_t writes = 0; writes < kTurnWrites && !waiting_.empty();) {
    const auto found = connections_.find(waiting_.front().value);
    waiting_.pop_front();
    // It may have ended, or its turn came with an answer.
    if (found == connections_.end() || !found->second->waits()) continue;
    write(*found->second);
    ++writes;
  }
  if (!ended_.empty()) owner_.on_wake_up();
  ended_.clear();
}

void ClientPort::flush() {
  // end() takes connections out of owed_, so it is emptied first.
  std::vector<Connection*> owed;
  owed.swap(owed_);
  // Behind others that wait, everybody waits.
  std::size_t in_turn = waiting_.empty() ? 0 : kTurnWrites;
  for (Connection* const connection : owed) {
    if (!connection->may_wait() || in_turn++ < kTurnWrites) {
      write(*connection);
    } else if (connection->put_off()) {
      waiting_.push_back(connection->id());
    }
  }
  owed.clear();
  if (owed_.empty()) owed_.swap(owed);
  arm_turn();
}

void ClientPort::finish(ConnectionId id) {
  const auto found = connections_.find(id.value);
  if (found == connections_.end()) return;
  found->second->finish();
  finishing_.push_back({std::chrono::steady_clock::now() + kFinishTimeout, id});
  end_if_drained(*found->second);
}

void ClientPort::pause_reading(ConnectionId id, bool paused) {
  if (const auto found = connections_.find(id.value); found != connections_.end())
    found->second->pause_reading(paused);
}

void ClientPort::tick(std::chrono::steady_clock::time_point now) {
  std::erase_if(choked_, [this](ConnectionId id) {
    const auto found = connections_.find(id.value);
    if (found == connections_.end() || !found->second->choked()) return true;
    if (found->second->fetched()) owner_.on_fetched(id);
    return false;
  });
  for (; !unasked_.empty() && unasked_.front().at <= now; unasked_.pop_front()) {
    const auto found = connections_.find(unasked_.front().connection.value);
    if (found == connections_.end() || found->second->has_asked()) continue;
    refuse(Refusal::kUnansweredTooLong, *found->second, 0);
    end(*found->second);
  }
  for (; !finishing_.empty() && finishing_.front().at <= now; finishing_.pop_front())
    if (const auto found = connections_.find(finishing_.front().connection.value);
        found != connections_.end())
      end(*found->second);
  ended_.clear();
}

const Connection* ClientPort::find(ConnectionId id) const {
  const auto found = connections_.find(id.value);
  return found == connections_.end() ? nullptr : found->second.get();
}

}  // namespace wk::net
