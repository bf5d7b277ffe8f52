// AdminServer: one JSON object a command. The caller has undone HTTP's framing and hands over status and
// body.
//
// A member without a quorum answers 200 with the words of "not serving" in `error`; `monitor` alone answers
// 500 and an HTML page with a null-pointer exception. Both are kNotServing here. An unknown command answers
// 200 with that `error`; this is kHttpError, since an older server lacks the command. 64-bit session ids and
// zxids are read exactly. Thread: any; pure functions. Source: server/admin/Commands.java; reference
// "metrics", section 9.
#pragma once

#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// StatusAnswer. kTruncated also when version, server_state or a gauge that every server prints is missing.
Parsed parse_admin_monitor(int http_status, std::string_view body);
/// StatusAnswer with role, zxid and the numbers that srvr tells.
Parsed parse_admin_server_stats(int http_status, std::string_view body);
/// ConfigurationAnswer with entries and server id; keys are spelled as conf spells them.
Parsed parse_admin_configuration(int http_status, std::string_view body);
/// ConfigurationAnswer with the voters' membership only. `voting_view` does not tell observers or the
/// version.
Parsed parse_admin_voting_view(int http_status, std::string_view body);
/// ConnectionsAnswer; plain and secure connections together.
Parsed parse_admin_connections(int http_status, std::string_view body);
/// ZabAnswer. The phase of a member without a quorum may be an empty text: kUnknown.
Parsed parse_admin_zabstate(int http_status, std::string_view body);
/// DirsAnswer.
Parsed parse_admin_dirs(int http_status, std::string_view body);
/// WatchesAnswer.
Parsed parse_admin_watch_summary(int http_status, std::string_view body);
/// DigestsAnswer.
Parsed parse_admin_hash(int http_status, std::string_view body);

}  // namespace wk::exporter
