#include "server/config/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace wk::config {
namespace {

struct Variable {
  std::string_view name, key;
};
constexpr std::array kVariables{
    Variable{"ZOO_DATA_DIR", "dataDir"},
    Variable{"ZOO_DATA_LOG_DIR", "dataLogDir"},
    Variable{"ZOO_PORT_NUMBER", "clientPort"},
    Variable{"ZOO_TICK_TIME", "tickTime"},
    Variable{"ZOO_INIT_LIMIT", "initLimit"},
    Variable{"ZOO_SYNC_LIMIT", "syncLimit"},
    Variable{"ZOO_AUTOPURGE_PURGEINTERVAL", "autopurge.purgeInterval"},
    Variable{"ZOO_AUTOPURGE_INTERVAL", "autopurge.purgeInterval"},
    Variable{"ZOO_AUTOPURGE_SNAPRETAINCOUNT", "autopurge.snapRetainCount"},
    Variable{"ZOO_AUTOPURGE_RETAIN_COUNT", "autopurge.snapRetainCount"},
    Variable{"ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns"},
    Variable{"ZOO_MAX_CNXNS", "maxCnxns"},
    Variable{"ZOO_MAX_SESSION_TIMEOUT", "maxSessionTimeout"},
    Variable{"ZOO_PRE_ALLOC_SIZE", "preAllocSize"},
    Variable{"ZOO_SNAPCOUNT", "snapCount"},
    Variable{"ZOO_STANDALONE_ENABLED", "standaloneEnabled"},
    Variable{"ZOO_ADMINSERVER_ENABLED", "admin.enableServer"},
    Variable{"ZOO_4LW_COMMANDS_WHITELIST", "4lw.commands.whitelist"},
    Variable{"ZOO_PROMETHEUS_METRICS_PORT_NUMBER", "metricsProvider.httpPort"},
};
constexpr std::string_view kMyId = "ZOO_MY_ID";
// What is read elsewhere here, and what start scripts and containers read, and no server.
constexpr std::array<std::string_view, 9> kOfOthers{
    kMyId,           "ZOO_SERVERS", "ZOO_CFG_EXTRA",
    "ZOO_CONF_DIR",  "ZOO_LOG_DIR", "ZOO_LOG_FILE",
    "ZOO_SERVER_ID", "ZOO_NOEXEC",  "ZOO_DATADIR_AUTOCREATE_DISABLE"};

constexpr std::string_view kAnyKey = "ZOO_CFG_";

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return found;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    found.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

/// The key that `name`, its dots written as underscores, stands for; keys have underscores of their own.
std::string key_of(std::string_view name) {
  for (const std::string_view key : key_names()) {
    std::string flat(key);
    std::ranges::replace(flat, '.', '_');
    if (flat == name) return std::string(key);
  }
  std::string key(name);
  std::ranges::replace(key, '_', '.');
  return key;
}

}  // namespace

std::vector<Override> overrides_from_environment(const Environment& environment, Diagnostics& diagnostics) {
  std::vector<Override> overrides;
  const auto add = [&overrides](std::string key, std::string value, std::string_view variable) {
    overrides.push_back(
        {std::move(key), std::move(value), {fmt::format("environment variable {}", variable), 0}});
  };
  const auto add_pair = [&](std::string_view word, std::string_view variable) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      diagnostics.push_back({Severity::kError,
                             {fmt::format("environment variable {}", variable), 0},
                             "",
                             fmt::format("\"{}\" is not key=value", word),
                             "separate pairs by blanks, without blanks inside"});
      return;
    }
    add(std::string(word.substr(0, equals)), std::string(word.substr(equals + 1)), variable);
  };
  std::set<std::string_view> consumed(kOfOthers.begin(), kOfOthers.end());
  for (const Variable& variable : kVariables) {
    consumed.insert(variable.name);
    const auto found = environment.find(std::string(variable.name));
    if (found != environment.end() && !found->second.empty())
      add(std::string(variable.key), found->second, variable.name);
  }
  for (const std::string_view variable : {std::string_view("ZOO_SERVERS"), std::string_view("ZOO_CFG_EXTRA")})
    if (const auto found = environment.find(std::string(variable)); found != environment.end())
      for (const std::string_view word : words(found->second)) add_pair(word, variable);
  for (const auto& [name, value] : environment) {
    if (!name.starts_with("ZOO_") || consumed.contains(name)) continue;
    if (name.starts_with(kAnyKey)) {
      add(key_of(std::string_view(name).substr(kAnyKey.size())), value, name);
    } else {
      diagnostics.push_back(
          {Severity::kNote, {"environment", 0}, name, "no such variable; it has no effect", "", 0});
    }
  }
  return overrides;
}

ContainerDefaults defaults_from_environment(const Environment& environment) {
  ContainerDefaults defaults;
  if (const auto found = environment.find(std::string(kMyId));
      found != environment.end() && !found->second.empty())
    defaults.my_id = found->second;
  return defaults;
}

}  // namespace wk::config
