// Where a ZooKeeper server listens for clients, and the text form of a list of them.
//
// Thread: any; plain values. Pure: names are resolved by Connection, on each attempt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wk::client {

inline constexpr std::uint16_t kDefaultClientPort = 2181;
/// Longest list that parse_servers() takes.
inline constexpr std::size_t kMaxServers = 64;

struct ServerAddress {
  std::string host{};  ///< name or literal address, without brackets
  std::uint16_t port = kDefaultClientPort;

  /// "zk1:2181", "[::1]:2181".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const ServerAddress&, const ServerAddress&) = default;
};

/// Reads "host[:port][,host[:port]…]"; an IPv6 address needs brackets, with a port or without.
/// \return  at least one address; Errc::kInvalidInput names the entry that is wrong, Errc::kTooLarge a list
/// that is
///          too long
/// Source: client/ConnectStringParser.java. Differs: no "/chroot" behind the list; it is refused, not
/// ignored.
Result<std::vector<ServerAddress>> parse_servers(std::string_view text);

}  // namespace wk::client
