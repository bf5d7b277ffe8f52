#include "bench/load/scenario.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "bench/load/descriptors.h"

namespace wk::bench {
namespace {

constexpr int kExitFailed = 2;
constexpr std::size_t kSessionsMax = 200'000;
constexpr std::size_t kOtherDescriptors = 128;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

/// Adds an option in seconds that is kept in milliseconds.
void add_seconds(CLI::App& app, const std::string& flags, std::chrono::milliseconds& value,
                 const std::string& what) {
  app.add_option_function<double>(
         flags, [&value](double seconds) { value = milliseconds(seconds); }, what + ", in seconds")
      ->check(CLI::PositiveNumber);
}

void add_memory_and_windows(CLI::App& app, ScenarioPlan& plan) {
  add_seconds(app, "--window", plan.window, "length of a window");
  app.add_option("-w,--windows", plan.windows)->check(CLI::Range(0, 100'000));
}

void add_hold(CLI::App& app, ScenarioPlan& plan) {
  add_memory_and_windows(app, plan);
  app.add_option("--watches", plan.watches, "that each session sets")->check(CLI::Range(0, 10'000'000));
  app.add_flag("--own-paths", plan.own_paths, "no two watches are on one path");
}

void add_rounds(CLI::App& app, ScenarioPlan& plan) {
  app.add_option("--rounds", plan.rounds)->check(CLI::Range(1, 10'000));
  add_seconds(app, "--pause", plan.pause, "rest before each round");
}

void add_others(CLI::App& app, ScenarioPlan& plan) {
  app.add_option("--others-rate", plan.others_per_s,
                 "requests a second of clients that have nothing to do with it")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--others-mix", plan.others_mix, "their operations, as --mix of a plain load");
}

void add_watchers(CLI::App& app, ScenarioPlan& plan) {
  add_rounds(app, plan);
  add_others(app, plan);
}

void add_expiry(CLI::App& app, ScenarioPlan& plan) {
  app.add_option("--ephemerals", plan.ephemerals, "that each session owns")->check(CLI::Range(1, 10'000));
  add_seconds(app, "--pause", plan.pause, "quiet before they fall silent");
  add_others(app, plan);
}

void add_churn(CLI::App& app, ScenarioPlan& plan) {
  add_memory_and_windows(app, plan);
  app.add_option("-r,--rate", plan.rate_per_s, "lives that begin each second; 0: as many as can")
      ->check(CLI::NonNegativeNumber);
}

struct Scenario {
  const char* name;
  const char* description;
  void (*add_options)(CLI::App& app, ScenarioPlan& plan);
  Result<void> (*run)(const ScenarioPlan& plan, nlohmann::json& document);
};

constexpr std::array kScenarios{
    Scenario{"hold", "Sessions that sit and ping, with watches when asked for.", add_hold, hold},
    Scenario{"watchers", "All sessions watch one znode, which changes.", add_watchers, watchers},
    Scenario{"comeback", "All connections break at once, and all sessions come back.", add_rounds, comeback},
    Scenario{"expiry", "All sessions with their ephemerals expire together.", add_expiry, expiry},
    Scenario{"churn", "Short lives: sessions that open, make, watch, hear, close, resume, vanish.", add_churn,
             churn},
};

const Scenario* find(std::string_view word) {
  const auto* const found = std::find_if(kScenarios.begin(), kScenarios.end(),
                                         [word](const Scenario& scenario) { return scenario.name == word; });
  return found == kScenarios.end() ? nullptr : found;
}

}  // namespace

bool is_scenario(std::string_view word) { return find(word) != nullptr; }

std::string scenario_names() {
  std::string names;
  for (const Scenario& scenario : kScenarios)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", scenario.name);
  return names;
}

int run_scenario(int argc, char** argv) {
  const Scenario& scenario = *find(argv[1]);
  ScenarioPlan plan;
  CLI::App app(scenario.description, fmt::format("wk_load {}", scenario.name));
  app.add_option("servers", plan.servers, "host:port of one or more members; sessions are spread over them")
      ->required();
  app.add_option("-c,--sessions", plan.sessions)->check(CLI::Range(std::size_t{1}, kSessionsMax));
  app.add_option("--at-once", plan.at_once, "sessions that are being opened at one time")
      ->check(CLI::Range(std::size_t{1}, kSessionsMax));
  add_seconds(app, "--session-timeout", plan.session_timeout, "what the sessions ask for");
  app.add_option("--root", plan.root, "where all znodes are made");
  app.add_option("-p,--server-pid", plan.server_pids, "processes whose memory and CPU time are told");
  scenario.add_options(app, plan);
  try {
    app.parse(argc - 1, argv + 1);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitFailed;
  }
  nlohmann::json document;
  auto done = allow_descriptors(plan.sessions + kOtherDescriptors);
  if (done) done = scenario.run(plan, document);
  if (!done) {
    fmt::print(stderr, "wk_load {}: {}\n", scenario.name, done.error().message);
    return kExitFailed;
  }
  fmt::print("{}\n", document.dump(1));
  return 0;
}

}  // namespace wk::bench
