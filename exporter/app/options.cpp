#include "exporter/app/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/near_miss.h"
#include "exporter/app/target_defaults.h"
#include "exporter/app/value_rules.h"

namespace wk::exporter {
namespace {

struct Flag {
  std::string_view name;   ///< without dashes
  std::string_view value;  ///< how the value is called in the help; empty for switches
  std::string_view group;
  std::string_view help;
  bool repeatable = false;
  bool of_list = false;  ///< says something about the members of --zookeeper
};

constexpr std::string_view kTargets = "What to watch";
constexpr std::string_view kTls = "TLS to the members of --zookeeper";
constexpr std::string_view kHttp = "What to serve";
constexpr std::string_view kProgram = "Program";

constexpr std::array kFlags{
    Flag{"zookeeper", "HOST:PORT[,...]", kTargets,
         "Members of one ensemble; IPv6 addresses in brackets; the port is 2181 when left out. May be "
         "repeated",
         true},
    Flag{"config.file", "FILE", kTargets, "YAML file with one or several ensembles, instead of --zookeeper"},
    Flag{"ensemble", "NAME", kTargets,
         "Name of the ensemble of --zookeeper: the label \"ensemble\" (default)", false, true},
    Flag{"canary", "off|read|write", kTargets,
         "Client operations through each member every second: sync and read; or also create, set, delete "
         "and a "
         "watch below /watchkeeper-canary (read)",
         false, true},
    Flag{"interval", "DURATION", kTargets, "Time from one visit to a member to the next, 20ms to 60s (1s)",
         false, true},
    Flag{"detail-interval", "DURATION", kTargets,
         "Time between visits that also ask for configuration, connections, directories and watches (10s)",
         false, true},
    Flag{"timeout", "DURATION", kTargets, "Deadline of one visit, 50ms to 60s (1s)", false, true},
    Flag{"admin-port", "PORT", kTargets, "Port of the members' AdminServer; not asked when left out", false,
         true},
    Flag{"prometheus-port", "PORT", kTargets,
         "Port of the members' own Prometheus endpoint; not asked when left out", false, true},
    Flag{"tls", "", kTls, "Speak TLS to the client port; any flag of this group implies it", false, true},
    Flag{"tls.ca-file", "FILE", kTls, "Trusted certificates, PEM (the system's)", false, true},
    Flag{"tls.cert-file", "FILE", kTls, "Own certificate, PEM", false, true},
    Flag{"tls.key-file", "FILE", kTls, "Key of the own certificate, PEM", false, true},
    Flag{"tls.server-name", "NAME", kTls, "Name expected in the members' certificates (each one's host)",
         false, true},
    Flag{"tls.insecure-skip-verify", "", kTls, "Accept any certificate", false, true},
    Flag{"listen-address", "[HOST]:PORT", kHttp, "Where to serve HTTP (:9141). May be repeated", true},
    Flag{"web.config.file", "FILE", kHttp,
         "TLS and basic authentication of the HTTP side, exporter-toolkit format"},
    Flag{"family.native", "", kHttp, "Metrics named watchkeeper_... (on)"},
    Flag{"family.zk", "", kHttp, "Metrics named zk_..., for existing dashboards and rules (on)"},
    Flag{"family.zookeeper39", "", kHttp, "Metrics named as ZooKeeper 3.9's own provider names them (off)"},
    Flag{"probe", "any|listed|off", kHttp, "Which targets /probe may visit (any)"},
    Flag{"check", "", kProgram, "Validate flags and files, and exit: 0 means that they can be used"},
    Flag{"log.level", "LEVEL", kProgram, "trace, debug, info, warn, error or critical (info)"},
    Flag{"log.format", "text|json", kProgram, "Form of the log on standard error (text)"},
    Flag{"help", "", kProgram, "Print this help and exit"},
    Flag{"version", "", kProgram, "Print the version and exit"},
};

constexpr std::string_view kExamples =
    "A value follows its flag after \"=\" or as the next argument. Defaults stand in parentheses.\n\n"
    "Examples:\n"
    "  watchkeeper-exporter --zookeeper=zk1:2181,zk2:2181,zk3:2181\n"
    "  watchkeeper-exporter --zookeeper=zk1,zk2,zk3 --ensemble=production --admin-port=8080 --canary=write\n"
    "  watchkeeper-exporter --zookeeper=zk1:2281 --tls.ca-file=ca.pem --tls.cert-file=me.pem "
    "--tls.key-file=me.key\n"
    "  watchkeeper-exporter --config.file=/etc/watchkeeper/exporter.yaml --check\n\n"
    "Exit status: 0 after SIGTERM, SIGINT or the end of its terminal, 1 for a bad configuration or an "
    "address in use, 2 for bad "
    "flags.\n"
    "Reference: docs/EXPORTER.md";

bool is_family(const Flag& flag) { return flag.name.starts_with("family."); }

/// Every spelling that the command line takes, for "did you mean".
std::vector<std::string_view> known_spellings() {
  static const std::vector<std::string> kNegated = [] {
    std::vector<std::string> names;
    for (const Flag& flag : kFlags)
      if (is_family(flag)) names.push_back(fmt::format("no-{}", flag.name));
    return names;
  }();
  std::vector<std::string_view> spellings(kNegated.begin(), kNegated.end());
  for (const Flag& flag : kFlags) spellings.push_back(flag.name);
  return spellings;
}

Error usage(std::string message) { return {Errc::kInvalidInput, std::move(message)}; }

/// The flags as they were given: name → values in order. CLI11 splits the arguments; what values mean is
/// decided here, so that every message has one form.
class Given {
 public:
  [[nodiscard]] bool has(std::string_view flag) const { return values_.contains(flag); }
  [[nodiscard]] std::string text(std::string_view flag) const {
    return has(flag) ? values_.find(flag)->second.back() : "";
  }
  [[nodiscard]] const std::vector<std::string>& all(std::string_view flag) const {
    static const std::vector<std::string> kNone;
    return has(flag) ? values_.find(flag)->second : kNone;
  }
  void put(std::string_view flag, std::vector<std::string> values) {
    values_[std::string(flag)] = std::move(values);
  }

