// watchkeeper-exporter: the sidecar that watches ensembles and serves what it sees over HTTP.
//
// Thread: this one parses, starts everything, and waits for a signal. Exit status: 0 after SIGTERM, SIGINT or
// a hangup of the terminal that it was started from, 1 for a configuration that cannot be used or an address
// that cannot be listened on, 2 for bad flags.
#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/build_info.h"
#include "base/log.h"
#include "base/log_end.h"
#include "base/standard_descriptors.h"
#include "base/startup_memory.h"
#include "exporter/app/config.h"
#include "exporter/app/options.h"
#include "exporter/app/routes.h"
#include "exporter/app/tls_files.h"
#include "exporter/app/watcher.h"
#include "exporter/web/server.h"
#include "exporter/web/transport.h"
#include "exporter/web/web_config_file.h"

namespace wk::exporter {
namespace {

constexpr int kExitConfiguration = 1;
constexpr int kExitUsage = 2;
constexpr std::string_view kProgram = "watchkeeper-exporter";

/// What to run, from flags and file together.
struct Plan {
  std::vector<EnsembleSpec> ensembles;
  Settings settings;
  HttpOptions http;
  bool https = false;
  std::vector<std::string> warnings;
  std::vector<std::string> web_warnings;  ///< of the web configuration, which the server logs when it starts
};

/// A scrape builds megabytes of text on whatever HTTP thread takes it. With glibc's defaults each thread
/// would keep as much in an arena of its own, and the heap would stay as large as its largest moment: large
/// blocks would come from it once one has been freed. One arena keeps small blocks once (allocation is rare
/// enough for a shared lock); large ones go back to the system as soon as they are free, at the price of
/// touching their pages anew.
void keep_memory_small() {
  constexpr int kLarge = 512 * 1024;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, kLarge);
}

/// A line for standard error and the exit status that goes with it.
struct Failure {
  int status;
  std::string line;
};

int fail(const Failure& failure) {
  fmt::print(stderr, "{}\n", failure.line);
  return failure.status;
}

std::variant<Plan, Failure> make_plan(const Options& options) {
  Plan plan;
  if (options.ensemble) {
    if (const auto& tls = options.ensemble->members.front().tls) {
      if (const auto fault = check_tls_files(*tls)) {
        static constexpr std::array<std::string_view, 3> kFlags{"tls.ca-file", "tls.cert-file",
                                                                "tls.key-file"};
        return Failure{kExitUsage,
                       fmt::format("{}: --{}: {}", kProgram, kFlags.at(static_cast<std::size_t>(fault->file)),
                                   fault->message)};
      }
    }
    plan.ensembles.push_back(*options.ensemble);
    plan.settings = options.settings;
  } else {
    auto config = load_config(options.config_file);
    if (!config) return Failure{kExitConfiguration, config.error().message};
    plan.ensembles = std::move(config->ensembles);
    plan.settings = overlay(config->settings, options.settings);
  }
  if (plan.settings.listen_addresses.empty()) plan.settings.listen_addresses = {{"", kDefaultHttpPort}};
  plan.http.listen = plan.settings.listen_addresses;
  if (!options.web_config_file.empty()) {
    const auto web = load_active_web_config(options.web_config_file);
    if (!web) return Failure{kExitConfiguration, web.error().message};
    plan.http.web_config = options.web_config_file;
    plan.https = (*web)->tls != nullptr;
    plan.web_warnings = (*web)->config.warnings;
  }
  if (const auto possible = check_transport(plan.http.listen, plan.https); !possible)
    return Failure{kExitConfiguration, fmt::format("{}: {}", kProgram, possible.error().message)};
  for (const EnsembleSpec& ensemble : plan.ensembles)
    for (const TargetSpec& member : ensemble.members)
      if (member.tls && !member.tls->verify)
        plan.warnings.push_back(
            fmt::format("the certificate of {} in ensemble {} is not verified: anybody on the way can "
                        "pose as it; name a CA file instead of skipping the check",
                        member.name, ensemble.name));
  return plan;
}

std::string counted(const Plan& plan) {
  std::size_t members = 0;
  for (const EnsembleSpec& ensemble : plan.ensembles) members += ensemble.members.size();
  const std::size_t ensembles = plan.ensembles.size();
  return fmt::format("{} ensemble{} with {} member{}", ensembles, ensembles == 1 ? "" : "s", members,
                     members == 1 ? "" : "s");
}

std::string urls(const HttpServer& server, bool https) {
  std::string text;
  for (ListenAddress address : server.addresses()) {
    if (address.host.empty() || address.host == "0.0.0.0" || address.host == "::") address.host = "localhost";
    const std::string base = fmt::format("{}://{}", https ? "https" : "http", address.to_string());
    text += fmt::format(" {}/ {}/metrics", base, base);
  }
  return text;
}

/// SIGTERM, SIGINT and SIGHUP, taken synchronously by this thread; every thread started later inherits the
/// block.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// \param hangup_ends  SIGHUP is a signal to stop; else it is told and nothing more
void wait_for_stop(sigset_t signals, bool hangup_ends) {
  int signal = 0;
  while (sigwait(&signals, &signal) != 0 || (signal == SIGHUP && !hangup_ends)) {
    if (signal == SIGHUP)
      spdlog::info(
          "SIGHUP: there is nothing to reload by it; a changed web configuration is read again by itself, "
          "with its certificates, and a changed --config.file takes a restart");
    signal = 0;
  }
  spdlog::info("stopping on {}", signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "SIGHUP");
  // Unblocked with its default action, a second signal ends the process at once.
  if (!hangup_ends) sigdelset(&signals, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

/// \param signals  blocked by every thread
int run(Plan plan, const sigset_t& signals) {
  const bool hangup_ends = ends_with_terminal();
  std::signal(SIGPIPE, SIG_IGN);
  for (const std::string& warning : plan.warnings) spdlog::warn("{}", warning);

  Watcher watcher(plan.ensembles);
  HttpServer server(plan.http);
  Observations observations = observations_of(watcher.chronicle());
  observations.probe = [&watcher](const std::string& ensemble, const TargetSpec& target) {
    return watcher.probe(ensemble, target);
  };
  observations.http_stats = [&server] { return server.stats(); };
  Routes(observations, plan.ensembles, plan.settings).add_to(server);

  watcher.start();
  if (const auto started = server.start(); !started) {
    watcher.stop();
    return fail({kExitConfiguration, fmt::format("{}: {}", kProgram, started.error().message)});
  }
  fmt::print("{} {} watches {}:{}\n", kProgram, build_info().version, counted(plan),
             urls(server, plan.https));
  std::fflush(stdout);
  return_startup_memory();
  wait_for_stop(signals, hangup_ends);
  watcher.stop_probes();  // The server waits for requests under way, and a probe may take a minute.
  server.stop();
  watcher.stop();
  return 0;
}

int main_checked(std::span<const char* const> arguments) {
  const auto options = parse_options(arguments);
  if (!options) return fail({kExitUsage, fmt::format("{}: {}", kProgram, options.error().message)});
  const BuildInfo build = build_info();
  if (options->action == Options::Action::kHelp) {
    fmt::print("{}", options->text);
    return 0;
  }
  if (options->action == Options::Action::kVersion) {
    fmt::print("{} {} (revision {}, {})\n", kProgram, build.version, build.revision, build.compiler);
    return 0;
  }
  auto made = make_plan(*options);
  if (const auto* failure = std::get_if<Failure>(&made)) return fail(*failure);
  Plan& plan = std::get<Plan>(made);
  if (options->action == Options::Action::kCheck) {
    for (const auto* warnings : {&plan.web_warnings, &plan.warnings})
      for (const std::string& warning : *warnings) fmt::print(stderr, "warning: {}\n", warning);
    fmt::print("the configuration is valid: {}\n", counted(plan));
    return 0;
  }
  // Before the first thread, which is that of the log: one that does not block a signal would get it.
  const sigset_t signals = block_stop_signals();
  if (const auto logging = start_logging(options->log_level, options->log_format); !logging)
    return fail({kExitUsage, fmt::format("{}: --log.level: {}", kProgram, logging.error().message)});
  const int status = run(std::move(plan), signals);
  if (!end_logging()) ::_exit(status);
  return status;
}

}  // namespace
}  // namespace wk::exporter

int main(int argc, char** argv) {
  if (!wk::open_standard_descriptors()) return 1;  // There is nowhere to say why.
  wk::exporter::keep_memory_small();
  try {
    const std::vector<const char*> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return wk::exporter::main_checked(arguments);
  } catch (const std::exception& error) {
    wk::say(fmt::format("watchkeeper-exporter: cannot go on: {}\n", error.what()));
    wk::leave(1);
  }
}
