#include "exporter/poll/probe_request.h"

#include "base/check.h"

namespace wk::exporter {

ProbeRequest request_of(Probe probe) {
  switch (probe) {
    case Probe::kMntr:
      return {Surface::kClientPort, "mntr"};
    case Probe::kSrvr:
      return {Surface::kClientPort, "srvr"};
    case Probe::kRuok:
      return {Surface::kClientPort, "ruok"};
    case Probe::kIsro:
      return {Surface::kClientPort, "isro"};
    case Probe::kConf:
      return {Surface::kClientPort, "conf"};
    case Probe::kCons:
      return {Surface::kClientPort, "cons"};
    case Probe::kDirs:
      return {Surface::kClientPort, "dirs"};
    case Probe::kWchs:
      return {Surface::kClientPort, "wchs"};
    case Probe::kHash:
      return {Surface::kClientPort, "hash"};
    case Probe::kPrometheus:
      return {Surface::kPrometheus, ""};
    case Probe::kAdminMonitor:
      return {Surface::kAdmin, "/monitor"};
    case Probe::kAdminConfiguration:
      return {Surface::kAdmin, "/configuration"};
    case Probe::kAdminVotingView:
      return {Surface::kAdmin, "/voting_view"};
    case Probe::kAdminConnections:
      return {Surface::kAdmin, "/connections"};
    case Probe::kAdminZabstate:
      return {Surface::kAdmin, "/zabstate"};
    case Probe::kAdminDirs:
      return {Surface::kAdmin, "/dirs"};
    case Probe::kAdminWatchSummary:
      return {Surface::kAdmin, "/watch_summary"};
    case Probe::kAdminHash:
      return {Surface::kAdmin, "/hash"};
    case Probe::kAdminServerStats:
      return {Surface::kAdmin, "/server_stats"};
  }
  check_failed("valid probe", __FILE__, __LINE__, "a probe without a request");
}

}  // namespace wk::exporter
