#include "exporter/sources/parse.h"

#include "exporter/sources/admin_json.h"
#include "exporter/sources/conf.h"
#include "exporter/sources/cons.h"
#include "exporter/sources/four_letter.h"
#include "exporter/sources/mntr.h"
#include "exporter/sources/prometheus_text.h"
#include "exporter/sources/srvr.h"

namespace wk::exporter {

std::size_t answer_limit(Probe probe) {
  constexpr std::size_t kStatus = std::size_t{1} << 20;
  constexpr std::size_t kConnections = std::size_t{8} << 20;
  return probe == Probe::kCons || probe == Probe::kAdminConnections ? kConnections : kStatus;
}

bool is_needless(Probe probe, std::string_view line) {
  return probe == Probe::kMntr && is_namespace_line(line);
}

Parsed parse(Probe probe, int http_status, std::string_view text) {
  switch (probe) {
    case Probe::kMntr:
      return parse_mntr(text);
    case Probe::kSrvr:
      return parse_srvr(text);
    case Probe::kRuok:
      return parse_ruok(text);
    case Probe::kIsro:
      return parse_isro(text);
    case Probe::kConf:
      return parse_conf(text);
    case Probe::kCons:
      return parse_cons(text);
    case Probe::kDirs:
      return parse_dirs(text);
    case Probe::kWchs:
      return parse_wchs(text);
    case Probe::kHash:
      return parse_hash(text);
    case Probe::kAdminMonitor:
      return parse_admin_monitor(http_status, text);
    case Probe::kAdminConfiguration:
      return parse_admin_configuration(http_status, text);
    case Probe::kAdminVotingView:
      return parse_admin_voting_view(http_status, text);
    case Probe::kAdminConnections:
      return parse_admin_connections(http_status, text);
    case Probe::kAdminZabstate:
      return parse_admin_zabstate(http_status, text);
    case Probe::kAdminDirs:
      return parse_admin_dirs(http_status, text);
    case Probe::kAdminWatchSummary:
      return parse_admin_watch_summary(http_status, text);
    case Probe::kAdminHash:
      return parse_admin_hash(http_status, text);
    case Probe::kAdminServerStats:
      return parse_admin_server_stats(http_status, text);
    case Probe::kPrometheus:
      if (http_status != 200)
        return parsed_failure(SourceState::kHttpError, "HTTP " + std::to_string(http_status));
      return parse_prometheus_text(text);
  }
  return parsed_failure(SourceState::kMalformed, "no such probe");
}

}  // namespace wk::exporter
