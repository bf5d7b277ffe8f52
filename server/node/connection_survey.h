// Which clients ask most: now, by requests and by bytes a second since the walk before, and in all their
// time; and what connections hold.
//
// Thread: core.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <vector>

#include "exporter/model/facts.h"
#include "exporter/model/internals.h"
#include "server/net/client_port.h"
#include "server/node/survey.h"
#include "server/node/top_list.h"
#include "server/replica/replica.h"

namespace wk::node {

class ConnectionSurvey final : public Survey {
 public:
  static constexpr std::chrono::milliseconds kInterval{5'000};

  ConnectionSurvey(const replica::Replica& replica, const net::ClientPort& port)
      : Survey(kInterval),
        replica_(replica),
        port_(port),
        by_requests_(exporter::ServerInternals::kListLimit),
        by_bytes_(exporter::ServerInternals::kListLimit),
        busiest_(exporter::ConnectionsAnswer::kConnectionLimit) {}

  struct Found {
    std::vector<exporter::Talker> by_requests, by_bytes;
    std::vector<exporter::ClientConnection> busiest;  ///< by all packets received
    std::uint64_t with_session = 0;
    std::uint64_t memory_bytes = 0;
  };
  [[nodiscard]] const Found& found() const { return found_; }

 private:
  /// What a connection had done when it was seen last.
  struct Seen {
    std::chrono::steady_clock::time_point at{};
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
  };

  void begin(const Moment& now) override;
  bool walk(const Moment& now) override;
  void finish() override;
  void look_at(const replica::Connection& connection, const Moment& now);
  void rank(const replica::Connection& connection, const net::Connection* socket, const Seen& present);

  const replica::Replica& replica_;
  const net::ClientPort& port_;
  std::size_t place_ = 0;
  boost::unordered_flat_map<std::uint64_t, Seen> seen_, seen_before_;
  TopList<exporter::Talker, double> by_requests_, by_bytes_;
  TopList<exporter::ClientConnection> busiest_;
  std::uint64_t with_session_ = 0;
  std::uint64_t memory_bytes_ = 0;
  Found found_;
};

}  // namespace wk::node
