#include "bench/load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace wk::bench {
namespace {

using Microseconds = std::chrono::duration<double, std::micro>;

double per_second(const Window& window) {
  return static_cast<double>(window.tally.operations()) /
         std::chrono::duration<double>(window.length).count();
}

double per_operation_us(std::chrono::nanoseconds time, std::uint64_t operations) {
  return operations == 0 ? 0 : Microseconds(time).count() / static_cast<double>(operations);
}

double microseconds(std::chrono::nanoseconds time) { return Microseconds(time).count(); }

std::string row(const std::string& name, const Window& window, const LatencyHistogram& latencies) {
  const std::uint64_t operations = latencies.count();
  return fmt::format(
      "{:<10} {:>12.0f} {:>10} {:>9.3f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f}\n", name,
      static_cast<double>(operations) / std::chrono::duration<double>(window.length).count(),
      window.server_cpu ? fmt::format("{:.3f}", per_operation_us(*window.server_cpu, operations)) : "-",
      per_operation_us(window.own_cpu, operations), microseconds(latencies.quantile(0.5)),
      microseconds(latencies.quantile(0.9)), microseconds(latencies.quantile(0.99)),
      microseconds(latencies.quantile(0.999)), microseconds(latencies.max()));
}

std::string description(const Plan& plan) {
  const std::string loop =
      plan.rate_per_s
          ? fmt::format("open loop, {} arrivals at {:.0f} a second",
                        plan.arrivals == Arrivals::kPoisson ? "Poisson" : "even", *plan.rate_per_s)
          : std::string("closed loop");
  return fmt::format("{}, {} connections, at most {} outstanding on each, {}, {} bytes of data, {} keys",
                     loop, plan.connections, plan.outstanding_max, plan.mix_text, plan.data_bytes, plan.keys);
}

}  // namespace

nlohmann::json latencies_json(const LatencyHistogram& latencies) {
  return {{"count", latencies.count()},
          {"mean", microseconds(latencies.mean())},
          {"p50", microseconds(latencies.quantile(0.5))},
          {"p90", microseconds(latencies.quantile(0.9))},
          {"p99", microseconds(latencies.quantile(0.99))},
          {"p999", microseconds(latencies.quantile(0.999))},
          {"max", microseconds(latencies.max())}};
}

Tally Report::total() const {
  Tally sum;
  for (const Window& window : windows) sum.merge(window.tally);
  return sum;
}

std::string table(const Plan& plan, const Report& report) {
  std::string text = description(plan) + "\n";
  text += fmt::format("{:<10} {:>12} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n", "window", "operations/s",
                      "server µs", " own µs", "  p50 µs", "  p90 µs", "  p99 µs", "p99.9 µs", "  max µs");
  Window sum;
  if (report.windows.front().server_cpu) sum.server_cpu.emplace(0);
  for (std::size_t i = 0; i < report.windows.size(); ++i) {
    const Window& window = report.windows[i];
    text += row(std::to_string(i + 1), window, window.tally.all());
    sum.length += window.length;
    sum.own_cpu += window.own_cpu;
    if (sum.server_cpu) *sum.server_cpu += window.server_cpu.value_or(std::chrono::nanoseconds{0});
    sum.tally.merge(window.tally);
  }
  if (report.windows.size() > 1) text += row("all", sum, sum.tally.all());
  const auto kinds = std::count_if(sum.tally.latencies.begin(), sum.tally.latencies.end(),
                                   [](const LatencyHistogram& kind) { return kind.count() > 0; });
  if (kinds > 1) {
    Window kind{sum.length, {}, std::nullopt, {}};
    for (std::size_t i = 0; i < sum.tally.latencies.size(); ++i) {
      const LatencyHistogram& latencies = sum.tally.latencies.at(i);
      if (latencies.count() > 0) text += row(std::string(kOperationNames.at(i)), kind, latencies);
    }
  }
  if (report.server_resident_bytes) {
    text +=
        fmt::format("server resident: {:.1f} MB\n", static_cast<double>(*report.server_resident_bytes) / 1e6);
  }
  if (report.backlog_max > plan.connections) {
    text += fmt::format("up to {} requests were due and had to wait for a free place\n", report.backlog_max);
  }
  for (const auto& [code, number] : sum.tally.errors)
    text += fmt::format("error code {}: {} replies\n", code, number);
  return text;
}

nlohmann::json json(const Plan& plan, const Report& report) {
  nlohmann::json windows = nlohmann::json::array();
  for (const Window& window : report.windows) {
    const std::uint64_t operations = window.tally.operations();
    nlohmann::json one{{"seconds", std::chrono::duration<double>(window.length).count()},
                       {"operations", operations},
                       {"operations_per_s", per_second(window)},
                       {"own_cpu_us_per_operation", per_operation_us(window.own_cpu, operations)},
                       {"latency_us", latencies_json(window.tally.all())}};
    if (window.server_cpu)
      one["server_cpu_us_per_operation"] = per_operation_us(*window.server_cpu, operations);
    windows.push_back(std::move(one));
  }
  const Tally total = report.total();
  nlohmann::json kinds = nlohmann::json::object();
  for (std::size_t i = 0; i < total.latencies.size(); ++i) {
    if (total.latencies.at(i).count() > 0)
      kinds[std::string(kOperationNames.at(i))] = latencies_json(total.latencies.at(i));
  }
  nlohmann::json errors = nlohmann::json::object();
  for (const auto& [code, number] : total.errors) errors[std::to_string(code)] = number;
  nlohmann::json document{{"what", description(plan)},
                          {"connections", plan.connections},
                          {"outstanding_max", plan.outstanding_max},
                          {"mix", plan.mix_text},
                          {"data_bytes", plan.data_bytes},
                          {"keys", plan.keys},
                          {"seed", plan.seed},
                          {"began", std::chrono::duration<double>(report.began.time_since_epoch()).count()},
                          {"windows", std::move(windows)},
                          {"latency_us", latencies_json(total.all())},
                          {"by_operation", std::move(kinds)},
                          {"errors", std::move(errors)},
                          {"backlog_max", report.backlog_max}};
  if (plan.rate_per_s) document["rate_per_s"] = *plan.rate_per_s;
  if (report.server_resident_bytes) document["server_resident_bytes"] = *report.server_resident_bytes;
  return document;
}

}  // namespace wk::bench
