// One visit, run to its end on a context of its own; and the helpers that look at its report.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "exporter/poll/poller.h"
#include "tests/unit/exporter/poll/scripted_server.h"

namespace wk::exporter {

/// Long enough that only a broken test waits for it.
inline constexpr std::chrono::seconds kPatience{30};
/// For peers that never answer: the visit is over when this is.
inline constexpr std::chrono::milliseconds kBrief{600};

class VisitTest : public ::testing::Test {
 protected:
  static TargetSpec loopback(std::uint16_t port) {
    TargetSpec target;
    target.name = "member";
    target.host = "127.0.0.1";
    target.port = port;
    return target;
  }

  /// Visits with detail and nothing known. Servers must be closed by the time of destruction only.
  PollReport visit(const TargetSpec& target, std::chrono::milliseconds timeout = kPatience) {
    std::optional<PollReport> report;
    visit_once(io, target, std::chrono::steady_clock::now() + timeout,
               [&](PollReport r) { report = std::move(r); });
    io.restart();
    while (!report && io.run_one() > 0) {
    }
    EXPECT_TRUE(report.has_value());
    return report ? std::move(*report) : PollReport{};
  }

  /// "probe:state" in the order asked.
  static std::vector<std::string> outline(const PollReport& report) {
    std::vector<std::string> lines;
    for (const ProbeReport& probe : report.probes)
      lines.push_back(std::string(name(probe.probe)) + ":" + name(probe.state));
    return lines;
  }

  static const ProbeReport& probe(const PollReport& report, Probe wanted) {
    for (const ProbeReport& one : report.probes)
      if (one.probe == wanted) return one;
    ADD_FAILURE() << name(wanted) << " was not asked";
    static const ProbeReport none;
    return none;
  }

  boost::asio::io_context io{1};
};

}  // namespace wk::exporter
