// Four-letter words: the replies that any word may get, and the words whose answer is a line or two.
//
// There is no length and no terminator: the end of the stream is the end of the answer. So each parser checks
// that what it needs is there and that the last line is whole, and says kTruncated otherwise. Thread: any;
// pure functions. Source: server/command/*.java; reference "metrics", sections 1, 2.1 and 12.2.
#pragma once

#include <optional>
#include <string_view>

#include "exporter/sources/parsed.h"

namespace wk::exporter {

/// What a reply is when it is not the word's own answer: kNotServing (ZooKeeper's wording, and that of
/// ClickHouse Keeper and RaftKeeper), kNotWhitelisted, kClosed (nothing came), kTlsFailure (a TLS alert: the
/// port speaks TLS only), kMalformed (an HTTP server answers there), kTruncated (one of these replies, cut).
/// Nothing when it is none of these.
std::optional<Parsed> classify(std::string_view text);

/// RuokAnswer. Anything but "imok" is kMalformed, a part of it kTruncated.
Parsed parse_ruok(std::string_view text);

/// IsroAnswer: "rw", "ro", or "null" of a member without a quorum.
Parsed parse_isro(std::string_view text);

/// DirsAnswer: "datadir_size: N" and "logdir_size: N"; ClickHouse Keeper and RaftKeeper say snapshot_dir_size
/// and log_dir_size. Negative sizes are left absent.
Parsed parse_dirs(std::string_view text);

/// WatchesAnswer: "N connections watching M paths" and "Total watches:K".
Parsed parse_wchs(std::string_view text);

/// DigestsAnswer: lines "HEXZXID: DIGEST", the newest DigestsAnswer::kLimit of them. An empty reply is an
/// answer without digests: a member prints one line for each 128 transactions, hence none when it is new.
Parsed parse_hash(std::string_view text);

}  // namespace wk::exporter
