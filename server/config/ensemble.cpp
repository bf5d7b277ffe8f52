#include "server/config/ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "server/config/properties.h"
#include "server/config/server_line.h"
#include "server/config/value.h"

namespace wk::config {
namespace {

struct Line {
  std::string key;
  std::string value;
  Place place;
};

/// Java's isAnyLocalAddress.
bool is_any(std::string_view host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

/// Differs: Apache compares what two hosts resolve to; names are not looked up here, but for the one that
/// everybody has.
bool is_same(std::string_view one, std::string_view other) {
  const auto known = [](std::string_view host) { return host == "localhost" ? "127.0.0.1" : host; };
  return known(one) == known(other);
}

/// Whether zoo.cfg's client address leaves room for the server line's: the same one, or any with that port.
/// Source: quorum/QuorumPeerConfig.java, setupClientPort.
bool agree(const ListenAddress& in_file, const ListenAddress& in_line) {
  if (in_file.port != in_line.port) return false;
  return is_any(in_file.host) || is_same(in_file.host, in_line.host);
}

Place assigned_id() { return {"environment variable ZOO_MY_ID", 0}; }

class EnsembleReader {
 public:
  EnsembleReader(Settings& settings, const FileReader& read,
                 const std::optional<ContainerDefaults>& container, Diagnostics& diagnostics, Config& config)
      : settings_(settings),
        read_(read),
        container_(container),
        diagnostics_(diagnostics),
        config_(config),
        ensemble_(config.ensemble) {}

  void run() {
    read_scalars();
    collect_lines();
    for (const Line& line : lines_) read_line(line);
    std::ranges::sort(ensemble_.servers, {}, &ServerLine::id);
    check_groups();
    const bool usable = check_size();
    read_my_id();
    if (usable && config_.distributed) check_distributed();
  }

 private:
  void fail(const Place& place, std::string key, std::string reason, std::string remedy,
            int exit_code = kExitInvalidConfiguration) {
    diagnostics_.push_back(
        {Severity::kError, place, std::move(key), std::move(reason), std::move(remedy), exit_code});
  }
  void warn(const Place& place, std::string key, std::string reason, std::string remedy) {
    diagnostics_.push_back(
        {Severity::kWarning, place, std::move(key), std::move(reason), std::move(remedy), 0});
  }

  void read_scalars() {
    ensemble_.init_limit = static_cast<int>(settings_.integer("initLimit", 0));
    ensemble_.sync_limit = static_cast<int>(settings_.integer("syncLimit", 0));
    ensemble_.standalone_enabled = settings_.boolean("standaloneEnabled", true);
    ensemble_.reconfig_enabled = settings_.boolean("reconfigEnabled", false);
    ensemble_.listen_on_all_ips = settings_.boolean("quorumListenOnAllIPs", false);
    if (settings_.integer("electionAlg", 3) != 3)
      settings_.fail("electionAlg", "Invalid electionAlg value. Only 3 is supported.", "remove the line");
    const std::string role = settings_.text("peerType", "participant");
    if (equal_ignoring_case(role, "observer")) {
      ensemble_.role = PeerRole::kObserver;
    } else if (!equal_ignoring_case(role, "participant")) {
      settings_.fail("peerType", fmt::format("Unrecognised peertype: {}", role),
                     "write participant or observer");
    }
    const std::string version = settings_.text("version", "0");
    const auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), ensemble_.version, 16);
    if (error != std::errc{} || end != version.data() + version.size())
      settings_.fail("version", fmt::format("\"{}\" is not a hexadecimal number", version),
                     "remove the line; reconfig writes it");
  }

  void collect_lines() {
    for (const KeyFamily family : {KeyFamily::kServer, KeyFamily::kGroup, KeyFamily::kWeight})
      for (auto& [key, setting] : settings_.family(family))
        lines_.push_back({key, setting.value, setting.place});
    if (!settings_.has("dynamicConfigFile")) return;
    for (const Line& line : lines_)
      fail(line.place, line.key,
           fmt::format("parameter: {} must be in a separate dynamic config file", line.key),
           "move the line to the file that dynamicConfigFile names");
    lines_.clear();
    const std::string& file = ensemble_.dynamic_file = settings_.text("dynamicConfigFile", "");
    const auto content = read_(file);
    if (!content)
      return settings_.fail("dynamicConfigFile",
                            fmt::format("Error processing {}: {}", file, content.error().message),
                            "name a file that this user can read");
    // The version is the end of the file's name: zoo.cfg.dynamic.1a2b.
    if (const std::size_t dot = file.rfind('.'); dot != std::string::npos) {
      std::int64_t version = 0;
      const char* const begin = file.data() + dot + 1;
      const char* const last = file.data() + file.size();
      if (const auto [end, error] = std::from_chars(begin, last, version, 16);
          error == std::errc{} && end == last)
        ensemble_.version = version;
    }
    for (Property& property : parse_properties(file, *content, diagnostics_)) {
      const Place place{file, property.line};
      const auto family = family_of(property.key);
      if (family == KeyFamily::kServer || family == KeyFamily::kGroup || family == KeyFamily::kWeight) {
        lines_.push_back({std::move(property.key), std::move(property.value), place});
      } else if (property.key == "version") {
        fail(place, property.key, "dynamic file shouldn't have version inside", "remove the line");
      } else {
        fail(place, property.key, fmt::format("Unrecognised parameter: {}", property.key),
             "this file may hold server.N, group.N and weight.N only");
      }
    }
  }

