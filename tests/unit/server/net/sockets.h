// Client sockets of tests on loopback.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/net/descriptor.h"

namespace wk::net {

/// How long a test waits for what the kernel owes it before it fails.
inline constexpr int kPatienceMs = 20'000;

/// A connection to 127.0.0.1; the kernel completes it without anybody accepting.
inline Descriptor connect_to(std::uint16_t port, int receive_buffer = 0) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (receive_buffer > 0)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* const raw = &address;
  EXPECT_EQ(::connect(socket.get(), static_cast<const sockaddr*>(raw), sizeof address), 0);
  return socket;
}

inline void send_all(const Descriptor& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(count, 0);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

struct Received {
  std::string bytes;
  bool ended = false;
  int error = 0;  ///< errno, ECONNRESET for a reset
};

/// What has arrived until now; never waits.
inline Received receive_now(const Descriptor& socket) {
  Received received;
  char buffer[65536];
  while (true) {
    const ssize_t count = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (count > 0) {
      received.bytes.append(buffer, static_cast<std::size_t>(count));
      continue;
    }
    received.ended = count == 0;
    if (count < 0 && errno != EAGAIN) received.error = errno;
    return received;
  }
}

/// Everything until the other side ends the connection.
inline Received receive_to_end(const Descriptor& socket) {
  Received received;
  while (true) {
    pollfd wanted{socket.get(), POLLIN, 0};
    if (::poll(&wanted, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "the connection was not ended; it sent \"" << received.bytes << '"';
      return received;
    }
    Received part = receive_now(socket);
    received.bytes += part.bytes;
    received.ended = part.ended;
    received.error = part.error;
    if (received.ended || received.error != 0) return received;
  }
}

}  // namespace wk::net
