#include "server/config/settings.h"

#include <fmt/format.h>

#include <utility>

#include "base/near_miss.h"
#include "server/config/value.h"

namespace wk::config {
namespace {

constexpr std::string_view kPropertyPrefix = "zookeeper.";

/// Where a comment begins that somebody wrote behind a value, or npos.
std::size_t trailing_comment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i)
    if (value[i] == '#' && (value[i - 1] == ' ' || value[i - 1] == '\t')) return i;
  return std::string_view::npos;
}

std::string without_comment(std::string_view value) {
  value = value.substr(0, trailing_comment(value));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return std::string(value);
}

/// Kerberos, TLS and other providers whose absence would change who may do what.
bool is_known_provider(std::string_view value) {
  static constexpr std::string_view kPackage = "org.apache.zookeeper.server.auth.";
  if (!value.starts_with(kPackage)) return false;
  value.remove_prefix(kPackage.size());
  return value == "DigestAuthenticationProvider" || value == "IPAuthenticationProvider";
}

}  // namespace

void Settings::report(Severity severity, std::string_view key, std::string reason, std::string remedy,
                      int exit_code) {
  const Setting* const setting = find(key);
  diagnostics_.push_back({severity, setting != nullptr ? setting->place : Place{},
                          setting != nullptr ? setting->written_key : std::string(key), std::move(reason),
                          std::move(remedy), exit_code});
}
void Settings::note(std::string_view key, std::string reason, std::string remedy) {
  report(Severity::kNote, key, std::move(reason), std::move(remedy), 0);
}
void Settings::warn(std::string_view key, std::string reason, std::string remedy) {
  report(Severity::kWarning, key, std::move(reason), std::move(remedy), 0);
}
void Settings::fail(std::string_view key, std::string reason, std::string remedy, int exit_code) {
  report(Severity::kError, key, std::move(reason), std::move(remedy), exit_code);
}

void Settings::add_line(std::string key, std::string value, Place place, bool lenient) {
  Setting setting{key, std::move(value), std::move(place)};
  if (lenient && trailing_comment(setting.value) != std::string_view::npos) {
    const std::string kept = without_comment(setting.value);
    diagnostics_.push_back(
        {Severity::kWarning, setting.place, setting.written_key,
         fmt::format("what stands behind \" #\" is taken as a comment; the value is \"{}\"", kept),
         "put the comment on a line of its own; Apache ZooKeeper does not start with this line"});
    setting.value = kept;
  }
  if (key.starts_with(kPropertyPrefix)) {
    key.erase(0, kPropertyPrefix.size());
    diagnostics_.push_back(
        {Severity::kWarning, setting.place, setting.written_key,
         fmt::format("in a file keys have no prefix \"zookeeper.\"; it is taken as \"{}\"", key),
         "drop the prefix; Apache ZooKeeper ignores the line without a word"});
  }
  add(std::move(key), std::move(setting), false);
}

void Settings::add_override(Override override) {
  std::string key = override.key;
  if (key.starts_with(kPropertyPrefix)) key.erase(0, kPropertyPrefix.size());
  add(std::move(key), {std::move(override.key), std::move(override.value), std::move(override.place)}, true);
}

void Settings::add(std::string key, Setting setting, bool override) {
  if (const auto real = real_name(key)) {
    diagnostics_.push_back({Severity::kNote, setting.place, setting.written_key,
                            fmt::format("this is the guide's name of \"{}\"", *real),
                            "write the real name; Apache ZooKeeper knows only that"});
    // The real name wins where both stand.
    if (!override && has(*real)) return;
    key = *real;
  }
  const auto [found, inserted] = by_key_.try_emplace(std::move(key), setting);
  if (inserted) return;
  const Setting& former = found->second;
  if (former.value != setting.value)
    diagnostics_.push_back({override ? Severity::kNote : Severity::kWarning, setting.place,
                            setting.written_key,
                            override ? fmt::format("\"{}\" replaces the value \"{}\" of {}", setting.value,
                                                   former.value, former.place.to_string())
                                     : fmt::format("the key stands a second time; \"{}\" of {} is not used",
                                                   former.value, former.place.to_string()),
                            override ? "" : "remove one of the two"});
  found->second = std::move(setting);
}

void Settings::check() {
  for (const auto& [key, setting] : by_key_) {
    if (const KeyRule* const rule = find_key(key)) {
      check_value(*rule, setting);
      check_standing(*rule, setting);
    } else if (const auto family = family_of(key)) {
      check_family(key, *family);
    } else {
      check_unknown(key, setting);
    }
  }
}

void Settings::check_unknown(const std::string& key, const Setting& setting) {
  const std::string_view near = near_miss(key, key_names());
  diagnostics_.push_back(
      {Severity::kWarning, setting.place, setting.written_key,
       "no such key; it has no effect" +
           (near.empty() ? std::string{} : fmt::format("; did you mean \"{}\"?", near)),
       near.empty() ? "remove it, or look the name up in the list of keys" : "keys are case-sensitive"});
}

void Settings::check_family(const std::string& key, KeyFamily family) {
  switch (family) {
    case KeyFamily::kServer:
    case KeyFamily::kGroup:
    case KeyFamily::kWeight:
      return;  // Read together, as an ensemble.
    case KeyFamily::kAuthProvider:
      if (!is_known_provider(find(key)->value))
        fail(key,
             fmt::format(
                 "the authentication provider \"{}\" is not in this version, and leaving it out silently "
                 "would change who may do what",
                 find(key)->value),
             "remove the line, or keep the server that has this provider");
      return;
    case KeyFamily::kSuperUser:
      return warn(key, "it has a meaning with SASL only; it has no effect here", "remove it");
    case KeyFamily::kMetricsProvider:
      return warn(key, "no such setting of the metrics provider; it has no effect", "remove it");
    case KeyFamily::kQuorumTls:
    case KeyFamily::kClientTls:
      return warn(key, "TLS is not in this version; it has no effect", "remove it");
  }
}

