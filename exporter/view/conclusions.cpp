#include "exporter/view/conclusions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exporter/view/quorum.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == names.size() ? " and " : ", ", names[i]);
  return text;
}

std::vector<std::string> in_state(const EnsembleView& view, ServingState state) {
  std::vector<std::string> names;
  for (const MemberView& member : view.members)
    if (member.state == state) names.push_back(member.name);
  return names;
}

/// "zk1:2181 and zk2:2181 are looking; zk3:2181 refuses connections on its client port".
std::string standing_of_members(const EnsembleView& view) {
  constexpr std::array kOrder{ServingState::kLooking, ServingState::kSyncing, ServingState::kReadOnly};
  constexpr std::array kWords{"up but LOOKING", "synchronising with a leader", "serving read-only clients"};
  std::string text;
  const auto add = [&](const std::string& clause) {
    text += fmt::format("{}{}", text.empty() ? "" : "; ", clause);
  };
  for (std::size_t i = 0; i < kOrder.size(); ++i)
    if (const auto names = in_state(view, kOrder[i]); !names.empty())
      add(fmt::format("{} {} {}", join(names), names.size() == 1 ? "is" : "are", kWords[i]));
  for (const MemberView& member : view.members)
    if (member.state == ServingState::kUnreachable || member.state == ServingState::kNotServing)
      add(fmt::format("{} {}", member.name, member.state_reason));
  return text;
}

bool anything_known(const EnsembleView& view) {
  return std::any_of(view.members.begin(), view.members.end(),
                     [](const MemberView& member) { return member.polls > 0; });
}

std::string quorum_text(const EnsembleView& view) {
  return fmt::format("{} of {} voters in sync, {} needed", view.voters_in_sync, view.voters, view.majority);
}

}  // namespace

std::string grouped(std::uint64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text.push_back(',');
    text.push_back(digits[i]);
  }
  return text;
}

std::string duration_text(nanoseconds duration) {
  using std::chrono::duration_cast;
  const auto milliseconds =
      std::max<std::int64_t>(0, duration_cast<std::chrono::milliseconds>(duration).count());
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  const auto total = milliseconds / 1000;
  if (total < 10) return fmt::format("{:.1f} s", static_cast<double>(milliseconds) / 1000);
  if (total < 60) return fmt::format("{} s", total);
  if (total < 3600)
    return total % 60 == 0 ? fmt::format("{} min", total / 60)
                           : fmt::format("{} min {} s", total / 60, total % 60);
  if (total < 48 * 3600) return fmt::format("{} h {} min", total / 3600, total / 60 % 60);
  return fmt::format("{} d {} h", total / 86400, total / 3600 % 24);
}

SafeToStop safe_to_stop(const EnsembleView& view, std::size_t index) {
  const MemberView& member = view.members[index];
  if (std::any_of(view.members.begin(), view.members.end(),
                  [](const MemberView& other) { return other.polls == 0; }))
    return {false, "not every member has been visited yet; ask again in a second"};
  if (member.same_as) return safe_to_stop(view, *member.same_as);
  if (view.standalone) return {false, "it is the only server: stopping it stops service"};
  if (view.split_brain)
    return {false, "two leaders answer: find out which one is deposed before touching any member"};
  if (!member.voter) return {true, "it is an observer: the quorum does not depend on it"};
  if (!view.leader && !view.leader_inferred)
    return {false, fmt::format("there is no leader ({}): an election needs every voter", quorum_text(view))};
  if (view.quorum_margin < 0) return {false, fmt::format("the quorum is lost: {}", quorum_text(view))};
  if (view.digest_mismatches > 0 && !member.digest_mismatch.value_or(false))
    return {false, "members disagree on their data; keep those that agree"};

  // Votes that are only believed have no name: one out of sight may be theirs, or the hidden leader's.
  const auto first_hand = std::count_if(view.members.begin(), view.members.end(),
                                        [](const MemberView& other) { return other.voter && other.in_sync; });
  const bool may_carry =
      !member.in_sync && view.voters_in_sync > first_hand &&
      (member.state == ServingState::kUnreachable || member.state == ServingState::kNotServing);
  // Those that would carry on: in sync without this member, and close enough to take over at once.
  int left = view.voters_in_sync - (member.in_sync || may_carry ? 1 : 0);
  std::string behind;
  for (std::size_t other = 0; other < view.members.size(); ++other) {
    const MemberView& candidate = view.members[other];
    if (other == index || !candidate.voter || !candidate.in_sync) continue;
    if (candidate.lag_transactions.value_or(0) <= kLagUnsafeTransactions) continue;
    --left;
    behind += fmt::format("{}{} is {} transactions behind", behind.empty() ? "" : ", ", candidate.name,
                          grouped(*candidate.lag_transactions));
  }
  if (left < view.majority)
    return {false, behind.empty() ? fmt::format("would leave {} of {} voters in sync; {} are needed", left,
                                                view.voters, view.majority)
                                  : fmt::format("would leave {} of {} voters in sync; {} are needed ({})",
                                                left, view.voters, view.majority, behind)};
  std::string reason =
      fmt::format("leaves {} of {} voters in sync; {} are needed", left, view.voters, view.majority);
  if (!member.in_sync && !may_carry)
    reason = fmt::format("it is {} and carries no vote now; {}", name(member.state), reason);
  if (view.leader == index) reason += "; it is the leader: an election follows, stop it last";
  return {true, reason};
}

