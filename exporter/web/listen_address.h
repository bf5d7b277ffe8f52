// Where to listen: "HOST:PORT" as written on the command line.
//
// Thread: any; pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wk::exporter {

struct ListenAddress {
  std::string host;        ///< name or address without brackets; empty = every IPv4 address of this machine
  std::uint16_t port = 0;  ///< 0 = any free port

  /// As an operator writes it: ":9141", "localhost:9141", "[::1]:9141".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

/// \param text  ":PORT", "HOST:PORT" or "[IPV6]:PORT"
/// \return      Errc::kInvalidInput that shows `text` and a correct example
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace wk::exporter
