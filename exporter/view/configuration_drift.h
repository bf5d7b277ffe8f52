// The members' configurations compared: with each other, and with what the same member told before.
//
// Thread: any; pure.
#pragma once

#include <string>
#include <vector>

#include "exporter/model/target.h"
#include "exporter/model/view.h"
#include "exporter/view/event_sink.h"

namespace wk::exporter {

/// Keys on which members disagree whose configuration is fresh, then "membership", then "version" of those
/// whose status is fresh.
/// Reads the members' names and facts.
std::vector<ConfigurationDrift> configuration_drift(const EnsembleView& view, const EnsembleSpec& spec,
                                                    Moment now);

/// Tells every row of `now` whose key has none in `before`.
void tell_drift(const std::vector<ConfigurationDrift>& before, const std::vector<ConfigurationDrift>& now,
                EventSink& events);

/// Tells what one member's configuration changed in, when `now` is newer than `before`.
/// \param member  its name as configured
void tell_configuration_change(const std::string& member, const Dated<ConfigurationAnswer>& before,
                               const Dated<ConfigurationAnswer>& now, EventSink& events);

}  // namespace wk::exporter