std::vector<Problem> problems_of(const EnsembleView& view, Moment now) {
  std::vector<Problem> problems;
  if (!anything_known(view)) return problems;
  const auto add = [&](Problem problem) { problems.push_back(std::move(problem)); };
  const std::string standing = standing_of_members(view);
  const std::string outage =
      view.unserved_since ? fmt::format(" for {}", duration_text(now - *view.unserved_since)) : std::string();

  if (!view.serving && view.unserved_since) {
    if (view.quorum_margin >= 0) {
      add({"clients_not_served",
           Severity::kCritical,
           fmt::format("no client operation has succeeded on any member{}", outage),
           fmt::format("the members say that they serve ({}), yet the canary's operations fail: {}",
                       quorum_text(view), view.members.front().canary.last_error),
           "Look at the members' logs and disks: a leader whose disk hangs still answers its status words.",
           "ZooKeeperCanaryFailing",
           {}});
    } else {
      const int able = able_voters(view);
      if (able < view.majority)
        add({"quorum_lost", Severity::kCritical, fmt::format("quorum lost{}: {}", outage, quorum_text(view)),
             standing.empty() ? "voters are missing" : standing,
             fmt::format("Bring back at least {} more of the voters; start with those whose process is down.",
                         view.majority - able),
             "ZooKeeperQuorumLost", in_state(view, ServingState::kUnreachable)});
      else
        add({"no_leader", Severity::kCritical, fmt::format("no leader{}: {}", outage, quorum_text(view)),
             standing.empty() ? "no member leads" : standing,
             "The voters run but do not agree on a leader: check that they reach each other's election and "
             "quorum ports "
             "(3888 and 2888 by default) and their logs for \"Cannot open channel to\".",
             "ZooKeeperNoLeader", in_state(view, ServingState::kLooking)});
    }
  }
  if (view.split_brain)
    add({"split_brain",
         Severity::kCritical,
         view.leaders > 1 ? fmt::format("{} members lead the same epoch", view.leaders)
                          : std::string("a deposed leader still answers clients"),
         "a leader that lost its quorum has not noticed, or two servers share an id",
         "Stop the member with the older epoch; check that every myid is unique.",
         "ZooKeeperSplitBrain",
         {}});
  for (const MemberView& member : view.members)
    if (member.digest_mismatch.value_or(false))
      add({"digest_mismatch",
           Severity::kCritical,
           fmt::format("the data of {} differs from the others' at the same zxid", member.name),
           "its data tree has diverged (a defect, or a damaged log or snapshot)",
           "Keep the members that agree; stop this one, move its version-2 directories away and let it copy "
           "the data anew.",
           "ZooKeeperDigestMismatch",
           {member.name}});
  if (view.serving && view.quorum_margin == 0 && !view.standalone && view.voters > 1)
    add({"quorum_margin_zero",
         Severity::kWarning,
         fmt::format("the next failure of a voter stops service: {}", quorum_text(view)),
         standing.empty() ? "an ensemble of two cannot lose a voter" : standing,
         "Bring the missing voters back before touching any other member.",
         "ZooKeeperQuorumMarginZero",
         {}});

  for (const MemberView& member : view.members) {
    if (member.polls == 0) continue;
    const std::string since = duration_text(now - member.state_since);
    if (member.state == ServingState::kUnreachable) {
      SourceState state = SourceState::kRefused;
      for (const Probe probe : {Probe::kMntr, Probe::kSrvr})
        if (const SourceState found = member.sources[probe].state;
            found != SourceState::kNotTried && found != SourceState::kOk)
          state = found;
      add({"member_unreachable",
           Severity::kWarning,
           fmt::format("{} has been unreachable for {}", member.name, since),
           member.state_reason,
           // A server that tells of itself is reached by whoever reads this: only its core is not.
           member.facts->internals
               ? "Keep a core dump (gcore PID): it shows where the thread hangs. Then restart the server."
               : remedy_of(state, Probe::kSrvr),
           "ZooKeeperMemberDown",
           {member.name}});
    } else if (member.state == ServingState::kNotServing || member.state == ServingState::kSyncing ||
               member.state == ServingState::kReadOnly ||
               (member.state == ServingState::kLooking && (view.leader || view.leader_inferred))) {
      add({"member_not_serving",
           Severity::kWarning,
           fmt::format("{} has been {} for {}", member.name, name(member.state), since),
           member.state_reason,
           member.state == ServingState::kSyncing ? "Wait: it copies the leader's data; its log tells the "
                                                    "progress. If it starts over again and again, raise "
                                                    "initLimit."
                                                  : remedy_of(SourceState::kNotServing, Probe::kSrvr),
           "ZooKeeperMemberNotServing",
           {member.name}});
    }
    if (member.same_as) {
      const std::string& other = view.members[*member.same_as].name;
      add({"listed_twice",
           Severity::kWarning,
           fmt::format("{} is the same server as {}", member.name, other),
           fmt::format("both names lead to {} and tell the same id", member.address),
           "Leave one of the two names in the exporter's list of members.",
           "ZooKeeperUnlistedMember",
           {member.name, other}});
    }
    if (member.role == Role::kStandalone && !view.standalone)
      add({"member_standalone",
           Severity::kCritical,
           fmt::format("{} serves as a standalone server, outside the ensemble", member.name),
           "its configuration has no server lines, so it serves clients from a database of its own",
           "Keep clients away from it, add the server lines to its configuration and restart it; what was "
           "written to it alone is lost when it copies the leader's data.",
           "ZooKeeperSplitBrain",
           {member.name}});
    if (member.lag_transactions.value_or(0) > kLagUnsafeTransactions)
      add({"member_lags",
           Severity::kWarning,
           fmt::format("{} is {} transactions behind", member.name, grouped(*member.lag_transactions)),
           "it applies transactions slower than they are made, or its link to the leader is slow",
           "Compare its CPU, disk and network with the others'.",
           "ZooKeeperFollowerLag",
           {member.name}});
    if (view.canary_mode != CanaryMode::kOff && member.state == ServingState::kServing && view.serving &&
        (!member.canary.last_ok || now - *member.canary.last_ok > std::chrono::seconds{5}) &&
        !member.canary.last_error.empty())
      add({"canary_failing",
           Severity::kWarning,
           fmt::format("client operations through {} fail", member.name),
           member.canary.last_error,
           "Clients of this member feel the same: check its connection limits, its log, and (for TLS or SASL "
           "only "
           "ensembles) the canary's credentials.",
           "ZooKeeperCanaryFailing",
           {member.name}});
    const MemberFacts& facts = *member.facts;
    const ConnectionsAnswer* connections = present(member, facts.connections, now);
    if (connections != nullptr && facts.configuration.value && !connections->by_address.empty()) {
      const auto limit = facts.configuration.value->entry_number("maxClientCnxns");
      const auto& [address, count] = connections->by_address.front();
      if (limit && *limit > 0 && static_cast<double>(count) >= 0.8 * static_cast<double>(*limit))
        add({"connections_near_limit",
             Severity::kWarning,
             fmt::format("{} holds {} of at most {} connections to {}", address, count, *limit, member.name),
             "one client host opens many connections (a pool without limit, or a leak)",
             "Find the client at that address; raise maxClientCnxns only when the number is meant.",
             "ZooKeeperConnectionsNearLimit",
             {member.name}});
    }
    // A member that answers but whose words are closed to us: say which word and what to do.
    if (member.state != ServingState::kUnreachable) {
      for (const auto& [which, source] : member.sources) {
        if (!is_status_source(which) || source.state == SourceState::kOk ||
            source.state == SourceState::kNotTried || source.state == SourceState::kNotServing)
          continue;
        const bool another_works = facts.status.value && facts.status_probe != Probe::kSrvr &&
                                   member.last_poll && *member.last_poll - facts.status.at <= nanoseconds{0};
        add({fmt::format("source_{}", name(source.state)),
             another_works ? Severity::kInfo : Severity::kWarning,
             fmt::format("{}: {} does not answer ({})", member.name, name(which), name(source.state)),
             source.detail.empty() ? std::string(name(source.state)) : source.detail,
             remedy_of(source.state, which),
             "ZooKeeperExporterBlind",
             {member.name}});
      }
    }
    if (member.certificate_not_after) {
      const auto left = *member.certificate_not_after - now.wall;
      if (left < std::chrono::hours{14 * 24})
        add({"certificate_expiring",
             left < std::chrono::hours{48} ? Severity::kCritical : Severity::kWarning,
             left < nanoseconds{0}
                 ? fmt::format("the certificate of {} has expired", member.name)
                 : fmt::format("the certificate of {} expires in {}", member.name, duration_text(left)),
             "the TLS certificate of the member is near its end",
             "Renew it and restart or reload the member.",
             "ZooKeeperCertificateExpiring",
             {member.name}});
    }
  }
  for (const ConfigurationDrift& drift : view.drift) {
    std::string values;
    for (const auto& [member, value] : drift.values)
      values += fmt::format("{}{}: {}", values.empty() ? "" : "; ", member, value);
    add({"configuration_drift",
         Severity::kWarning,
         fmt::format("members differ in {}", drift.key),
         values,
         "Make the members' zoo.cfg agree; differing versions are normal only during a rolling upgrade.",
         "ZooKeeperConfigurationDrift",
         {}});
  }
  for (const std::string& server : view.unlisted_members)
    add({"unlisted_member",
         Severity::kInfo,
         fmt::format("the membership names {}, which is not watched", server),
         "the exporter was not told of this server",
         "Add its client address to the exporter's targets.",
         "ZooKeeperUnlistedMember",
         {}});
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.severity > b.severity; });
  return problems;
}

