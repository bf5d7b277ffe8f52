#include "exporter/sources/conf.h"

#include <algorithm>
#include <map>
#include <string>

#include "exporter/sources/four_letter.h"
#include "exporter/sources/membership.h"

namespace wk::exporter {
namespace {

constexpr std::string_view kServer = "server.";

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

}  // namespace

Parsed parse_conf(std::string_view text) {
  if (auto general = classify(text)) return *std::move(general);
  ConfigurationAnswer answer;
  std::map<std::string, std::string, std::less<>> entries;
  bool membership_seen = false;
  Lines lines(text);
  while (const auto line = lines.next()) {
    if (line->starts_with("membership:")) {
      membership_seen = true;
      continue;
    }
    const auto equals = line->find('=');
    const std::string_view key = line->substr(0, equals);
    if (equals == std::string_view::npos || !is_key(key)) {
      const bool last = line->data() + line->size() == text.data() + text.size();
      if (last && (is_key(key) || key.empty())) break;
      if (entries.empty())
        return parsed_failure(SourceState::kMalformed,
                              "no KEY=VALUE line: " + std::string(line->substr(0, kDetailLimit)));
      continue;
    }
    const std::string_view value = line->substr(equals + 1);
    if (key.starts_with(kServer)) {
      if (answer.membership.size() < kMembershipLimit)
        if (auto entry = parse_membership_entry(key.substr(kServer.size()), value))
          answer.membership.push_back(*std::move(entry));
    } else if (key == "version") {
      answer.membership_version = parse_integer<std::uint64_t>(trimmed(value), 16);
    } else if (entries.size() < kConfigurationEntryLimit && key.size() <= kConfigurationTextLimit) {
      entries.insert_or_assign(std::string(key), clean_text(value, kConfigurationTextLimit));
    }
  }

  const auto has = [&](std::string_view key) { return entries.contains(key); };
  for (const std::string_view key : {"serverId", "server_id", "my_id"})
    if (const auto found = entries.find(key); found != entries.end())
      if (const auto id = parse_integer<std::int64_t>(found->second)) answer.server_id = ServerId{*id};

  const bool dialect = has("server_id") || has("my_id");
  const bool member =
      has("initLimit") || membership_seen || (answer.server_id && answer.server_id->value != 0);
  const bool prints_membership = has("secureClientPort") || membership_seen;
  const bool ends_in_line = text.ends_with('\n');
  bool whole = false;
  if (dialect) {
    whole = ends_in_line;
  } else if (member && prints_membership) {
    whole = answer.membership_version.has_value() && !answer.membership.empty();
  } else if (member) {
    whole = has("peerType") && ends_in_line;
  } else {
    whole = has("serverId") && ends_in_line;
  }
  if (!whole)
    return parsed_failure(SourceState::kTruncated, "the answer ends before the membership or its last key");
  answer.entries.assign(entries.begin(), entries.end());
  std::ranges::sort(answer.membership, {}, &MembershipEntry::id);
  return parsed_ok(std::move(answer));
}

}  // namespace wk::exporter
