// Makes copies of what the core counts: at once for mntr, once a second for the page and for Prometheus.
//
// Thread: core, but for reports(), which the observatory's thread empties.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "exporter/model/facts.h"
#include "server/config/config.h"
#include "server/net/client_port.h"
#include "server/node/limits.h"
#include "server/node/measurements.h"
#include "server/node/node_stats.h"
#include "server/node/standouts.h"
#include "server/node/surroundings.h"
#include "server/node/surveys.h"
#include "server/replica/replica.h"

namespace wk::node {

class Observer {
 public:
  static constexpr std::chrono::milliseconds kInterval{1000};
  /// Time between two reports that also tell connections, watches and what seldom changes.
  static constexpr std::chrono::seconds kDetailInterval{10};

  /// \param data_dir, log_dir  with version-2
  Observer(const config::Config& config, std::string data_dir, std::string log_dir,
           const RestoreFacts& restored, const replica::Replica& replica, const net::ClientPort& port,
           const NodeStats& stats, const Surroundings& surroundings, const Surveys& surveys);

  /// Where reports go: must only hand them on. Without one nothing is published.
  void set_receiver(std::function<void(exporter::PollReport)> receiver) { receiver_ = std::move(receiver); }

  /// True when a second has passed since the last report.
  [[nodiscard]] bool due(std::chrono::steady_clock::time_point now) const;
  /// \param words  four-letter words answered so far
  void publish(const Moment& now, std::uint64_t words);

  [[nodiscard]] std::string mntr(const Moment& now, std::uint64_t words) const;
  /// What mntr tells, as values.
  [[nodiscard]] exporter::StatusAnswer status(const Moment& now, std::uint64_t words) const;

 private:
  [[nodiscard]] exporter::ConfigurationAnswer configuration() const;
  [[nodiscard]] exporter::ConnectionsAnswer connections() const;
  [[nodiscard]] MeasurementSources sources(std::uint64_t words) const;
  [[nodiscard]] exporter::WatchesAnswer watches() const;
  [[nodiscard]] exporter::DigestsAnswer digests() const;

  const config::Config& config_;
  std::string data_dir_;
  std::string log_dir_;
  const RestoreFacts& restored_;
  const replica::Replica& replica_;
  const net::ClientPort& port_;
  const NodeStats& stats_;
  const Surroundings& surroundings_;
  const Surveys& surveys_;
  Standouts standouts_;
  Limits limits_;
  std::vector<exporter::Limit> newest_limits_;
  std::function<void(exporter::PollReport)> receiver_;
  std::chrono::steady_clock::time_point published_{};
  std::chrono::steady_clock::time_point detailed_{};
};

}  // namespace wk::node
