// wk_null_server PORT: answers every frame at once with a fixed reply of the right shape, hangs up after
// closeSession, tells everybody who left a watch with getData of the next setData, and does nothing else.
//
// What wk_load can do at most, and what sockets alone cost a server: the floor under every measurement. It
// listens on loopback; one thread; every request that is read in one wake-up is answered with one write.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "jute/codes.h"
#include "jute/records.h"

namespace wk::bench {
namespace {

constexpr std::size_t kInputBytes = std::size_t{256} << 10U;
constexpr std::size_t kFrameMaxBytes = std::size_t{2} << 20U;
constexpr std::size_t kDataBytes = 100;
constexpr std::size_t kLengthBytes = 4;

struct Peer {
  int descriptor = -1;
  bool greeted = false;
  bool leaving = false;            ///< it has said goodbye
  bool watching = false;           ///< it is to be told of the next change
  std::vector<std::byte> input{};  ///< an incomplete frame
  std::vector<std::byte> output{};
};

template <typename T>
std::vector<std::byte> encoded(const T& record) {
  std::vector<std::byte> bytes;
  jute::Writer writer(bytes);
  jute::write(writer, record);
  return bytes;
}

std::uint32_t big_endian(const std::byte* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8U | std::to_integer<std::uint32_t>(at[i]);
  return value;
}

void put_big_endian(std::byte* at, std::uint32_t value) {
  for (int i = 3; i >= 0; --i, value >>= 8U) at[i] = static_cast<std::byte>(value & 0xffU);
}

class NullServer {
 public:
  NullServer() {
    using jute::OpCode;
    jute::Stat stat;
    stat.data_length_bytes = kDataBytes;
    jute::ConnectResponse hello;
    hello.timeout_ms = 30'000;
    hello.session_id.value = 1;
    hello.password = std::string(16, '\0');
    hello.read_only = false;
    hello_ = encoded(hello);
    add(OpCode::kGetData, encoded(jute::GetDataResponse{std::string(kDataBytes, 'x'), stat}));
    add(OpCode::kExists, encoded(jute::StatResponse{stat}));
    add(OpCode::kSetData, encoded(jute::StatResponse{stat}));
    add(OpCode::kCreate, encoded(jute::CreateResponse{"/null"}));
    add(OpCode::kSync, encoded(jute::SyncRecord{"/null"}));
    other_ = framed({});
    jute::ReplyHeader header;
    header.xid = jute::kXidNotification;
    header.zxid.value = -1;
    event_ = encoded(header);
    const auto what = encoded(
        jute::WatcherEvent{jute::EventType::kNodeDataChanged, jute::KeeperState::kSyncConnected, "/null"});
    event_.insert(event_.end(), what.begin(), what.end());
    event_.insert(event_.begin(), kLengthBytes, std::byte{});
    put_big_endian(event_.data(), static_cast<std::uint32_t>(event_.size() - kLengthBytes));
  }

  /// Serves until a socket call fails for good; the text of that failure.
  Error serve(std::uint16_t port);

 private:
  static std::vector<std::byte> framed(const std::vector<std::byte>& body) {
    std::vector<std::byte> frame(kLengthBytes);
    jute::Writer writer(frame);
    jute::write(writer, jute::ReplyHeader{0, Zxid{1}, jute::ErrorCode::kOk});
    writer.write_encoded(body);
    put_big_endian(frame.data(), static_cast<std::uint32_t>(frame.size() - kLengthBytes));
    return frame;
  }
  void add(jute::OpCode op, const std::vector<std::byte>& body) {
    replies_.at(static_cast<std::size_t>(op)) = framed(body);
  }

  void accept_all(int listener);
  bool receive(Peer& peer);
  bool answer(Peer& peer);
  void fire();