std::string verdict_of(const EnsembleView& view, Moment now) {
  if (!anything_known(view)) return "Nothing is known yet: no member has been visited.";
  const std::string standing = standing_of_members(view);
  const std::string because = standing.empty() ? std::string() : fmt::format(": {}", standing);
  if (!view.serving) {
    const std::string outage = view.unserved_since
                                   ? fmt::format(" for {}", duration_text(now - *view.unserved_since))
                                   : std::string();
    if (view.standalone || (view.members.size() == 1 && view.voters <= 1))
      return fmt::format("Not serving{}{}.", outage, because);
    if (view.quorum_margin >= 0)
      return fmt::format("No client operation succeeds{}, though {}.", outage, quorum_text(view));
    if (!view.leader && !view.leader_inferred)
      return fmt::format("No leader{} ({}){}.", outage, quorum_text(view), because);
    return fmt::format("Quorum lost{} ({}){}.", outage, quorum_text(view), because);
  }
  if (view.split_brain) return "Serving, but a deposed leader still answers: clients of it read stale data.";
  if (view.standalone) return "Serving: one standalone server; its failure stops service.";
  if (view.quorum_margin == 0)
    return fmt::format("Serving, but the next failure stops service ({}){}.", quorum_text(view), because);
  return fmt::format("Serving; tolerates {} more {} ({}){}.", view.quorum_margin,
                     view.quorum_margin == 1 ? "failure" : "failures", quorum_text(view), because);
}

}  // namespace wk::exporter