  void read_line(const Line& line) {
    const std::size_t dot = line.key.find('.');
    const auto number =
        parse_strict_long(dot == std::string::npos ? "" : std::string_view(line.key).substr(dot + 1));
    if (!number)
      return fail(line.place, line.key, "what follows the dot is not a number",
                  "write, for example, server.1");
    switch (*family_of(line.key)) {
      case KeyFamily::kServer:
        return read_server(line, ServerId{*number});
      case KeyFamily::kGroup:
        return read_group(line, *number);
      default:
        return read_weight(line, *number);
    }
  }

  void read_server(const Line& line, ServerId id) {
    auto server = parse_server_line(id, line.value);
    if (!server) {
      const std::string& message = server.error().message;
      const std::size_t cut = message.rfind("; ");
      std::string remedy = cut == std::string::npos ? "" : message.substr(cut + 2);
      if (line.value.find(" #") != std::string::npos)
        remedy = "put the comment on a line of its own, or start with --lenient";
      return fail(line.place, line.key, message.substr(0, cut), remedy);
    }
    if (server->addresses.size() > 1 && !settings_.boolean("multiAddress.enabled", false))
      return fail(
          line.place, line.key,
          fmt::format(
              "Multiple address feature is disabled, but multiple addresses were specified for sid {}",
              id.value),
          "set multiAddress.enabled=true");
    ensemble_.servers.push_back(*std::move(server));
  }

  void read_group(const Line& line, std::int64_t group) {
    ensemble_.hierarchical = true;
    std::string_view rest = line.value;
    while (!rest.empty()) {
      const std::size_t colon = rest.find(':');
      const auto id = parse_strict_long(rest.substr(0, colon));
      if (!id)
        return fail(line.place, line.key, fmt::format("\"{}\" is not a list of server ids", line.value),
                    "write ids separated by colons, for example 1:2:3");
      if (!grouped_.insert(*id).second)
        fail(line.place, line.key, fmt::format("Server {}is in multiple groups", *id),
             "name each server once");
      ensemble_.groups[group].push_back(ServerId{*id});
      rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    }
  }

  void read_weight(const Line& line, std::int64_t id) {
    ensemble_.hierarchical = true;
    const auto weight = parse_strict_int(line.value);
    if (!weight)
      return fail(line.place, line.key, fmt::format("\"{}\" is not a number", line.value),
                  "write a whole number");
    ensemble_.weights[id] = *weight;
  }

  void check_groups() {
    if (!ensemble_.hierarchical) return;
    for (const ServerLine& server : ensemble_.servers)
      if (server.role == PeerRole::kParticipant && !grouped_.contains(server.id.value))
        fail(settings_.place_of(fmt::format("server.{}", server.id.value)),
             fmt::format("server.{}", server.id.value),
             fmt::format("Server {}is not in a group", server.id.value),
             "add its id to one of the group lines");
  }

  /// False when the list of servers cannot be used at all.
  bool check_size() {
    const auto voters = std::ranges::count(ensemble_.servers, PeerRole::kParticipant, &ServerLine::role);
    const auto observers = std::ssize(ensemble_.servers) - voters;
    const Place place = lines_.empty() ? Place{config_.file, 0} : lines_.front().place;
    if (voters == 0) {
      if (observers > 0) {
        fail(place, "", "Observers w/o participants is an invalid configuration",
             "add lines of voting servers");
      } else if (!ensemble_.standalone_enabled) {
        settings_.fail("standaloneEnabled",
                       "standaloneEnabled = false then number of participants should be >0",
                       "add server.N lines, or remove standaloneEnabled");
      }
      return false;
    }
    if (voters == 1 && ensemble_.standalone_enabled) {
      if (observers > 0) {
        fail(place, "", "Observers w/o quorum is an invalid configuration", "add voting servers");
      } else {
        warn(place, "", "Invalid configuration, only one server specified (ignoring); it runs standalone",
             "remove the server line, or set standaloneEnabled=false");
        single_ = ensemble_.servers.front();
        ensemble_.servers.clear();
      }
      return false;
    }
    config_.distributed = true;
    if (voters <= 2) {
      warn(place, "", "No server failure will be tolerated. You need at least 3 servers.",
           "add voting servers");
    } else if (voters % 2 == 0) {
      warn(place, "", "Non-optimal configuration, consider an odd number of servers.",
           "an even number tolerates no more failures than one server less");
    }
    return true;
  }