  /// Reads the flag with `parse` into `out` when it was given.
  template <typename T, typename Parse>
  Result<void> read(std::string_view flag, Parse parse, T& out) const {
    if (!has(flag)) return {};
    auto parsed = parse(text(flag));
    if (!parsed) return bad(flag, parsed.error());
    out = *std::move(parsed);
    return {};
  }

  static Error bad(std::string_view flag, const Error& error) {
    return usage(fmt::format("--{}: {}", flag, error.message));
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

/// An argument that CLI11 could not place.
Error misplaced(const std::string& argument) {
  if (!argument.starts_with('-'))
    return usage(fmt::format("unexpected argument \"{}\"; members are given as --zookeeper={}",
                             printable(argument, 80), printable(argument, 80)));
  std::string_view word = argument;
  while (word.starts_with('-')) word.remove_prefix(1);
  const auto equals = word.find('=');
  const std::string_view bare = word.substr(0, equals);
  const auto known = known_spellings();
  const std::string_view near = near_miss(bare, known);
  if (near.empty())
    return usage(fmt::format("unknown flag \"{}\"; --help lists all flags",
                             printable(argument.substr(0, argument.find('=')), 80)));
  return usage(fmt::format("unknown flag \"{}\"; did you mean --{}?",
                           printable(argument.substr(0, argument.find('=')), 80), near));
}

/// What CLI11 found wrong, in our words. Its messages begin with the flag.
Error translated(const CLI::ParseError& error) {
  const std::string_view what = error.what();
  const std::string_view flag = what.substr(0, what.find_first_of(": "));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    for (const Flag& each : kFlags)
      if (flag == fmt::format("--{}", each.name) && !each.value.empty())
        return usage(fmt::format("{}: the value is missing; write {}={}", flag, flag, each.value));
  }
  return usage(fmt::format("{}; --help shows how flags are written", printable(what)));
}

/// The first flag whose value is missing, or nullptr: "--flag=" and "--flag" with another flag, or nothing,
/// behind it. CLI11 would take the next argument for the value.
const Flag* flag_without_value(std::span<const char* const> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    for (const Flag& flag : kFlags) {
      if (flag.value.empty() || !argument.starts_with("--") || !argument.substr(2).starts_with(flag.name))
        continue;
      const std::string_view rest = argument.substr(2 + flag.name.size());
      if (rest == "=") return &flag;
      if (rest.empty() && (i + 1 == arguments.size() || std::string_view(arguments[i + 1]).starts_with("--")))
        return &flag;
    }
  }
  return nullptr;
}

struct Parsed {
  Given given;
  std::string help;
};

Result<Parsed> split(std::span<const char* const> arguments) {
  CLI::App app{"Watches ensembles of ZooKeeper: metrics for Prometheus, a status document, and a page.",
               "watchkeeper-exporter"};
  app.set_help_flag();
  app.allow_extras();
  app.footer(std::string(kExamples));
  std::map<std::string_view, CLI::Option*> options;
  std::map<std::string_view, std::vector<std::string>> values;
  std::map<std::string_view, bool> switches;
  for (const Flag& flag : kFlags) {
    const std::string help(flag.help);
    std::string spelling = fmt::format("--{}", flag.name);
    if (!flag.value.empty()) {
      options[flag.name] = app.add_option(spelling, values[flag.name], help)
                               ->type_name(std::string(flag.value))
                               ->expected(1)
                               ->allow_extra_args(false)
                               ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    } else {
      if (is_family(flag)) spelling += fmt::format(",!--no-{}", flag.name);
      options[flag.name] = app.add_flag(spelling, switches[flag.name], help);
    }
    options[flag.name]->group(std::string(flag.group));
  }
  if (const Flag* flag = flag_without_value(arguments); flag != nullptr)
    return usage(
        fmt::format("--{}: the value is missing; write --{}={}", flag->name, flag->name, flag->value));
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return translated(error);
  }
  if (const auto rest = app.remaining(); !rest.empty()) return misplaced(rest.front());
  Parsed parsed;
  for (const Flag& flag : kFlags) {
    if (options[flag.name]->count() == 0) continue;
    if (flag.value.empty()) {
      parsed.given.put(flag.name, {switches[flag.name] ? "true" : "false"});
      continue;
    }
    if (values[flag.name].size() > 1 && !flag.repeatable)
      return usage(fmt::format("--{}: given {} times (\"{}\" and \"{}\"); write it once", flag.name,
                               values[flag.name].size(), printable(values[flag.name][0], 80),
                               printable(values[flag.name][1], 80)));
    parsed.given.put(flag.name, values[flag.name]);
  }
  if (parsed.given.text("help") == "true") parsed.help = app.help();
  return parsed;
}

Result<std::optional<TlsSpec>> read_tls(const Given& given) {
  TlsSpec tls;
  bool on = given.text("tls") == "true";
  for (const Flag& flag : kFlags) {
    // A switch that is written off ("--tls.insecure-skip-verify=false") asks for nothing.
    if (flag.group != kTls || !given.has(flag.name) ||
        (flag.value.empty() && given.text(flag.name) == "false"))
      continue;
    if (given.text("tls") == "false")
      return usage(fmt::format("--tls=false and --{} exclude each other; remove one of them", flag.name));
    on = true;
  }
  if (!on) return std::optional<TlsSpec>{};
  tls.ca_file = given.text("tls.ca-file");
  tls.cert_file = given.text("tls.cert-file");
  tls.key_file = given.text("tls.key-file");
  if (auto read = given.read("tls.server-name", parse_server_name, tls.server_name); !read)
    return read.error();
  tls.verify = given.text("tls.insecure-skip-verify") != "true";
  if (auto pair = check_certificate_pair(tls); !pair)
    return Given::bad(tls.key_file.empty() ? "tls.cert-file" : "tls.key-file", pair.error());
  return std::optional<TlsSpec>(std::move(tls));
}

Result<EnsembleSpec> read_ensemble(const Given& given) {
  EnsembleSpec spec;
  TargetDefaults defaults;
  if (auto read = given.read("ensemble", parse_ensemble_name, spec.name); !read) return read.error();
  if (auto read = given.read("canary", parse_canary_mode, spec.canary); !read) return read.error();
  if (auto read = given.read("interval", parse_interval, spec.interval); !read) return read.error();
  spec.detail_interval = std::max(spec.detail_interval, spec.interval);
  if (auto read = given.read("detail-interval", parse_detail_interval, spec.detail_interval); !read)
    return read.error();
  if (spec.detail_interval < spec.interval)
    return usage(fmt::format("--detail-interval: \"{}\" is shorter than the interval; write at least {}ms",
                             printable(given.text("detail-interval"), 40), spec.interval.count()));
  if (auto read = given.read("timeout", parse_timeout, defaults.timeout); !read) return read.error();
  if (auto read = given.read("admin-port", parse_port, defaults.admin_port); !read) return read.error();
  if (auto read = given.read("prometheus-port", parse_port, defaults.prometheus_port); !read)
    return read.error();
  auto tls = read_tls(given);
  if (!tls) return tls.error();
  defaults.tls = *std::move(tls);

  std::set<std::string, std::less<>> names;
  for (const std::string& list : given.all("zookeeper")) {
    for (std::size_t begin = 0; begin <= list.size();) {
      const auto comma = std::min(list.find(',', begin), list.size());
      auto target = make_target(std::string_view(list).substr(begin, comma - begin), defaults);
      if (!target) return Given::bad("zookeeper", target.error());
      if (!names.insert(target->name).second)
        return usage(
            fmt::format("--zookeeper: \"{}\" is listed twice; write each member once", target->name));
      if (spec.members.size() == kMemberLimit)
        return usage(fmt::format(
            "--zookeeper: more than {} members; split them into ensembles with --config.file", kMemberLimit));
      spec.members.push_back(*std::move(target));
      begin = comma + 1;
    }
  }
  return spec;
}

Result<Settings> read_settings(const Given& given) {
  Settings settings;
  for (const std::string& text : given.all("listen-address")) {
    auto address = parse_listen_address(text);
    if (!address) return Given::bad("listen-address", address.error());
    if (std::ranges::find(settings.listen_addresses, *address) != settings.listen_addresses.end())
      return usage(fmt::format("--listen-address: \"{}\" is given twice; write each address once",
                               printable(text, 80)));
    if (settings.listen_addresses.size() == kListenAddressLimit)
      return usage(
          fmt::format("--listen-address: more than {} addresses; leave some out", kListenAddressLimit));
    settings.listen_addresses.push_back(*std::move(address));
  }
  const auto choice = [&](std::string_view flag) {
    return given.has(flag) ? std::optional<bool>(given.text(flag) == "true") : std::nullopt;
  };
  settings.families = {choice("family.native"), choice("family.zk"), choice("family.zookeeper39")};
  if (auto read = given.read("probe", parse_probe_policy, settings.probe); !read) return read.error();
  return settings;
}

Result<std::string> parse_log_level(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info",
                                                           "warn",  "error", "critical"};
  if (std::ranges::find(kLevels, text) != kLevels.end()) return std::string(text);
  return usage(fmt::format("\"{}\" is no log level; write {}{}", printable(text, 40),
                           fmt::join(kLevels, ", "), did_you_mean(text, kLevels)));
}

