// The parameters of /probe: which target to visit, how, and for how long.
//
// Thread: any; pure functions.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "exporter/app/query.h"
#include "exporter/app/settings.h"
#include "exporter/catalogue/catalogue.h"
#include "exporter/model/target.h"

namespace wk::exporter {

struct ProbeQuery {
  std::string ensemble;  ///< label of the answer
  TargetSpec target;     ///< with the deadline in `timeout`
  FamilySelection families;
};

/// Reads `target` (HOST:PORT), `ensemble`, `module`, `family`.
///
/// A target that is a member of a configured ensemble is visited as configured there; `ensemble` chooses
/// between several. Any other one is visited on its client port alone, with TLS and timeout of the ensemble
/// that `module` names, if any; one with a client certificate lends nothing, since the caller of /probe would
/// choose who gets to see it.
/// \param scrape_timeout  header X-Prometheus-Scrape-Timeout-Seconds; the deadline is 0.5 s less, or half of
/// it where it is
///                        below a second, and at least 50 ms; without a usable one it is the target's own
///                        timeout
/// \return  Errc::kInvalidInput, Errc::kNotFound (unknown module), or Errc::kNotAllowed when `policy` or a
/// client certificate forbids the visit
Result<ProbeQuery> parse_probe_query(const Query& query, std::string_view scrape_timeout, ProbePolicy policy,
                                     const std::vector<EnsembleSpec>& ensembles,
                                     const FamilySelection& defaults);

/// The families that `family=` names (native, zk, zookeeper39, and where `exporter` is given: exporter), or
/// `defaults` when it names none.
struct FamilyQuery {
  FamilySelection selection;
  bool exporter = true;  ///< the exporter's own families
};
Result<FamilyQuery> parse_family_query(const Query& query, const FamilySelection& defaults);

}  // namespace wk::exporter
