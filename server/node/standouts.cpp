#include "server/node/standouts.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "server/txn/operation.h"

namespace wk::node {
namespace {

using exporter::ServerInternals;

std::vector<exporter::HotPath> hot_paths(const replica::HotPaths& from, const Moment& now) {
  std::vector<exporter::HotPath> paths;
  for (replica::HotPaths::Hot& hot : from.hottest(ServerInternals::kListLimit, now.steady))
    paths.push_back({std::move(hot.path), hot.a_second, hot.share});
  return paths;
}

std::string_view event_name(jute::EventType type) {
  switch (type) {
    case jute::EventType::kNodeCreated:
      return "created";
    case jute::EventType::kNodeDeleted:
      return "deleted";
    case jute::EventType::kNodeDataChanged:
      return "data_changed";
    case jute::EventType::kNodeChildrenChanged:
      return "children_changed";
    default:
      return "other";
  }
}

std::string_view last_operation(jute::OpCode op) {
  const txn::Operation* const operation = txn::find_operation(op);
  return operation == nullptr ? std::string_view() : operation->last_operation;
}

exporter::ExpiredSession published(const replica::ExpiredSession& session) {
  return {.session = session.id,
          .address = session.address,
          .at = session.at.wall,
          .timeout = session.timeout,
          .silence = session.silence,
          .longest_gap = session.longest_gap,
          .last_operation = last_operation(session.last_op),
          .ephemerals = session.ephemerals,
          .without_connection = session.without_connection,
          .server_stood_still = session.stood_still.total,
          .longest_slow_sync = session.slow_syncs.longest,
          .cause = replica::name(session.cause),
          .conclusion = conclusion(session)};
}

exporter::SlowRequest published(const replica::SlowRequest& request) {
  exporter::SlowRequest row;
  const txn::Operation* const operation = txn::find_operation(request.op);
  row.operation = operation == nullptr ? std::string_view("unknown") : operation->name();
  row.path = request.path;
  row.session = request.session;
  if (request.zxid != Zxid{}) row.zxid = request.zxid;
  row.answered = request.answered.wall;
  row.latency = request.latency;
  if (request.moments)
    for (std::size_t i = 0; i < replica::kWriteStages; ++i)
      row.stages.emplace_back(replica::name(static_cast<replica::WriteStage>(i)),
                              (*request.moments)[i + 1] - (*request.moments)[i]);
  row.queued_before = request.queued_before;
  row.during_snapshot = request.during_snapshot;
  row.during_purge = request.during_purge;
  return row;
}

}  // namespace

std::string conclusion(const replica::ExpiredSession& session) {
  using enum replica::ExpiryCause;
  const double silence = seconds(session.silence);
  const double without = session.without_connection ? seconds(*session.without_connection) : 0;
  switch (session.cause) {
    case kServerStoodStill:
      return fmt::format(
          "this server stood still for {:.1f} s of the {:.1f} s in which nothing was heard; without that the "
          "session would live",
          seconds(session.stood_still.total), silence);
    case kNothingHeard:
      return fmt::format("client or network: nothing was heard for {:.1f} s over a connection that was open",
                         silence);
    case kNotBack:
      return fmt::format(
          "the connection was closed by the client or the network {:.1f} s before, and the client did not "
          "come "
          "back",
          without);
    case kClosedByServer:
      return fmt::format(
          "this server had closed the connection {:.1f} s before ({}), and the client did not come back",
          without, session.closed ? replica::name(*session.closed) : "unknown");
    case kNeverSeen:
      return "the client has not been seen since this server started";
  }
  return {};
}

void Standouts::copy(const Moment& now, ServerInternals& to) {
  const replica::Notable& notable = replica_.notable();
  to.reads_a_second = notable.hot_reads.a_second(now.steady);
  to.changes_a_second = notable.hot_writes.a_second(now.steady);
  to.hottest_reads = hot_paths(notable.hot_reads, now);
  to.hottest_writes = hot_paths(notable.hot_writes, now);
  to.slow_from = notable.slow.threshold();
  for (const replica::SlowRequest& request : notable.slow.slowest())
    to.slowest_requests.push_back(published(request));
  for (replica::FanOuts::Entry& entry : notable.fan_outs.largest(now))
    to.largest_fan_outs.push_back(
        {std::move(entry.path), event_name(entry.type), entry.watchers, entry.times, entry.at.wall});

  to.session_near_misses = replica_.sessions().near_misses();
  to.session_survey = surveys_.sessions().state();
  static constexpr std::array<const char*, 4> kThirds{"one_third", "two_thirds", "whole", "overdue"};
  for (std::size_t i = 0; i < kThirds.size(); ++i)
    to.sessions_by_timeout_used.push_back({kThirds[i], surveys_.sessions().found().by_thirds[i]});
  to.quiet_sessions = surveys_.sessions().found().quiet;
  to.connection_survey = surveys_.connections().state();
  to.busiest_by_requests = surveys_.connections().found().by_requests;
  to.busiest_by_bytes = surveys_.connections().found().by_bytes;
  to.watch_survey = surveys_.watches().state();
  to.most_watched = surveys_.watches().most_watched();
  to.tree_survey = surveys_.znodes().state();
  to.largest_znodes = surveys_.znodes().found().znodes;
  to.largest_child_lists = surveys_.znodes().found().child_lists;
  to.largest_subtrees = surveys_.znodes().found().subtrees;
  to.contentions = surveys_.znodes().found().contentions;
  if (to.connection_survey.finished)
    to.memory_bytes.push_back({"connections", surveys_.connections().found().memory_bytes});
  copy_expired(to);
}

void Standouts::copy_expired(ServerInternals& to) {
  const replica::ExpiredSessions& expired = replica_.notable().expired;
  for (std::size_t i = 0; i < replica::kExpiryCauses; ++i) {
    const auto cause = static_cast<replica::ExpiryCause>(i);
    to.expiries.push_back({replica::name(cause), expired.total(cause)});
  }
  if (expired_ == nullptr || expired_total_ != expired.total()) {
    auto list = std::make_shared<std::vector<exporter::ExpiredSession>>();
    for (auto session = expired.newest().rbegin(); session != expired.newest().rend(); ++session)
      list->push_back(published(*session));
    expired_ = std::move(list);
    expired_total_ = expired.total();
  }
  to.expired_sessions = expired_;
}

}  // namespace wk::node