Result<LogFormat> parse_log_format(std::string_view text) {
  if (text == "text") return LogFormat::kText;
  if (text == "json") return LogFormat::kJson;
  return usage(fmt::format("\"{}\" is no log format; write text or json", printable(text, 40)));
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  auto parsed = split(arguments);
  if (!parsed) return parsed.error();
  const Given& given = parsed->given;
  Options options;
  if (!parsed->help.empty()) {
    options.action = Options::Action::kHelp;
    options.text = std::move(parsed->help);
    return options;
  }
  if (given.text("version") == "true") {
    options.action = Options::Action::kVersion;
    return options;
  }
  if (given.text("check") == "true") options.action = Options::Action::kCheck;
  options.config_file = given.text("config.file");
  options.web_config_file = given.text("web.config.file");
  if (auto read = given.read("log.level", parse_log_level, options.log_level); !read) return read.error();
  if (auto read = given.read("log.format", parse_log_format, options.log_format); !read) return read.error();
  auto settings = read_settings(given);
  if (!settings) return settings.error();
  options.settings = *std::move(settings);

  if (given.has("zookeeper")) {
    if (given.has("config.file"))
      return usage(
          "--zookeeper and --config.file exclude each other; list the members in the file or leave it out");
    auto ensemble = read_ensemble(given);
    if (!ensemble) return ensemble.error();
    options.ensemble = *std::move(ensemble);
    return options;
  }
  if (!given.has("config.file"))
    return usage(
        "nothing to watch; write --zookeeper=HOST:PORT[,...] or --config.file=FILE (--help shows examples)");
  for (const Flag& flag : kFlags)
    if (flag.of_list && given.has(flag.name))
      return usage(fmt::format(
          "--{} says something about the members of --zookeeper; with --config.file write it into "
          "the file, under its ensemble",
          flag.name));
  return options;
}

}  // namespace wk::exporter
