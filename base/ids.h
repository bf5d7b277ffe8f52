// Strong types for the numbers that identify things, so that two bare integers never meet in one call.
//
// Thread: any; plain values.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace wk {

/// Number of a server in its ensemble: the N of `server.N` in zoo.cfg and the content of `myid`.
/// Valid range: -1 (none, as Apache writes it) and 0 … 2^63-1; 3.5 and later accept 0 … 254 only by
/// convention. Source: quorum/QuorumPeerConfig.java.
struct ServerId {
  std::int64_t value = -1;
  friend auto operator<=>(const ServerId&, const ServerId&) = default;
};

/// Number of a leadership period: the upper 32 bits of every zxid of that period. Rises with each new leader.
struct Epoch {
  std::uint32_t value = 0;
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

/// Transaction id: epoch in the upper 32 bits, a counter in the lower 32 that starts at 0 with each epoch.
/// Source: server/util/ZxidUtils.java.
struct Zxid {
  std::uint64_t value = 0;

  [[nodiscard]] Epoch epoch() const { return Epoch{static_cast<std::uint32_t>(value >> 32)}; }
  [[nodiscard]] std::uint32_t counter() const { return static_cast<std::uint32_t>(value); }
  /// As ZooKeeper prints it: "0x" and lower-case hexadecimal digits without leading zeros.
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const Zxid&, const Zxid&) = default;
};

/// Session id as the server assigned it; 0 means "no session yet".
struct SessionId {
  std::int64_t value = 0;
  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};

/// One accepted client connection of this process, numbered from 1 in the order of acceptance and never used
/// again; 0 means "no connection" (a request that this member made itself, or that a learner forwarded).
struct ConnectionId {
  std::uint64_t value = 0;
  friend auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
};

}  // namespace wk
