// The four-letter word cons: one line a connection; and the tally that both cons and AdminServer's
// connections fill.
//
// Thread: any; pure. Source: ConsCommand.java, ServerCnxn.dumpConnectionInfo; ClickHouse Keeper and
// RaftKeeper omit "/", the interest set in brackets and the final blank line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// Counts connections and keeps only what ConnectionsAnswer has room for, however many there are. Memory
/// grows with the number of distinct addresses, which the size of the answer bounds.
class ConnectionTally {
 public:
  void add(ClientConnection connection);
  /// Addresses by falling number, then by name; the busiest by falling packets received, then by address and
  /// port.
  ConnectionsAnswer finish();

 private:
  ConnectionsAnswer answer_;  // `busiest` is a heap with the least busy connection on top until finish()
  std::unordered_map<std::string, std::uint64_t> by_address_;
};

/// ConnectionsAnswer. kTruncated when the last line is cut; for Apache also when the blank line at the end is
/// missing.
Parsed parse_cons(std::string_view text);

/// Sets address and port from "/127.0.0.1:46690", "host/10.0.0.1:1", "/[0:0:0:0:0:0:0:1]:1",
/// "/0:0:0:0:0:0:0:1:46690" or the same without slash. False when it is none of these.
bool set_address(ClientConnection& connection, std::string_view text);

}  // namespace wk::exporter
