// Who answers, judged by the version text that mntr, srvr and AdminServer print.
//
// Thread: any; pure functions. Source: reference "metrics", sections 2.2 and 12; Version.java,
// getFullVersion.
#pragma once

#include <string>
#include <string_view>

#include "exporter/model/facts.h"

namespace wk::exporter {

/// Longest version that is kept, in bytes.
inline constexpr std::size_t kVersionLimit = 64;

/// "3.9.5-293c895a…, built on 2026-02-11 20:15 UTC" → "3.9.5": product name, leading "v", commit (also an
/// unexpanded
/// "${…}", as Debian's build prints it) and build time are left out; "3.5.4-beta" and "3.10.0-SNAPSHOT" stay.
std::string short_version(std::string_view text);

/// Whether a server of that short version knows the word hash: since 3.6.
bool has_digests(Implementation implementation, std::string_view version);

/// kUnknown when the text fits none of the known products.
Implementation implementation_of(std::string_view version_text);

}  // namespace wk::exporter