void Settings::check_value(const KeyRule& rule, const Setting& setting) {
  const std::string& value = setting.value;
  const auto not_a = [&](std::string_view what) {
    std::string reason = fmt::format("\"{}\" is not {}", value, what);
    std::string remedy = fmt::format("write {}", what);
    if (trailing_comment(value) != std::string_view::npos) {
      reason += ": a value goes to the end of its line, and a comment behind it is part of it";
      remedy = "put the comment on a line of its own, or start with --lenient";
    } else if (value.empty()) {
      reason = "the value is empty";
    }
    return std::pair(std::move(reason), std::move(remedy));
  };
  const auto strict = [&](bool good, std::string_view what) {
    if (good) return;
    auto [reason, remedy] = not_a(what);
    fail(rule.name, std::move(reason), std::move(remedy));
  };
  const auto tolerant = [&](bool good, std::string_view what) {
    if (good) return;
    auto [reason, remedy] = not_a(what);
    warn(rule.name, std::move(reason) + "; the default is used, as in Apache ZooKeeper", std::move(remedy));
  };
  switch (rule.type) {
    case ValueType::kStrictInt:
      return strict(parse_strict_int(value).has_value(), "a decimal number of 32 bits");
    case ValueType::kStrictLong:
      return strict(parse_strict_long(value).has_value(), "a decimal number");
    case ValueType::kStrictBool:
      return strict(parse_strict_bool(value).has_value(), "\"true\" or \"false\"");
    case ValueType::kInt:
      return tolerant(decode_int(value).has_value(), "a number of 32 bits");
    case ValueType::kLong:
      return tolerant(decode_long(value).has_value(), "a number");
    case ValueType::kDouble:
      return tolerant(parse_double(value).has_value(), "a number");
    case ValueType::kBool:
      if (!parse_strict_bool(value))
        warn(rule.name, not_a("\"true\" or \"false\"").first + "; it counts as false, as in Apache ZooKeeper",
             not_a("\"true\" or \"false\"").second);
      return;
    case ValueType::kYesNo:
      if (value != "yes" && value != "no")
        warn(rule.name,
             not_a("exactly \"yes\" or \"no\"").first + "; the default is used, as in Apache ZooKeeper",
             not_a("exactly \"yes\" or \"no\"").second);
      return;
    case ValueType::kText:
      if (trailing_comment(value) != std::string_view::npos)
        warn(rule.name,
             fmt::format("the value is all of \"{}\": a comment behind a value is part of it", value),
             "put the comment on a line of its own, or start with --lenient");
      return;
  }
}

void Settings::check_standing(const KeyRule& rule, const Setting& setting) {
  switch (rule.standing) {
    case Standing::kWorks:
    case Standing::kEnsemble:
      return;
    case Standing::kNoEffectWhenTrue:
      if (!equal_ignoring_case(setting.value, "true")) return;
      [[fallthrough]];
    case Standing::kNoEffect:
      return warn(rule.name, fmt::format("no effect here: {}", rule.note), "the line can be removed");
    case Standing::kRefused:
      return fail(rule.name, std::string(rule.note), "remove the line to start without it");
    case Standing::kRefusedWhenTrue:
      if (equal_ignoring_case(setting.value, "true"))
        fail(rule.name, std::string(rule.note), "remove the line to start without it");
      return;
  }
}

const Setting* Settings::find(std::string_view key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

Place Settings::place_of(std::string_view key) const {
  const Setting* const setting = find(key);
  return setting == nullptr ? Place{} : setting->place;
}

std::int64_t Settings::integer(std::string_view key, std::int64_t otherwise) const {
  const Setting* const setting = find(key);
  const KeyRule* const rule = find_key(key);
  if (setting == nullptr || rule == nullptr) return otherwise;
  switch (rule->type) {
    case ValueType::kStrictInt:
      return parse_strict_int(setting->value).value_or(static_cast<std::int32_t>(otherwise));
    case ValueType::kStrictLong:
      return parse_strict_long(setting->value).value_or(otherwise);
    case ValueType::kInt:
      return decode_int(setting->value).value_or(static_cast<std::int32_t>(otherwise));
    default:
      return decode_long(setting->value).value_or(otherwise);
  }
}

bool Settings::boolean(std::string_view key, bool otherwise) const {
  const Setting* const setting = find(key);
  const KeyRule* const rule = find_key(key);
  if (setting == nullptr || rule == nullptr) return otherwise;
  if (rule->type == ValueType::kYesNo) return otherwise ? setting->value != "no" : setting->value == "yes";
  return equal_ignoring_case(setting->value, "true");
}

std::string Settings::text(std::string_view key, std::string_view otherwise) const {
  const Setting* const setting = find(key);
  return setting == nullptr ? std::string(otherwise) : setting->value;
}

std::vector<std::pair<std::string, Setting>> Settings::family(KeyFamily family) const {
  std::vector<std::pair<std::string, Setting>> found;
  for (const auto& [key, setting] : by_key_)
    if (find_key(key) == nullptr && family_of(key) == family) found.emplace_back(key, setting);
  return found;
}

}  // namespace wk::config
