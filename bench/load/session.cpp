#include "bench/load/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bench/load/endpoint.h"
#include "bench/load/frames.h"
#include "bench/load/requests.h"
#include "jute/codes.h"
#include "jute/records.h"

namespace wk::bench {
namespace {

constexpr std::size_t kFrameMaxBytes = std::size_t{16} << 20U;
constexpr std::size_t kBatch = 200;  // requests that are sent before their replies are read
constexpr std::size_t kHandshakesAtOnce = 256;
constexpr timeval kPatience{30, 0};

}  // namespace

Error Session::broken(const char* what) const {
  return Error{Errc::kIo, fmt::format("{}: {}: {}", server_, what, std::strerror(errno))};
}

Result<Session> Session::open(const std::string& server, std::chrono::milliseconds timeout) {
  const auto endpoint = resolve(server);
  if (!endpoint) return endpoint.error();
  const int descriptor = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Session session(server, descriptor);
  if (descriptor < 0) return session.broken("no socket");
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (connect(descriptor, endpoint->generic(), endpoint->size) != 0) return session.broken("cannot connect");
  std::vector<std::byte> frame;
  append_frame(frame, connect_request(timeout));
  if (auto sent = session.send_all(frame); !sent) return sent.error();
  return session;
}

Session::Session(Session&& other) noexcept
    : server_(std::move(other.server_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

Session::~Session() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<void> Session::send_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return broken("cannot send");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<void> Session::receive_all(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t received = recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (received < 0) return broken("no answer");
    if (received == 0)
      return Error{Errc::kClosed, fmt::format("{}: the server closed the connection", server_)};
    bytes = bytes.subspan(static_cast<std::size_t>(received));
  }
  return {};
}

Result<std::vector<std::byte>> Session::receive_frame() {
  std::vector<std::byte> payload(4);
  if (auto done = receive_all(payload); !done) return done.error();
  std::size_t size = 0;
  for (const std::byte part : payload) size = size << 8U | std::to_integer<std::size_t>(part);
  if (size > kFrameMaxBytes) {
    return Error{Errc::kTooLarge,
                 fmt::format("{}: a frame of {} bytes, more than {}", server_, size, kFrameMaxBytes)};
  }
  payload.resize(size);
  if (auto done = receive_all(payload); !done) return done.error();
  return payload;
}

Result<void> Session::await_handshake() {
  const auto payload = receive_frame();
  if (!payload) return payload.error();
  const auto response = jute::decode<jute::ConnectResponse>(*payload);
  if (!response) return response.error();
  if (response->session_id.value == 0) {
    return Error{Errc::kRefused, fmt::format("{}: the server refused the session", server_)};
  }
  return {};
}

Result<std::vector<std::int32_t>> Session::call(std::span<const std::byte> frames, std::size_t count) {
  if (auto sent = send_all(frames); !sent) return sent.error();
  std::vector<std::int32_t> codes;
  while (codes.size() < count) {
    const auto payload = receive_frame();
    if (!payload) return payload.error();
    jute::Reader reader(*payload);
    const auto header = jute::decode<jute::ReplyHeader>(*payload);
    if (!header) return header.error();
    codes.push_back(static_cast<std::int32_t>(header->error));
  }
  return codes;
}

void Session::say_goodbye() {
  const int flags = fcntl(descriptor_, F_GETFL);
  fcntl(descriptor_, F_SETFL, flags & ~O_NONBLOCK);
  std::vector<std::byte> frame;
  append_request(frame, 0, jute::OpCode::kCloseSession);
  static_cast<void>(send_all(frame));  // A server that is gone needs no farewell.
}

Result<std::vector<std::byte>> Session::ask(std::span<const std::byte> frame) {
  if (auto sent = send_all(frame); !sent) return sent.error();
  auto payload = receive_frame();
  if (!payload) return payload.error();
  jute::Reader reader(*payload);
  jute::ReplyHeader header;
  jute::read(reader, header);
  if (const auto status = reader.status(); !status) return status.error();
  if (header.error != jute::ErrorCode::kOk) {
    return Error{Errc::kNotAllowed, fmt::format("{}: a request failed: {}", server_, name(header.error))};
  }
  payload->erase(payload->begin(), payload->begin() + static_cast<std::ptrdiff_t>(reader.position()));
  return payload;
}

Result<Session> open_session(const std::string& server, std::chrono::milliseconds timeout) {
  auto session = Session::open(server, timeout);
  if (!session) return session;
  if (auto greeting = session->await_handshake(); !greeting) return greeting.error();
  return session;
}

Result<std::vector<Session>> open_sessions(const Plan& plan) {
  std::vector<Session> sessions;
  sessions.reserve(plan.connections);
  std::size_t greeted = 0;
  while (greeted < plan.connections) {
    while (sessions.size() < plan.connections && sessions.size() - greeted < kHandshakesAtOnce) {
      auto opened = Session::open(plan.servers[sessions.size() % plan.servers.size()], plan.session_timeout);
      if (!opened) return opened.error();
      sessions.push_back(std::move(*opened));
    }
    for (; greeted < sessions.size(); ++greeted) {
      if (auto greeting = sessions[greeted].await_handshake(); !greeting) return greeting.error();
    }
  }
  return sessions;
}

Result<void> make_znodes(Session& session, const std::vector<std::string>& paths, const std::string& data) {
  for (std::size_t begin = 0; begin < paths.size(); begin += kBatch) {
    const std::size_t count = std::min(kBatch, paths.size() - begin);
    std::vector<std::byte> frames;
    // A znode of an earlier run may hold data of another size: whether create succeeds or not, set the data.
    for (std::size_t i = begin; i < begin + count; ++i) {
      append_request(frames, 0, jute::OpCode::kCreate,
                     jute::CreateRequest{paths[i], data, open_acl(), jute::CreateMode::kPersistent});
      append_request(frames, 0, jute::OpCode::kSetData, jute::SetDataRequest{paths[i], data, -1});
    }
    const auto codes = session.call(frames, 2 * count);
    if (!codes) return codes.error();
    for (std::size_t i = 0; i < codes->size(); ++i) {
      const auto code = static_cast<jute::ErrorCode>((*codes)[i]);
      const bool created = i % 2 == 0;
      if (code != jute::ErrorCode::kOk && !(created && code == jute::ErrorCode::kNodeExists)) {
        return Error{Errc::kNotAllowed,
                     fmt::format("{}: {} {} failed with code {}", session.server(),
                                 created ? "create" : "setData", paths[begin + i / 2], (*codes)[i])};
      }
    }
  }
  return {};
}

Result<void> make_znodes(const std::string& server, const std::vector<std::string>& paths,
                         const std::string& data) {
  auto session = open_session(
      server, std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds{kPatience.tv_sec}));
  if (!session) return session.error();
  if (auto made = make_znodes(*session, paths, data); !made) return made;
  session->say_goodbye();
  return {};
}

Result<void> prepare_znodes(Session& session, const Plan& plan) {
  std::vector<std::string> paths{plan.root};
  for (std::size_t key = 0; key < plan.keys; ++key) paths.push_back(key_path(plan.root, key));
  for (std::size_t i = 0; i < plan.connections; ++i) paths.push_back(parent_path(plan.root, i));
  return make_znodes(session, paths, std::string(plan.data_bytes, 'x'));
}

}  // namespace wk::bench
