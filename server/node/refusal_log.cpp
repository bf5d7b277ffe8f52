#include "server/node/refusal_log.h"

#include <fmt/format.h>

namespace wk::node {
namespace {

std::string sentence(net::Refusal refusal, const std::string& address, std::int64_t number) {
  switch (refusal) {
    case net::Refusal::kAddressLimit:
      return fmt::format("Too many connections from {} - max is {} (maxClientCnxns)", address, number);
    case net::Refusal::kTotalLimit:
      return fmt::format("Too many connections - max is {} (maxCnxns); one from {} was closed", number,
                         address);
    case net::Refusal::kNoDescriptor:
      return "a connection was closed because this process may open no more files for clients; raise its "
             "limit "
             "(LimitNOFILE, ulimit -n)";
    case net::Refusal::kFrameTooLong:
      return fmt::format(
          "Len error. {} announced a request of {} bytes; its connection was closed (jute.maxbuffer "
          "limits requests, and other protocols are not spoken here)",
          address, number);
    case net::Refusal::kHttp:
      return fmt::format(
          "{} speaks HTTP to the client port of ZooKeeper's protocol; HTTP is served at "
          "metricsProvider.httpPort",
          address);
    case net::Refusal::kTlsHello:
      return fmt::format("{} speaks TLS to the plain-text client port; connect without TLS", address);
    case net::Refusal::kUnansweredTooLong:
      return fmt::format(
          "a connection of {} was closed since it sent no complete handshake in time "
          "(nio.sessionlessCnxnTimeout)",
          address);
    case net::Refusal::kDoesNotRead:
      break;
  }
  return fmt::format("a connection of {} was closed since it does not read: {} bytes waited for it", address,
                     number);
}

}  // namespace

std::optional<std::string> RefusalLog::line(net::Refusal refusal, const std::string& address,
                                            std::int64_t number, std::chrono::steady_clock::time_point now) {
  State& state = states_.at(static_cast<std::size_t>(refusal));
  if (state.last && now - *state.last < kQuiet) {
    ++state.suppressed;
    return std::nullopt;
  }
  std::string text = sentence(refusal, address, number);
  if (state.suppressed > 0)
    text += fmt::format("; {} more of the kind since the last such line", state.suppressed);
  state.last = now;
  state.suppressed = 0;
  return text;
}

}  // namespace wk::node
