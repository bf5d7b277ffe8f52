#include "exporter/app/probe_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/log.h"
#include "base/near_miss.h"
#include "exporter/app/target_defaults.h"
#include "exporter/app/value_rules.h"

namespace wk::exporter {
namespace {

/// What is left of Prometheus' timeout when the visit must have ended: for the connection to the exporter,
/// the answer's way back, and a machine that is short of processor time just when something is wrong. As much
/// as blackbox_exporter leaves.
constexpr std::chrono::milliseconds kScrapeMargin{500};

Error in_parameter(std::string_view parameter, const Error& error) {
  return {error.code, fmt::format("parameter \"{}\": {}", parameter, error.message)};
}

const EnsembleSpec* find_spec(const std::vector<EnsembleSpec>& ensembles, std::string_view name) {
  const auto found = std::ranges::find(ensembles, name, &EnsembleSpec::name);
  return found == ensembles.end() ? nullptr : &*found;
}

/// The configured member called `name`, in the ensemble `preferred` rather than in another.
std::pair<const EnsembleSpec*, const TargetSpec*> find_listed(const std::vector<EnsembleSpec>& ensembles,
                                                              std::string_view name,
                                                              std::string_view preferred) {
  std::pair<const EnsembleSpec*, const TargetSpec*> found{nullptr, nullptr};
  for (const EnsembleSpec& ensemble : ensembles)
    for (const TargetSpec& member : ensemble.members)
      if (member.name == name && (found.first == nullptr || ensemble.name == preferred))
        found = {&ensemble, &member};
  return found;
}

std::optional<std::chrono::milliseconds> deadline_of(std::string_view scrape_timeout) {
  double timeout_s = 0;
  const auto [end, fault] =
      std::from_chars(scrape_timeout.data(), scrape_timeout.data() + scrape_timeout.size(), timeout_s);
  if (fault != std::errc{} || end != scrape_timeout.data() + scrape_timeout.size() || !(timeout_s > 0))
    return std::nullopt;
  const double capped_ms =
      std::min(timeout_s * 1e3, static_cast<double>((kTimeoutMax + kScrapeMargin).count()));
  const std::chrono::milliseconds timeout(std::lround(capped_ms));
  return std::max({timeout - kScrapeMargin, timeout / 2, kTimeoutMin});
}

}  // namespace

Result<FamilyQuery> parse_family_query(const Query& query, const FamilySelection& defaults) {
  const std::vector<std::string> wanted = query_list(query, "family");
  FamilyQuery parsed{defaults, true};
  if (wanted.empty()) return parsed;
  parsed.exporter = false;
  parsed.selection.native = parsed.selection.zk = parsed.selection.zookeeper39 = false;
  static constexpr std::array<std::string_view, 4> kKnown{"native", "zk", "zookeeper39", "exporter"};
  const std::array<bool*, 4> switches{&parsed.selection.native, &parsed.selection.zk,
                                      &parsed.selection.zookeeper39, &parsed.exporter};
  for (const std::string& family : wanted) {
    const auto* known = std::ranges::find(kKnown, family);
    if (known == kKnown.end())
      return Error{Errc::kInvalidInput,
                   fmt::format("parameter \"family\": no metric family is called \"{}\"; known ones: {}{}",
                               printable(family, 40), fmt::join(kKnown, ", "), did_you_mean(family, kKnown))};
    *switches[static_cast<std::size_t>(known - kKnown.begin())] = true;
  }
  return parsed;
}

Result<ProbeQuery> parse_probe_query(const Query& query, std::string_view scrape_timeout, ProbePolicy policy,
                                     const std::vector<EnsembleSpec>& ensembles,
                                     const FamilySelection& defaults) {
  if (policy == ProbePolicy::kOff)
    return Error{Errc::kNotAllowed,
                 "probes are switched off; start the exporter with --probe=listed or --probe=any"};
  const auto address = query_text(query, "target");
  if (!address) return address.error();
  if (address->empty())
    return Error{Errc::kInvalidInput,
                 "parameter \"target\" is missing; write for example /probe?target=zk1:2181"};
  const auto ensemble = query_text(query, "ensemble");
  if (!ensemble) return ensemble.error();
  if (!ensemble->empty())
    if (const auto legal = parse_ensemble_name(*ensemble); !legal)
      return in_parameter("ensemble", legal.error());
  const auto module = query_text(query, "module");
  if (!module) return module.error();
  auto families = parse_family_query(query, defaults);
  if (!families) return families.error();

  TargetDefaults inherited;
  if (!module->empty()) {
    const EnsembleSpec* spec = find_spec(ensembles, *module);
    if (spec == nullptr)
      return Error{
          Errc::kNotFound,
          fmt::format(
              "parameter \"module\": no ensemble is called \"{}\"; name a configured ensemble or leave "
              "it out",
              printable(*module, 80))};
    // Credentials for HTTP stay behind: they must not travel to a host that the caller of /probe chose.
    inherited.tls = spec->members.front().tls;
    inherited.timeout = spec->members.front().timeout;
  }
  auto target = make_target(*address, inherited);
  if (!target) return in_parameter("target", target.error());

  ProbeQuery parsed{ensemble->empty() ? "default" : *ensemble, *std::move(target), families->selection};
  const auto [listed_in, listed] = find_listed(ensembles, parsed.target.name, *ensemble);
  if (listed != nullptr) {
    parsed.target = *listed;
    if (ensemble->empty()) parsed.ensemble = listed_in->name;
  } else if (policy == ProbePolicy::kListed) {
    return Error{Errc::kNotAllowed,
                 fmt::format("{} is no configured member, and --probe=listed allows no other target; add "
                             "it to the configuration or start the exporter with --probe=any",
                             parsed.target.name)};
  } else if (parsed.target.tls && !parsed.target.tls->cert_file.empty()) {
    return Error{
        Errc::kNotAllowed,
        fmt::format("parameter \"module\": the ensemble \"{}\" has a client certificate, which is shown to "
                    "configured members only; add {} to the configuration or leave module out",
                    *module, parsed.target.name)};
  }
  if (const auto deadline = deadline_of(scrape_timeout)) parsed.target.timeout = *deadline;
  parsed.families.zookeeper39_instance = false;
  return parsed;
}

}  // namespace wk::exporter
