// GET /api/v1/members: everything that is known about each member, with the age of every fact.
//
// Reference: docs/EXPORTER.md, "HTTP API". 64-bit ids are text; unknown values are null.
// Thread: any; pure functions.
#pragma once

#include <string_view>

#include "base/time.h"
#include "exporter/app/json_text.h"
#include "exporter/model/view.h"

namespace wk::exporter {

/// One member; \param ensemble  its ensemble's name
Json member_document(std::string_view ensemble, const MemberView& member, Moment now);

/// How one source of a member fares.
Json source_document(Probe probe, const SourceStatus& source, Moment now);

/// One connection of a client, as the member listed it.
Json connection_document(const ClientConnection& connection);

}  // namespace wk::exporter
