#include "exporter/view/configuration_drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "exporter/view/freshness.h"

namespace wk::exporter {
namespace {

using std::chrono::nanoseconds;

/// Keys that the members of an ensemble should agree on, as `conf` names them.
constexpr std::array<std::string_view, 7> kDriftKeys{
    "electionAlg",       "initLimit", "maxClientCnxns", "maxSessionTimeout",
    "minSessionTimeout", "syncLimit", "tickTime"};

std::string membership_text(const ConfigurationAnswer& configuration) {
  std::string text;
  for (const MembershipEntry& entry : configuration.membership)
    text += fmt::format("{}server.{}={}:{}:{}{}", text.empty() ? "" : " ", entry.id.value, entry.host,
                        entry.quorum_port, entry.election_port, entry.voter ? "" : ":observer");
  return text;
}

}  // namespace

std::vector<ConfigurationDrift> configuration_drift(const EnsembleView& view, const EnsembleSpec& spec,
                                                    Moment now) {
  std::vector<ConfigurationDrift> drift;
  const auto fresh_configuration = [&](std::size_t index) -> const ConfigurationAnswer* {
    const Dated<ConfigurationAnswer>& told = view.members[index].facts->configuration;
    return told.value && now - told.at <= detail_freshness(spec, index) ? &*told.value : nullptr;
  };
  const auto compare = [&](std::string key, const auto& value_of) {
    ConfigurationDrift row{.key = std::move(key), .values = {}};
    bool differs = false;
    for (std::size_t index = 0; index < view.members.size(); ++index) {
      std::optional<std::string> value = value_of(index);
      if (!value) continue;
      differs |= !row.values.empty() && row.values.front().second != *value;
      row.values.emplace_back(view.members[index].name, std::move(*value));
    }
    if (differs) drift.push_back(std::move(row));
  };
  for (const std::string_view key : kDriftKeys)
    compare(std::string(key), [&](std::size_t index) -> std::optional<std::string> {
      const ConfigurationAnswer* configuration = fresh_configuration(index);
      if (configuration == nullptr) return std::nullopt;
      const auto value = configuration->entry(key);
      return value ? std::optional(std::string(*value)) : std::nullopt;
    });
  compare("membership", [&](std::size_t index) -> std::optional<std::string> {
    const ConfigurationAnswer* configuration = fresh_configuration(index);
    if (configuration == nullptr || configuration->membership.empty()) return std::nullopt;
    return membership_text(*configuration);
  });
  compare("version", [&](std::size_t index) -> std::optional<std::string> {
    const Dated<StatusAnswer>& status = view.members[index].facts->status;
    if (!status.value || status.value->version.empty() || now - status.at > freshness(spec, index))
      return std::nullopt;
    return status.value->version;
  });
  return drift;
}

void tell_drift(const std::vector<ConfigurationDrift>& before, const std::vector<ConfigurationDrift>& now,
                EventSink& events) {
  for (const ConfigurationDrift& row : now) {
    const bool known = std::any_of(before.begin(), before.end(),
                                   [&](const ConfigurationDrift& old) { return old.key == row.key; });
    if (known) continue;
    std::string values;
    for (const auto& [member, value] : row.values)
      values += fmt::format("{}{}: {}", values.empty() ? "" : "; ", member, value);
    events.tell(EventType::kConfigurationDrift, Severity::kWarning, "",
                fmt::format("members are configured differently in {} ({})", row.key, values));
  }
}

void tell_configuration_change(const std::string& member, const Dated<ConfigurationAnswer>& before,
                               const Dated<ConfigurationAnswer>& now, EventSink& events) {
  if (!before.value || !now.value || now.at - before.at <= nanoseconds{0}) return;
  const std::string membership_before = membership_text(*before.value);
  const std::string membership_now = membership_text(*now.value);
  if (!membership_before.empty() && !membership_now.empty() && membership_before != membership_now)
    events.tell(EventType::kConfigurationChanged, Severity::kInfo, member,
                fmt::format("{}: the membership changed from \"{}\" to \"{}\"", member, membership_before,
                            membership_now));
  for (const std::string_view key : kDriftKeys) {
    const auto old_value = before.value->entry(key);
    const auto new_value = now.value->entry(key);
    if (old_value && new_value && *old_value != *new_value)
      events.tell(EventType::kConfigurationChanged, Severity::kInfo, member,
                  fmt::format("{}: {} changed from {} to {}", member, key, *old_value, *new_value));
  }
}

}  // namespace wk::exporter
