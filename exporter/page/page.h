// The status page as HTTP sees it: its document, its assets, the runbooks, and the page for what is not
// there. Everything is in the program, so that it works when everything else is down.
//
// Knows no ensemble: exporter/app decides which URLs show the document. A path is only ever looked up in a
// list that was fixed at build time. Thread: any; pure.
#pragma once

#include <string>
#include <string_view>

#include "exporter/web/http.h"

namespace wk::exporter {

/// The document of every view of the page. 304 when the client has it already.
Response page_document(const Request& request);

/// The file below /assets/ that `request.path` names, 304, or 404.
Response page_asset(const Request& request);

/// The runbook that `request.path`, /runbooks/NAME, names; the list of all at /runbooks/; or 404.
/// /runbooks/NAME.md, the file that alert rules link to, is redirected there.
Response page_runbook(const Request& request);

/// 404 for people. \param what  a sentence about what is not there; any bytes
Response page_not_found(std::string_view what);

/// `text` for element content and quoted attributes; control characters become blanks.
std::string html_escaped(std::string_view text);

}  // namespace wk::exporter