  void read_my_id() {
    const std::string file = config_.storage.data_dir + "/myid";
    if (config_.storage.data_dir.empty()) return;
    const auto content = read_(file);
    if (!content && container_ && content.error().code == Errc::kNotFound) return take_assigned_id();
    if (!content) {
      if (config_.distributed)
        fail({file, 0}, "", fmt::format("myid file is missing: {}", content.error().message),
             "write this server's number, the N of its server.N line, into it");
      else if (single_ && single_->client && !config_.client)
        warn({file, 0}, "",
             fmt::format("cannot be read, so the client port {} of the line server.{} is not used, as in "
                         "Apache ZooKeeper ({})",
                         single_->client->port, single_->id.value, content.error().message),
             fmt::format("write {} into it, or set clientPort", single_->id.value));
      return;
    }
    std::string_view line = std::string_view(*content).substr(0, content->find_first_of("\r\n"));
    // Differs: blanks around the number are forgiven; Apache refuses a trailing one.
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    const auto id = parse_strict_long(line);
    if (!id)
      return fail({file, 1}, "", fmt::format("serverid {} is not a number", line.substr(0, 64)),
                  "write the N of this server's server.N line, alone, into the first line");
    // As in the official image, the file wins.
    if (container_ && container_->my_id && parse_strict_long(*container_->my_id) != id)
      warn(assigned_id(), "",
           fmt::format("it is \"{}\", and {} says {}, which counts", *container_->my_id, file, *id),
           "make both the same, or give this server another data folder");
    take_id(*id, {file, 1});
  }

  /// Without a myid file the image's entry point writes one. Differs: none is written here.
  void take_assigned_id() {
    const std::string written = container_->my_id.value_or("1");
    const auto id = parse_strict_long(written);
    if (!id)
      return fail(assigned_id(), "", fmt::format("\"{}\" is not a number", written),
                  "write the N of this server's server.N line");
    take_id(*id, assigned_id());
  }

  void take_id(std::int64_t id, const Place& place) {
    if (config_.distributed) config_.my_id = ServerId{id};
    if (!single_ || !single_->client) return;
    if (single_->id == ServerId{id}) return adopt_client(*single_);
    warn(place, "",
         fmt::format("the number is {}, and the only server line is server.{}: its client port is not used",
                     id, single_->id.value),
         "write the same number into both");
  }

  void check_distributed() {
    if (ensemble_.init_limit == 0)
      fail({config_.file, 0}, "initLimit", "initLimit is not set", "add, for example, initLimit=10");
    if (ensemble_.sync_limit == 0)
      fail({config_.file, 0}, "syncLimit", "syncLimit is not set", "add, for example, syncLimit=5");
    if (!config_.my_id) return;
    const auto self = std::ranges::find(ensemble_.servers, *config_.my_id, &ServerLine::id);
    if (self == ensemble_.servers.end())
      return fail({config_.storage.data_dir + "/myid", 1}, "",
                  fmt::format("My id {} not in the peer list", config_.my_id->value),
                  "write the number of one of the server.N lines into myid, or add the line",
                  kExitUnexpected);
    if (self->role != ensemble_.role && settings_.has("peerType"))
      settings_.warn("peerType", "it differs from the role in this server's server.N line, which counts",
                     "make both the same");
    ensemble_.role = self->role;
    if (self->client) adopt_client(*self);
  }

  void adopt_client(const ServerLine& self) {
    if (config_.client && !agree(*config_.client, *self.client))
      return fail(
          settings_.place_of("clientPort"), "clientPort",
          fmt::format("client address for this server (id = {}) in static config file is {}:{} is different "
                      "from client address found in dynamic file: {}:{}",
                      self.id.value, config_.client->host, config_.client->port, self.client->host,
                      self.client->port),
          "keep only one of the two");
    // Java binds any address for both families.
    config_.client = ListenAddress{is_any(self.client->host) ? "" : self.client->host, self.client->port};
  }

  Settings& settings_;
  const FileReader& read_;
  const std::optional<ContainerDefaults>& container_;
  Diagnostics& diagnostics_;
  Config& config_;
  Ensemble& ensemble_;
  std::vector<Line> lines_;
  std::set<std::int64_t> grouped_;
  std::optional<ServerLine> single_;
};

}  // namespace

void read_ensemble(Settings& settings, const FileReader& read,
                   const std::optional<ContainerDefaults>& container, Diagnostics& diagnostics,
                   Config& config) {
  EnsembleReader(settings, read, container, diagnostics, config).run();
}

}  // namespace wk::config