  std::vector<std::byte> hello_;
  std::array<std::vector<std::byte>, 32> replies_;
  std::vector<std::byte> other_;
  std::vector<std::byte> event_;
  bool changed_ = false;
  std::vector<std::byte> input_ = std::vector<std::byte>(kInputBytes);
  std::map<int, std::unique_ptr<Peer>> peers_;
  int epoll_ = -1;
};

void NullServer::accept_all(int listener) {
  while (true) {
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto peer = std::make_unique<Peer>();
    peer->descriptor = descriptor;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = peer.get();
    epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    peers_[descriptor] = std::move(peer);
  }
}

bool NullServer::answer(Peer& peer) {
  std::size_t at = 0;
  while (peer.input.size() - at >= kLengthBytes) {
    const std::size_t size = big_endian(peer.input.data() + at);
    if (size < 8 || size > kFrameMaxBytes) return false;
    if (peer.input.size() - at - kLengthBytes < size) break;
    const std::byte* const payload = peer.input.data() + at + kLengthBytes;
    at += kLengthBytes + size;
    const std::size_t begin = peer.output.size();
    if (!peer.greeted) {
      peer.greeted = true;
      peer.output.resize(begin + kLengthBytes);
      put_big_endian(peer.output.data() + begin, static_cast<std::uint32_t>(hello_.size()));
      peer.output.insert(peer.output.end(), hello_.begin(), hello_.end());
      continue;
    }
    const std::uint32_t op = big_endian(payload + 4);
    peer.leaving = peer.leaving || static_cast<jute::OpCode>(op) == jute::OpCode::kCloseSession;
    if (static_cast<jute::OpCode>(op) == jute::OpCode::kGetData && payload[size - 1] != std::byte{}) {
      peer.watching = true;
    }
    changed_ = changed_ || static_cast<jute::OpCode>(op) == jute::OpCode::kSetData;
    const bool known = op < replies_.size() && !replies_.at(op).empty();
    const std::vector<std::byte>& reply = known ? replies_.at(op) : other_;
    peer.output.insert(peer.output.end(), reply.begin(), reply.end());
    std::memcpy(peer.output.data() + begin + kLengthBytes, payload, 4);
  }
  peer.input.erase(peer.input.begin(), peer.input.begin() + static_cast<std::ptrdiff_t>(at));
  return true;
}

/// Tells all watchers, one write for each. An event is small and a watcher has nothing else to read.
void NullServer::fire() {
  changed_ = false;
  for (const auto& [descriptor, peer] : peers_) {
    if (!std::exchange(peer->watching, false)) continue;
    // Who has gone meanwhile is found by the next wake-up.
    [[maybe_unused]] const ssize_t sent = send(descriptor, event_.data(), event_.size(), MSG_NOSIGNAL);
  }
}

bool NullServer::receive(Peer& peer) {
  const ssize_t received = recv(peer.descriptor, input_.data(), input_.size(), 0);
  if (received < 0) return errno == EAGAIN || errno == EINTR;
  if (received == 0) return false;
  peer.input.insert(peer.input.end(), input_.begin(), input_.begin() + received);
  if (!answer(peer)) return false;
  // The peer reads while it waits, so what does not fit now fits soon; blocking is fine for a yardstick.
  std::size_t sent = 0;
  while (sent < peer.output.size()) {
    const ssize_t now =
        send(peer.descriptor, peer.output.data() + sent, peer.output.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (now > 0) sent += static_cast<std::size_t>(now);
  }
  peer.output.clear();
  if (changed_) fire();
  return !peer.leaving;
}

Error NullServer::serve(std::uint16_t port) {
  const auto failed = [](const char* what) {
    return Error{Errc::kIo, fmt::format("{}: {}", what, std::strerror(errno))};
  };
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr generic{};
  std::memcpy(&generic, &address, sizeof generic);
  if (bind(listener, &generic, sizeof address) != 0) return failed("bind");
  if (listen(listener, SOMAXCONN) != 0) return failed("listen");
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events{};
  while (true) {
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    if (ready < 0 && errno != EINTR) return failed("epoll_wait");
    for (int i = 0; i < ready; ++i) {
      auto* const peer = static_cast<Peer*>(events.at(static_cast<std::size_t>(i)).data.ptr);
      if (peer == nullptr) {
        accept_all(listener);
      } else if (!receive(*peer)) {
        close(peer->descriptor);
        peers_.erase(peer->descriptor);
      }
    }
  }
}

}  // namespace
}  // namespace wk::bench

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  const std::string_view text = argc == 2 ? argv[1] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) {
    fmt::print(stderr, "usage: wk_null_server PORT\n");
    return 2;
  }
  fmt::print(stderr, "wk_null_server: {}\n", wk::bench::NullServer().serve(port).message);
  return 1;
}
