#include "exporter/app/member_lookup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/endpoint.h"
#include "base/log.h"

namespace wk::exporter {
namespace {

/// Names in a message; more than these are counted only.
constexpr std::size_t kNamedMax = 20;

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kNamedMax);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

/// "zk1" of "zk1:2181", "::1" of "[::1]:2181".
std::string_view host_of(std::string_view member) {
  std::string_view host = member.substr(0, member.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool on_host(const MemberView& member, std::string_view name) {
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return host_of(member.name) == name;
}

/// `name` is the first label of the member's host, or begins with the host and a dot. The name may have a
/// port behind it, which is the member's then. Never for addresses, nor for numbers: a number is a server id.
bool in_domain(const MemberView& member, std::string_view name) {
  if (const auto colon = name.rfind(':'); colon != std::string_view::npos) {
    if (name.substr(colon) != std::string_view(member.name).substr(member.name.rfind(':'))) return false;
    name = name.substr(0, colon);
  }
  const std::string_view host = host_of(member.name);
  if (name.empty() || numeric_host(name) || numeric_host(host)) return false;
  const auto begins = [](std::string_view whole, std::string_view part) {
    return whole.size() > part.size() + 1 && whole.starts_with(part) && whole[part.size()] == '.';
  };
  return begins(name, host) || (name.find('.') == std::string_view::npos && begins(host, name));
}

bool named(const MemberView& member, std::string_view name) { return member.name == name; }

bool has_id(const MemberView& member, std::string_view name) {
  return member.id && member.id->value >= 0 && std::to_string(member.id->value) == name;
}

}  // namespace

Result<const EnsembleView*> find_ensemble(const Snapshot& snapshot, std::string_view name) {
  std::vector<std::string> known;
  for (const EnsembleView& ensemble : snapshot.ensembles) {
    if (ensemble.name == name) return &ensemble;
    known.push_back(ensemble.name);
  }
  return Error{Errc::kNotFound, fmt::format("no ensemble is called \"{}\"; known ones: {}",
                                            printable(name, 80), listed(known))};
}

Result<MemberReference> find_member(const Snapshot& snapshot, std::string_view name,
                                    std::string_view ensemble) {
  std::vector<const EnsembleView*> searched;
  if (ensemble.empty()) {
    for (const EnsembleView& each : snapshot.ensembles) searched.push_back(&each);
  } else {
    const auto found = find_ensemble(snapshot, ensemble);
    if (!found) return found.error();
    searched.push_back(*found);
  }
  static constexpr std::array kWays{named, on_host, has_id, in_domain};
  for (const auto& fits : kWays) {
    std::vector<MemberReference> found;
    for (const EnsembleView* each : searched)
      for (const MemberView& member : each->members)
        if (fits(member, name)) found.push_back({each, &member});
    if (found.size() == 1) return found.front();
    if (found.empty()) continue;
    std::vector<std::string> candidates;
    for (const MemberReference& each : found)
      candidates.push_back(fmt::format("member={}&ensemble={}", each.member->name, each.ensemble->name));
    return Error{Errc::kInvalidInput, fmt::format("\"{}\" fits {} members; name one of them: {}",
                                                  printable(name, 80), found.size(), listed(candidates))};
  }
  std::vector<std::string> known;
  for (const EnsembleView* each : searched)
    for (const MemberView& member : each->members) known.push_back(member.name);
  return Error{Errc::kNotFound,
               fmt::format("no member is called \"{}\"; known ones: {}", printable(name, 80), listed(known))};
}

}  // namespace wk::exporter
