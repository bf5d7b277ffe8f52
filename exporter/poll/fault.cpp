#include "exporter/poll/fault.h"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include "base/log.h"

namespace wk::exporter {
namespace asio = boost::asio;

Fault connect_fault(const boost::system::error_code& ec, std::string_view peer) {
  SourceState state = SourceState::kUnreachable;
  if (ec == asio::error::connection_refused || ec == asio::error::connection_reset)
    state = SourceState::kRefused;
  else if (ec == asio::error::timed_out)
    state = SourceState::kTimedOut;
  return {state, wk::printable(fmt::format("{}: connect: {}", peer, ec.message()))};
}

Fault transfer_fault(const boost::system::error_code& ec, std::size_t received, std::string_view peer) {
  if (ec.category() == asio::error::get_ssl_category())
    return {SourceState::kTlsFailure, wk::printable(fmt::format("{}: TLS: {}", peer, ec.message()))};
  if (ec == asio::error::timed_out)
    return {
        SourceState::kTimedOut,
        wk::printable(fmt::format("{}: no whole answer before the deadline; {} bytes came", peer, received))};
  return {received == 0 ? SourceState::kClosed : SourceState::kTruncated,
          wk::printable(fmt::format("{}: {} after {} bytes", peer, ec.message(), received))};
}

}  // namespace wk::exporter
