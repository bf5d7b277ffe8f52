#include "exporter/catalogue/inside_rows.h"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "exporter/catalogue/member_context.h"
#include "exporter/catalogue/sample_writer.h"
#include "exporter/model/internals.h"

namespace wk::exporter {
namespace {

constexpr auto kGauge = prometheus::MetricType::Gauge;
constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kHistogram = prometheus::MetricType::Histogram;
constexpr auto kSummary = prometheus::MetricType::Summary;

using I = ServerInternals;
using W = SampleWriter;

/// What the member told of its inside with its fresh status; null for everybody else.
const I* inside(const MemberContext& member) {
  return member.status == nullptr ? nullptr : member.member.facts->internals.get();
}

std::optional<double> as_number(std::uint64_t value) { return static_cast<double>(value); }
std::optional<double> as_number(bool value) { return value ? 1 : 0; }
std::optional<double> as_number(std::chrono::nanoseconds value) { return seconds(value); }
std::optional<double> as_number(std::optional<std::uint64_t> value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}
std::optional<double> as_number(std::optional<std::chrono::system_clock::time_point> value) {
  return value ? std::optional(seconds(value->time_since_epoch())) : std::nullopt;
}

/// \param function  without captures; gives a number from const I&, or writes samples from it to W&
template <typename Function>
CatalogueRow row(std::string_view name, prometheus::MetricType type, std::string_view unit,
                 std::initializer_list<std::string_view> extra_labels, std::string help, Function) {
  CatalogueRow result;
  result.group = Group::kInside;
  result.name = std::string("watchkeeper_server_").append(name);
  result.type = type;
  result.unit = unit;
  result.labels = {"ensemble", "member"};
  result.labels.insert(result.labels.end(), extra_labels);
  result.presence = Presence::kFromInside;
  result.help = std::move(help);
  if constexpr (std::invocable<Function, const MemberContext&, const I&, W&>)
    result.accessor = +[](const MemberContext& member, W& writer) {
      if (const I* const told = inside(member)) Function{}(member, *told, writer);
    };
  else if constexpr (std::invocable<Function, const I&, W&>)
    result.accessor = +[](const MemberContext& member, W& writer) {
      if (const I* const told = inside(member)) Function{}(*told, writer);
    };
  else
    result.accessor = +[](const MemberContext& member) -> std::optional<double> {
      const I* const told = inside(member);
      return told == nullptr ? std::nullopt : as_number(Function{}(*told));
    };
  return result;
}

void counts(const std::vector<NamedCount>& counted, std::string_view label, W& writer) {
  for (const NamedCount& one : counted) writer.value(static_cast<double>(one.count), {{label, one.name}});
}

void job_results(const JobNumbers& job, W& writer) {
  writer.value(static_cast<double>(job.finished), {{"result", "ok"}});
  writer.value(static_cast<double>(job.failed), {{"result", "failed"}});
}

void append_requests(std::vector<CatalogueRow>& rows) {
  rows.push_back(row(
      "write_stage_duration_seconds", kHistogram, "seconds", {"stage"},
      "Time of a transaction in each stage of its way: prepare (received until handed to the log), "
      "log_queue (until the log thread took it), append (written), fsync (on stable storage), quorum "
      "(on that of enough members), apply (until the core took it up and applied it), reply (handed to the "
      "kernel). One observation a transaction; the "
      "sums of the stages add up to that of watchkeeper_server_write_duration_seconds.",
      [](const I& i, W& w) {
        for (const NamedDurations& stage : i.write_stages)
          w.histogram(stage.durations, {{"stage", stage.name}});
      }));
  rows.push_back(
      row("write_duration_seconds", kHistogram, "seconds", {},
          "Time of a transaction from the moment its request was received until its reply was handed to "
          "the kernel; the server's own transactions (expired sessions) are among them.",
          [](const I& i, W& w) { w.histogram(i.write_total); }));
  rows.push_back(
      row("operation_duration_seconds", kHistogram, "seconds", {"operation"},
          "Time from receiving a request until its reply was handed to the kernel, by operation of the "
          "protocol; operations that nobody has asked for yet are absent.",
          [](const I& i, W& w) {
            for (const OperationNumbers& one : i.operations)
              if (one.requests > 0) w.histogram(one.latency, {{"operation", one.name}});
          }));
  rows.push_back(row("operations_total", kCounter, "", {"operation"},
                     "Requests received, by operation of the protocol.", [](const I& i, W& w) {
                       for (const OperationNumbers& one : i.operations)
                         w.value(static_cast<double>(one.requests), {{"operation", one.name}});
                     }));
  rows.push_back(
      row("operation_errors_total", kCounter, "", {"operation"},
          "Requests answered with an error (no node, bad version, no authority, ...), by operation.",
          [](const I& i, W& w) {
            for (const OperationNumbers& one : i.operations)
              w.value(static_cast<double>(one.errors), {{"operation", one.name}});
          }));
  rows.push_back(
      row("transactions_total", kCounter, "", {"result"},
          "Transactions applied; failed ones tell an error and change nothing.", [](const I& i, W& w) {
            w.value(static_cast<double>(i.transactions_applied - i.transactions_failed), {{"result", "ok"}});
            w.value(static_cast<double>(i.transactions_failed), {{"result", "failed"}});
          }));
  rows.push_back(row("transactions_in_flight", kGauge, "", {},
                     "Transactions that were given to the log and are not applied yet.",
                     [](const I& i) { return i.transactions_in_flight; }));
  rows.push_back(row("requests_outstanding", kGauge, "", {},
                     "Requests received and not answered yet, and transactions of the server's own.",
                     [](const I& i) { return i.requests_outstanding; }));
  rows.push_back(
      row("containers_removed_total", kCounter, "", {},
          "Containers that had lost their last child and TTL nodes that had outlived their time, removed "
          "by the server.",
          [](const I& i) { return i.containers_removed; }));
}

void append_disk(std::vector<CatalogueRow>& rows) {
  rows.push_back(row("fsync_duration_seconds", kHistogram, "seconds", {},
                     "Time of each sync of the transaction log.",
                     [](const I& i, W& w) { w.histogram(i.fsync); }));
  rows.push_back(row("slow_fsyncs_total", kCounter, "", {},
                     "Syncs of the transaction log that took longer than fsync.warningthresholdms.",
                     [](const I& i) { return i.slow_fsyncs; }));
  rows.push_back(row("log_batch_transactions", kHistogram, "", {},
                     "Transactions that shared one sync of the log.",
                     [](const I& i, W& w) { w.histogram(i.log_batch); }));
  rows.push_back(row("log_written_bytes_total", kCounter, "bytes", {},
                     "Payload of transactions that was written to the log and synced.",
                     [](const I& i) { return i.log_bytes; }));
  rows.push_back(row("log_files_created_total", kCounter, "", {},
                     "Files of the transaction log that were begun: at the first write and at each roll.",
                     [](const I& i) { return i.log_files_created; }));
  rows.push_back(row("log_full", kGauge, "", {},
                     "1 while the disk has no room for the transaction log and writes are refused.",
                     [](const I& i) { return i.log_full; }));
  rows.push_back(row("snapshots_total", kCounter, "", {"result"}, "Snapshots that were written or given up.",
                     [](const I& i, W& w) { job_results(i.snapshots, w); }));
  rows.push_back(row("snapshot_duration_seconds", kSummary, "seconds", {},
                     "Time from the begin of a snapshot until it was durable.",
                     [](const I& i, W& w) { w.total(i.snapshots.duration, i.snapshots.finished); }));
  rows.push_back(row("snapshot_running", kGauge, "", {}, "1 while a snapshot is being written.",
                     [](const I& i) { return i.snapshots.running; }));
  rows.push_back(
      row("last_snapshot_timestamp_seconds", kGauge, "seconds", {},
          "When the newest snapshot of this process was finished, in seconds since 1970; absent before.",
          [](const I& i) { return i.snapshots.last_finished; }));
  rows.push_back(row("last_snapshot_bytes", kGauge, "bytes", {}, "Size of that snapshot's file.",
                     [](const I& i) { return i.last_snapshot_bytes; }));
  rows.push_back(row("purges_total", kCounter, "", {"result"}, "Runs of autopurge that finished or failed.",
                     [](const I& i, W& w) { job_results(i.purges, w); }));
  rows.push_back(
      row("last_purge_timestamp_seconds", kGauge, "seconds", {"result"},
          "When a run of autopurge last finished and when one last failed, in seconds since 1970; absent for "
          "what has not happened in this process.",
          [](const I& i, W& w) {
            if (const auto ok = as_number(i.purges.last_finished)) w.value(*ok, {{"result", "ok"}});
            if (const auto failed = as_number(i.last_purge_failed)) w.value(*failed, {{"result", "failed"}});
          }));
  rows.push_back(row("purge_duration_seconds", kSummary, "seconds", {}, "Time of a run of autopurge.",
                     [](const I& i, W& w) { w.total(i.purges.duration, i.purges.finished); }));
  rows.push_back(row("purged_files_total", kCounter, "", {}, "Snapshots and logs that autopurge removed.",
                     [](const I& i) { return i.purged_files; }));
  rows.push_back(row("snapshot_folder_bytes", kGauge, "bytes", {}, "Size of all files beside the snapshots.",
                     [](const I& i) { return i.snapshot_folder_bytes; }));
  rows.push_back(row("log_folder_bytes", kGauge, "bytes", {},
                     "Size of all files beside the transaction logs.",
                     [](const I& i) { return i.log_folder_bytes; }));
}

void append_event_loop(std::vector<CatalogueRow>& rows) {
  rows.push_back(
      row("wake_up_duration_seconds", kHistogram, "seconds", {},
          "Time of one wake-up of the thread that serves everybody: nothing else happens meanwhile, so "
          "a long one is a pause for all clients.",
          [](const I& i, W& w) { w.histogram(i.wake_up); }));
  rows.push_back(row("longest_wake_up_seconds", kGauge, "seconds", {},
                     "The longest of the last one to two minutes.",
                     [](const I& i) { return i.longest_wake_up; }));
  rows.push_back(
      row("publish_duration_seconds", kHistogram, "seconds", {},
          "Time that making the copies behind /metrics and the page takes from clients, once a second.",
          [](const I& i, W& w) { w.histogram(i.publish); }));
}

void append_clients(std::vector<CatalogueRow>& rows) {
  rows.push_back(
      row("connections", kGauge, "", {"state"},
          "Client connections by state: fresh (nothing received yet), opening (its session is being opened "
          "or resumed), open, finishing (will be closed behind a reply).",
          [](const I& i, W& w) { counts(i.connections_by_state, "state", w); }));
  rows.push_back(row("connections_paused", kGauge, "", {},
                     "Client connections that are not read from because too much is outstanding.",
                     [](const I& i) { return i.connections_paused; }));
  rows.push_back(row("connections_accepted_total", kCounter, "", {},
                     "Connections that the client port accepted.",
                     [](const I& i) { return i.connections_accepted; }));
  rows.push_back(row("connections_ended_by_peer_total", kCounter, "", {},
                     "Connections that ended from the other side or by the network.",
                     [](const I& i) { return i.connections_ended_by_peer; }));
  rows.push_back(row("connections_closed_total", kCounter, "", {"reason"},
                     "Connections that the server ended, by reason.",
                     [](const I& i, W& w) { counts(i.connections_closed, "reason", w); }));
  rows.push_back(row("connections_refused_total", kCounter, "", {"reason"},
                     "Connections that the client port did not take or did not keep, by reason.",
                     [](const I& i, W& w) { counts(i.connections_refused, "reason", w); }));
  rows.push_back(
      row("limits_hit_total", kCounter, "", {"limit"},
          "Times that a limit held something back: outstanding_requests (a connection was paused), "
          "unsent_bytes (a client did not read its answers), log_space (a write was refused), namespaces "
          "(a request counted under no namespace of its own).",
          [](const I& i, W& w) { counts(i.limits_hit, "limit", w); }));
  rows.push_back(row("received_bytes_total", kCounter, "bytes", {}, "Bytes read from clients.",
                     [](const I& i) { return i.bytes_received; }));
  rows.push_back(row("sent_bytes_total", kCounter, "bytes", {}, "Bytes written to clients.",
                     [](const I& i) { return i.bytes_sent; }));
}

void append_sessions(std::vector<CatalogueRow>& rows) {
  rows.push_back(row("sessions", kGauge, "", {}, "Sessions that are alive, with or without a connection.",
                     [](const I& i) { return i.sessions; }));
  rows.push_back(
      row("session_changes_total", kCounter, "", {"change"},
          "Sessions opened, resumed by a new connection, refused, expired, and closed by their clients.",
          [](const I& i, W& w) { counts(i.session_changes, "change", w); }));
  rows.push_back(
      row("sessions_by_timeout_used", kGauge, "", {"used"},
          "Sessions by how much of their timeout has passed since they were heard of: up to one_third "
          "(healthy clients ping by then), up to two_thirds, up to the whole, overdue.",
          [](const I& i, W& w) {
            if (i.session_survey.finished) counts(i.sessions_by_timeout_used, "used", w);
          }));
  rows.push_back(row("session_near_misses_total", kCounter, "", {},
                     "Times that a session was heard of again after more than two thirds of its timeout.",
                     [](const I& i) { return i.session_near_misses; }));
  rows.push_back(
      row("session_expiries_total", kCounter, "", {"cause"},
          "Expired sessions by cause: server_stood_still (without the time in which this server stood still "
          "the session would live), nothing_heard (the client or the network, over an open connection), "
          "not_back (the client or the network had closed it), closed_by_server, never_seen (since this "
          "server started).",
          [](const I& i, W& w) { counts(i.expiries, "cause", w); }));
  rows.push_back(
      row("session_expiry_buckets", kGauge, "", {},
          "Moments, one tickTime apart, at which sessions would expire if nothing more came from them.",
          [](const I& i) { return i.expiry_buckets; }));
  rows.push_back(row("session_expiry_bucket_most", kGauge, "", {},
                     "Sessions that would expire at the most crowded of these moments.",
                     [](const I& i) { return i.expiry_bucket_most; }));
}

template <typename Row>
std::optional<std::uint64_t> of_first(const Survey& survey, const std::vector<Row>& list,
                                      std::uint64_t Row::*number) {
  if (!survey.finished) return std::nullopt;
  return list.empty() ? 0 : list.front().*number;
}

void append_extremes(std::vector<CatalogueRow>& rows) {
  rows.push_back(
      row("slow_request_threshold_seconds", kGauge, "seconds", {},
          "Latency from which a request is kept among the slowest: ten times the median, at least 10 ms, "
          "more while many are slow.",
          [](const I& i) { return i.slow_from; }));
  rows.push_back(row("packet_max_bytes", kGauge, "bytes", {},
                     "jute.maxbuffer: longer requests are refused here, and longer replies by clients.",
                     [](const I& i) { return i.reply_bytes_max; }));
  rows.push_back(
      row("largest_znode_bytes", kGauge, "bytes", {}, "Data of the largest znode.",
          [](const I& i) { return of_first(i.tree_survey, i.largest_znodes, &LargeZnode::bytes); }));
  rows.push_back(row(
      "largest_child_list", kGauge, "", {}, "Children of the znode that has most.",
      [](const I& i) { return of_first(i.tree_survey, i.largest_child_lists, &LargeChildList::children); }));
  rows.push_back(
      row("largest_child_list_reply_bytes", kGauge, "bytes", {},
          "The longest reply that lists the children of a znode: above jute.maxbuffer nobody can list them "
          "any more. Exact up to 1,024 children, beyond extrapolated from the names of the oldest 1,024. "
          "Which znodes come into question is told by their number of children and their 16 oldest names.",
          [](const I& i) -> std::optional<std::uint64_t> {
            if (!i.tree_survey.finished) return std::nullopt;
            // The most children, which come first, need not have the longest names.
            std::uint64_t longest = 0;
            for (const LargeChildList& list : i.largest_child_lists)
              longest = std::max(longest, list.reply_bytes);
            return longest;
          }));
  rows.push_back(
      row("longest_lock_queue", kGauge, "", {},
          "Contenders of the lock or election that has most: sequential ephemeral children of one znode.",
          [](const I& i) { return of_first(i.tree_survey, i.contentions, &Contention::contenders); }));
  rows.push_back(
      row("most_watched_path_watchers", kGauge, "", {}, "Watchers of the path that has most.",
          [](const I& i) { return of_first(i.watch_survey, i.most_watched, &WatchedPath::watchers); }));
  rows.push_back(row("survey_age_seconds", kGauge, "seconds", {"survey"},
                     "Age of what the walks over sessions, connections, watches and znodes found last.",
                     [](const MemberContext& m, const I& i, W& w) {
                       const auto age = [&](std::string_view name, const Survey& survey) {
                         if (survey.finished)
                           w.value(std::max(0.0, seconds(m.now - *survey.finished)), {{"survey", name}});
                       };
                       age("sessions", i.session_survey);
                       age("connections", i.connection_survey);
                       age("watches", i.watch_survey);
                       age("znodes", i.tree_survey);
                     }));
  rows.push_back(row("longest_survey_slice_seconds", kGauge, "seconds", {"survey"},
                     "The longest time that one slice of such a walk has taken from clients.",
                     [](const I& i, W& w) {
                       w.value(seconds(i.session_survey.longest_slice), {{"survey", "sessions"}});
                       w.value(seconds(i.connection_survey.longest_slice), {{"survey", "connections"}});
                       w.value(seconds(i.watch_survey.longest_slice), {{"survey", "watches"}});
                       w.value(seconds(i.tree_survey.longest_slice), {{"survey", "znodes"}});
                     }));
  rows.push_back(row("survey_busy_seconds_total", kCounter, "seconds", {"survey"},
                     "Time that all slices of such a walk have taken from clients.", [](const I& i, W& w) {
                       w.value(seconds(i.session_survey.busy), {{"survey", "sessions"}});
                       w.value(seconds(i.connection_survey.busy), {{"survey", "connections"}});
                       w.value(seconds(i.watch_survey.busy), {{"survey", "watches"}});
                       w.value(seconds(i.tree_survey.busy), {{"survey", "znodes"}});
                     }));
}

void append_limits(std::vector<CatalogueRow>& rows) {
  rows.push_back(
      row("limit_used", kGauge, "", {"limit"},
          "How much of each limit is in use, in bytes or as a number: znode_data (the largest znode), "
          "child_list_reply (the longest reply that lists children, extrapolated beyond 1,024 of them), "
          "memory (resident), log_disk and snapshot_disk (used by anybody; snapshot_disk is absent when both "
          "are one), descriptors, connections, connections_of_address (of the address that has most), "
          "outstanding_requests, zxid_counter.",
          [](const I& i, W& w) {
            for (const Limit& limit : i.limits) w.value(limit.used, {{"limit", limit.name}});
          }));
  rows.push_back(
      row("limit_bound", kGauge, "", {"limit"},
          "Where that limit is: jute.maxbuffer for znode_data and child_list_reply, the machine's or the "
          "control group's memory, the size of the disk, the soft limit of descriptors, maxCnxns, "
          "maxClientCnxns, globalOutstandingLimit, 2^32 - 1 for the counter of the zxid.",
          [](const I& i, W& w) {
            for (const Limit& limit : i.limits) w.value(limit.bound, {{"limit", limit.name}});
          }));
  rows.push_back(
      row("limit_left_seconds", kGauge, "seconds", {"limit"},
          "Time until the limit is reached at the slower of the growth of the last hour and of its last "
          "half; absent while it does not grow, and in the first ten minutes.",
          [](const I& i, W& w) {
            for (const Limit& limit : i.limits)
              if (limit.left) w.value(limit.left->count(), {{"limit", limit.name}});
          }));
}

void append_parts(std::vector<CatalogueRow>& rows) {
  rows.push_back(
      row("watch_fan_out", kHistogram, "", {"event"},
          "Watchers that one change notified, for changes that somebody watched: the count is changes, the "
          "sum is watches fired, the upper buckets are herds.",
          [](const I& i, W& w) {
            for (const NamedCrowds& one : i.fan_out) w.histogram(one.crowds, {{"event", one.name}});
          }));
  rows.push_back(
      row("memory_bytes", kGauge, "bytes", {"part"},
          "Memory held by the parts of the server that grow with what clients store, as measured by them.",
          [](const I& i, W& w) { counts(i.memory_bytes, "part", w); }));
}

}  // namespace

void append_inside_rows(std::vector<CatalogueRow>& rows) {
  append_requests(rows);
  append_disk(rows);
  append_event_loop(rows);
  append_clients(rows);
  append_sessions(rows);
  append_extremes(rows);
  append_limits(rows);
  append_parts(rows);
}

}  // namespace wk::exporter
