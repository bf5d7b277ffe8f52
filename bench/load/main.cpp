// wk_load: a load for ZooKeeper servers over the raw client protocol.
//
// A first word that names a scenario runs that instead of a load (scenario.h).
// Thread: this one reads the command line, opens the sessions, makes the znodes, and looks at the server's
// CPU clock at each window's border; the others (one a Driver) make the load. Exit status: 0 measured, 1
// measured with error replies, 2 the load could not be made (a server refused, broke off or answered
// nonsense; bad flags).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/load/descriptors.h"
#include "bench/load/driver.h"
#include "bench/load/plan.h"
#include "bench/load/process_cost.h"
#include "bench/load/report.h"
#include "bench/load/scenario.h"
#include "bench/load/session.h"

namespace wk::bench {
namespace {

constexpr int kExitErrors = 1;
constexpr int kExitFailed = 2;
constexpr std::size_t kConnectionsMax = 60'000;
constexpr std::chrono::milliseconds kHeadStart{20};

void add_options(CLI::App& app, Plan& plan, std::string& arrivals, double& warm_up_s, double& window_s,
                 double& session_timeout_s) {
  app.add_option("servers", plan.servers,
                 "host:port of one or more members; connections are spread over them")
      ->required();
  app.add_option("-c,--connections", plan.connections)->check(CLI::Range(std::size_t{1}, kConnectionsMax));
  app.add_option("-o,--outstanding", plan.outstanding_max, "requests under way on each connection")
      ->check(CLI::Range(1, 100'000));
  app.add_option(
      "-m,--mix", plan.mix_text,
      "operations and their shares, as in get=90,set=10; there are get, exists, set, create, delete, sync");
  app.add_option("-d,--data-bytes", plan.data_bytes)->check(CLI::Range(0, 1'000'000));
  app.add_option("-k,--keys", plan.keys, "znodes that get, exists and set choose from")
      ->check(CLI::Range(1, 9'999'999));
  app.add_option("--root", plan.root, "where all znodes are made");
  app.add_option("-t,--threads", plan.threads)->check(CLI::Range(1, 64));
  app.add_option("--warm-up", warm_up_s, "seconds before the first window")->check(CLI::NonNegativeNumber);
  app.add_option("--window", window_s, "seconds of each window")->check(CLI::PositiveNumber);
  app.add_option("-w,--windows", plan.windows)->check(CLI::Range(1, 1000));
  auto* operations = app.add_option("-n,--operations", plan.operations,
                                    "stop after so many, measured as one window without warm-up");
  app.add_option("-r,--rate", plan.rate_per_s, "open loop: arrivals a second, which wait for nothing")
      ->check(CLI::PositiveNumber)
      ->excludes(operations);
  app.add_option("--arrivals", arrivals, "of the open loop: poisson or even")
      ->check(CLI::IsMember({"poisson", "even"}));
  app.add_option("--session-timeout", session_timeout_s, "seconds")->check(CLI::PositiveNumber);
  app.add_option("-p,--server-pid", plan.server_pids, "processes whose CPU time is measured");
  app.add_option("--seed", plan.seed);
  app.add_option("-j,--json", plan.json_file, "write the result to this file; - is standard output");
  app.add_flag("-q,--quiet", plan.quiet, "no table");
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
}

/// Sleeps from border to border of the windows and reads the clocks there.
Result<void> watch_costs(const Plan& plan, const Schedule& schedule, Report& report) {
  const auto read = [&]() -> Result<std::pair<std::chrono::nanoseconds, std::chrono::nanoseconds>> {
    const auto server = cpu_time(plan.server_pids);
    if (!server) return server.error();
    return std::pair(*server, own_cpu_time());
  };
  std::this_thread::sleep_until(schedule.measuring_begin);
  auto before = read();
  if (!before) return before.error();
  for (std::size_t i = 0; i < schedule.windows; ++i) {
    std::this_thread::sleep_until(schedule.measuring_begin +
                                  static_cast<std::int64_t>(i + 1) * schedule.window);
    auto after = read();
    if (!after) return after.error();
    if (!plan.server_pids.empty()) report.windows[i].server_cpu = after->first - before->first;
    report.windows[i].own_cpu = after->second - before->second;
    report.windows[i].length = schedule.window;
    before = after;
  }
  return {};
}

class Load {
 public:
  explicit Load(const Plan& plan) : plan_(plan) {}

  Result<Report> run() {
    if (auto allowed = allow_descriptors(plan_.connections + 64); !allowed) return allowed.error();
    auto sessions = open_sessions(plan_);
    if (!sessions) return sessions.error();
    if (auto prepared = prepare_znodes(sessions->front(), plan_); !prepared) return prepared.error();
    make_drivers(std::move(*sessions));
    Report report;
    report.windows.resize(plan_.operations ? 1 : plan_.windows);
    if (auto measured = plan_.operations ? measure_count(report) : measure_time(report); !measured) {
      return measured.error();
    }
    collect(report);
    for (auto& driver : drivers_) {
      for (Session& session : driver->sessions()) session.say_goodbye();
    }
    return report;
  }

 private:
  void make_drivers(std::vector<Session> sessions) {
    const std::size_t threads = std::min(plan_.threads, plan_.connections);
    const auto run = static_cast<std::uint32_t>(std::random_device{}());
    std::size_t first = 0;
    for (std::size_t i = 0; i < threads; ++i) {
      const std::size_t end = plan_.connections * (i + 1) / threads;
      std::vector<Session> own(std::move_iterator(sessions.begin() + static_cast<std::ptrdiff_t>(first)),
                               std::move_iterator(sessions.begin() + static_cast<std::ptrdiff_t>(end)));
      drivers_.push_back(std::make_unique<Driver>(plan_, std::move(own), first, share_of(first, end), run));
      first = end;
    }
  }

  /// What the driver of the connections first … end - 1 does; the shares of all add up to the plan.
  [[nodiscard]] Share share_of(std::size_t first, std::size_t end) const {
    Share share;
    share.rate_per_s = plan_.rate_per_s.value_or(0) * static_cast<double>(end - first) /
                       static_cast<double>(plan_.connections);
    const auto below = [this](std::size_t connection) {
      return *plan_.operations / plan_.connections * connection +
             *plan_.operations % plan_.connections * connection / plan_.connections;
    };
    share.operations =
        plan_.operations ? below(end) - below(first) : std::numeric_limits<std::uint64_t>::max();
    return share;
  }

  /// Runs every driver in a thread of its own; `meanwhile` runs in this one.
  template <typename Work>
  Result<void> run_drivers(const Schedule& schedule, Work meanwhile) {
    std::vector<Result<void>> results(drivers_.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < drivers_.size(); ++i) {
      threads.emplace_back([this, &schedule, &results, i] { results[i] = drivers_[i]->run(schedule); });
    }
    const Result<void> done = meanwhile();
    for (std::jthread& thread : threads) thread.join();
    for (const Result<void>& result : results) {
      if (!result) return result;
    }
    return done;
  }

  Result<void> measure_time(Report& report) {
    const auto head_start = kHeadStart + plan_.warm_up;
    const Schedule schedule{Clock::now() + head_start, plan_.window, plan_.windows};
    report.began = std::chrono::system_clock::now() + head_start;
    return run_drivers(schedule, [&] { return watch_costs(plan_, schedule, report); });
  }

  Result<void> measure_count(Report& report) {
    const auto own_before = own_cpu_time();
    report.began = std::chrono::system_clock::now();
    const Clock::time_point begin = Clock::now();
    const Schedule schedule{begin, std::chrono::hours{24}, 1};
    const auto server =
        cpu_time_of(plan_.server_pids, [&] { return run_drivers(schedule, [] { return Result<void>{}; }); });
    if (!server) return server.error();
    Window& window = report.windows.front();
    window.length = Clock::now() - begin;
    window.own_cpu = own_cpu_time() - own_before;
    if (!plan_.server_pids.empty()) window.server_cpu = *server;
    return {};
  }

  void collect(Report& report) const {
    for (const auto& driver : drivers_) {
      for (std::size_t i = 0; i < report.windows.size(); ++i)
        report.windows[i].tally.merge(driver->tallies()[i]);
      report.backlog_max += driver->backlog_max();
    }
    for (const int process : plan_.server_pids) {
      if (const auto bytes = resident_bytes(process)) {
        report.server_resident_bytes = report.server_resident_bytes.value_or(0) + *bytes;
      }
    }
  }

  const Plan& plan_;
  std::vector<std::unique_ptr<Driver>> drivers_;
};

int print(const Plan& plan, const Report& report) {
  if (!plan.quiet) fmt::print("{}", table(plan, report));
  if (plan.json_file == "-") {
    fmt::print("{}\n", json(plan, report).dump(1));
  } else if (!plan.json_file.empty()) {
    std::ofstream file(plan.json_file);
    file << json(plan, report).dump(1) << '\n';
    if (!file.flush()) {
      fmt::print(stderr, "wk_load: cannot write {}\n", plan.json_file);
      return kExitFailed;
    }
  }
  return report.total().errors.empty() ? 0 : kExitErrors;
}

int main_with(int argc, char** argv) {
  if (argc > 1 && is_scenario(argv[1])) return run_scenario(argc, argv);
  Plan plan;
  std::string arrivals = "poisson";
  double warm_up_s = 2;
  double window_s = 2;
  double session_timeout_s = 30;
  CLI::App app(
      "A load for ZooKeeper servers: closed or open loop, many connections, latencies and the server's CPU.",
      "wk_load");
  app.footer(
      fmt::format("Scenarios for crowds of sessions: wk_load NAME --help; there are {}.", scenario_names()));
  add_options(app, plan, arrivals, warm_up_s, window_s, session_timeout_s);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitFailed;
  }
  plan.arrivals = arrivals == "even" ? Arrivals::kEven : Arrivals::kPoisson;
  plan.warm_up = milliseconds(warm_up_s);
  plan.window = milliseconds(window_s);
  plan.session_timeout = milliseconds(session_timeout_s);
  const auto mix = parse_mix(plan.mix_text);
  if (!mix) {
    fmt::print(stderr, "wk_load: {}\n", mix.error().message);
    return kExitFailed;
  }
  plan.mix = *mix;
  const auto report = Load(plan).run();
  if (!report) {
    fmt::print(stderr, "wk_load: {}\n", report.error().message);
    return kExitFailed;
  }
  return print(plan, *report);
}

}  // namespace
}  // namespace wk::bench

int main(int argc, char** argv) { return wk::bench::main_with(argc, argv); }
