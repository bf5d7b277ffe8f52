// watchkeeperd: one member.
//
// Thread: this one parses, restores, and then is the core thread. Exit status as Apache's server: 0 after
// SIGTERM, SIGINT or a hangup of the terminal that it was started from, 1 unexpected error, 2 invalid
// invocation or configuration, 3 data directory, 4 AdminServer. Source: QuorumPeerMain.java,
// ZooKeeperServerMain.java; reference/configuration.md, section 1.4.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "base/log.h"
#include "base/log_end.h"
#include "base/open_descriptors.h"
#include "base/standard_descriptors.h"
#include "server/config/environment.h"
#include "server/config/load.h"
#include "server/config/properties.h"
#include "server/node/clean_up.h"
#include "server/node/command_routes.h"
#include "server/node/node.h"
#include "server/node/observatory.h"
#include "server/node/options.h"
#include "server/node/service_manager.h"
#include "server/node/settings.h"
#include "server/node/web.h"
#include "server/node/words.h"

extern char** environ;

namespace wk::node {
namespace {

constexpr int kExitUnexpected = 1;
constexpr int kExitInvalid = 2;
constexpr int kExitDataDirectory = 3;
constexpr int kExitAdminServer = 4;
/// How long a stop waits for work on the disk that can be done again.
constexpr std::chrono::seconds kStopPatience{3};

Result<std::string> read_small_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int code = errno;
    return Error{code == ENOENT ? Errc::kNotFound : Errc::kIo,
                 fmt::format("cannot read {}: {}", path, std::generic_category().message(code))};
  }
  std::string text(config::kConfigurationBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return Error{Errc::kIo, fmt::format("cannot read {}: it is no plain file", path)};
  if (text.size() > config::kConfigurationBytesMax)
    return Error{Errc::kTooLarge,
                 fmt::format("{} has more than {} bytes", path, config::kConfigurationBytesMax)};
  return text;
}

config::Environment environment() {
  config::Environment variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (const std::size_t equals = text.find('='); equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

config::Loaded load_configuration(const Options& options) {
  config::LoadRequest request{options.file, {}, options.lenient};
  config::Diagnostics early;
  if (options.environment) {
    const config::Environment variables = environment();
    request.overrides = config::overrides_from_environment(variables, early);
    request.container = config::defaults_from_environment(variables);
  }
  if (!options.arguments.empty()) {
    const auto positional = config::overrides_from_arguments(options.arguments);
    if (positional) request.overrides.insert(request.overrides.end(), positional->begin(), positional->end());
  }
  request.overrides.insert(request.overrides.end(), options.overrides.begin(), options.overrides.end());
  config::Loaded loaded = config::load(request, read_small_file);
  loaded.diagnostics.insert(loaded.diagnostics.begin(), early.begin(), early.end());
  if (config::exit_code(early) != 0) loaded.config.reset();
  if (loaded.config && loaded.config->distributed) {
    loaded.diagnostics.push_back({config::Severity::kError,
                                  {options.file, 0},
                                  "server.N",
                                  "several members are configured, and this version serves alone",
                                  "remove all server lines but one"});
    loaded.config.reset();
  }
  return loaded;
}

void log_diagnostics(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& one : diagnostics)
    spdlog::log(one.severity == config::Severity::kError     ? spdlog::level::err
                : one.severity == config::Severity::kWarning ? spdlog::level::warn
                                                             : spdlog::level::info,
                "{}", one.to_string());
}

int check(const config::Loaded& loaded) {
  for (const config::Diagnostic& one : loaded.diagnostics) fmt::print("{}\n", one.to_string());
  if (loaded.config) fmt::print("the configuration is valid\n");
  return loaded.config ? 0 : config::exit_code(loaded.diagnostics);
}

int fail(int code, std::string_view message) {
  spdlog::critical("{}", message);
  return code;
}

/// "HOST:PORT", the member's name on the page and in labels.
std::string member_name(const config::Config& config, std::uint16_t port) {
  const std::string host = config.client && !config.client->host.empty() ? config.client->host : "localhost";
  return endpoint_text(host, port);
}

/// nullptr when there is no HTTP here; an error only when the operator asked for it.
Result<std::unique_ptr<Web>> start_web(const config::Config& config, const Observatory& observatory,
                                       const Node& node) {
  if (!config.http) return std::unique_ptr<Web>();
  auto web = std::make_unique<Web>(*config.http, config.metric_families, observatory, node.commands());
  const auto started = web->start();
  if (started) return web;
  if (config.http->asked_for) return started.error();
  spdlog::warn("no /metrics and no page: {}; set metricsProvider.httpPort to a free port",
               started.error().message);
  return std::unique_ptr<Web>();
}

/// nullptr when the configuration does not ask for it.
Result<std::unique_ptr<exporter::HttpServer>> start_admin(const config::Config& config, const Node& node) {
  if (!config.admin) return std::unique_ptr<exporter::HttpServer>();
  auto server = admin_server(*config.admin, node.commands());
  if (const auto started = server->start(); !started) return started.error();
  spdlog::info("AdminServer: http://{}{}", server->addresses().front().to_string(),
               config.admin->command_url);
  return server;
}

/// \return  0, or 3 when the folders cannot be read
int purge(const config::Config& config, std::size_t retain) {
  const auto report = clean_up(storage::posix_file_system(), config, retain);
  if (!report) {
    fmt::print(stderr, "watchkeeperd: {}\n", report.error().message);
    return kExitDataDirectory;
  }
  for (const std::string& path : report->removed) fmt::print("Removing file: {}\n", path);
  for (const std::string& finding : report->findings) fmt::print(stderr, "{}\n", finding);
  return 0;
}

int serve(const config::Config& config, bool accept_loss) {
  std::signal(SIGPIPE, SIG_IGN);
  if (const auto limit = raise_descriptor_limit(); limit && limit->now > limit->before)
    spdlog::info("may have {} files open (the hard limit; the soft one was {})", limit->now, limit->before);
  const bool hangup_ends = ends_with_terminal();
  if (!hangup_ends)
    std::signal(SIGHUP, SIG_IGN);  // Recovery may take long, and the node takes it from there.
  const auto settings = replica_settings(config, Seeds::random_ones());
  if (!settings) return fail(kExitUnexpected, settings.error().message);
  storage::FileSystem& files = storage::posix_file_system();
  auto directories = storage::DataDirectories::open(files, directory_settings(config));
  if (!directories) return fail(kExitDataDirectory, directories.error().message);
  auto restored = restore(files, *directories, config, *settings, accept_loss);
  if (!restored) return fail(kExitUnexpected, restored.error().message);
  for (const std::string& finding : restored->findings) spdlog::warn("{}", finding);
  spdlog::info("restored: snapshot {}, {} transactions of the log, last zxid {}, {} znodes",
               restored->snapshot_name.empty() ? "none" : restored->snapshot_name,
               restored->report.transactions_replayed, restored->report.last.to_string(),
               restored->database->tree.node_count());
  const std::vector<std::string> losses = std::move(restored->losses);
  if (accept_loss && losses.empty())
    spdlog::warn("--accept-loss had nothing to give up; start without it from now on");

  Node node(config, files, *std::move(directories), *std::move(restored), *settings, hangup_ends);
  if (const auto bound = node.bind(); !bound)
    return fail(bound.error().code == Errc::kUnresolved ? kExitInvalid : kExitUnexpected,
                bound.error().message);
  std::unique_ptr<Observatory> observatory;
  std::unique_ptr<Web> web;
  if (config.observe) {
    observatory = std::make_unique<Observatory>(config.ensemble_name, member_name(config, node.client_port()),
                                                node.client_port(), directory_settings(config).data_dir);
    auto started = start_web(config, *observatory, node);
    if (!started) return fail(kExitUnexpected, started.error().message);
    web = *std::move(started);
  }
  const auto admin = start_admin(config, node);
  if (!admin)
    return fail(kExitAdminServer,
                fmt::format("AdminServer: {}; change admin.serverAddress or admin.serverPort, or set "
                            "admin.enableServer=false",
                            admin.error().message));
  if (observatory) {
    observatory->start(losses);
    node.observer().set_receiver(
        [&observatory](exporter::PollReport report) { observatory->observe(std::move(report)); });
    node.set_event_receiver(
        [&observatory](exporter::Event event) { observatory->observe(std::move(event)); });
  }

  const auto ready = [&] {
    std::string url = web ? fmt::format(", {}/", web->url()) : "";
    if (web && web->everywhere()) url += " on every address (metricsProvider.httpHost restricts it)";
    std::string status = fmt::format("serving as standalone: client port {}{}", node.client_port(), url);
    if (config.client) {
      spdlog::info("serving: client port {}{}", node.client_port(), url);
    } else {
      status = fmt::format("serves nobody: no client port is configured; set clientPort{}", url);
      spdlog::warn("{}", status);
    }
    // Whoever waits for the start is told also where no client can come: nothing more is going to happen.
    notify_service_manager(fmt::format("READY=1\nSTATUS={}\n", status));
  };
  Ending ending;
  try {
    ending = node.run(ready);
  } catch (const std::exception& error) {
    if (observatory) observatory->stop(fmt::format("cannot go on: {}", error.what()), false);
    throw;
  }
  notify_service_manager("STOPPING=1\n");
  if (observatory)
    observatory->stop(ending.exit_code == 0 ? "asked to stop" : ending.reason, ending.exit_code == 0);
  if (ending.exit_code != 0) fail(ending.exit_code, ending.reason);
  if (!node.stop_until(std::chrono::steady_clock::now() + kStopPatience)) {
    spdlog::warn(
        "work on the disk is still under way and is given up; nothing that was acknowledged is lost");
    leave(ending.exit_code);
  }
  return ending.exit_code;
}

int main_checked(std::span<const char* const> arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    fmt::print(stderr, "watchkeeperd: {}", options.error().message);
    return kExitInvalid;
  }
  if (options->action == Options::Action::kHelp) {
    fmt::print("{}", usage());
    return 0;
  }
  if (options->action == Options::Action::kVersion) {
    fmt::print("watchkeeperd {}\n", version_text());
    return 0;
  }
  const config::Loaded loaded = load_configuration(*options);
  if (options->action == Options::Action::kCheck) return check(loaded);
  if (const auto logging = start_logging(options->log_level, options->log_format.value_or(loaded.log_format));
      !logging) {
    fmt::print(stderr, "watchkeeperd: --log.level: {}\n", logging.error().message);
    return kExitInvalid;
  }
  if (options->action == Options::Action::kPurge && loaded.config)
    return purge(*loaded.config, options->snapshots_to_retain);
  log_diagnostics(loaded.diagnostics);
  int status = config::exit_code(loaded.diagnostics);
  if (loaded.config)
    status = serve(*loaded.config, options->accept_loss);
  else
    spdlog::critical("Invalid config, exiting abnormally");
  if (!end_logging()) ::_exit(status);
  return status;
}

}  // namespace
}  // namespace wk::node

int main(int argc, char** argv) {
  if (!wk::open_standard_descriptors()) return 1;  // There is nowhere to say why.
  try {
    const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return wk::node::main_checked(arguments);
  } catch (const std::exception& error) {
    wk::say(fmt::format("watchkeeperd: cannot go on: {}\n", error.what()));
    wk::leave(1);
  }
}
