// Snapshots and look-ups for the tests of the catalogue.
#pragma once

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "exporter/catalogue/catalogue.h"
#include "exporter/model/internals.h"
#include "exporter/model/view.h"

namespace wk::exporter::test {

using namespace std::chrono_literals;

/// The moment of every test: one hour and a bit after both clocks began.
inline Moment noon() {
  return {std::chrono::steady_clock::time_point{1h}, std::chrono::system_clock::time_point{1'700'000'000s}};
}

inline std::string golden(const std::string& path) {
  std::ifstream in(std::string(WK_SOURCE_DIR "/tests/golden/") + path, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << path;
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline Measurement number(std::string_view metric, double value, std::string key = {}) {
  const auto* row = find_zk_metric(metric);
  EXPECT_NE(row, nullptr) << metric;
  return {row, std::move(key), value};
}

inline SummaryValue summary_value(double count, double sum) {
  SummaryValue value;
  value.count = count;
  value.sum = sum;
  return value;
}

inline Measurement summary(std::string_view metric, SummaryValue value, std::string key = {}) {
  const auto* row = find_zk_metric(metric);
  EXPECT_NE(row, nullptr) << metric;
  return {row, std::move(key), std::move(value)};
}

inline void sort_measurements(StatusAnswer& status) {
  std::ranges::sort(status.measurements, [](const Measurement& left, const Measurement& right) {
    return std::pair(left.metric->name, left.key()) < std::pair(right.metric->name, right.key());
  });
}

/// One measurement of every dictionary row, with all parts that a summary can have, as a server that tells
/// everything.
inline StatusAnswer full_status(Role role) {
  StatusAnswer status;
  status.implementation = Implementation::kApache;
  status.version = "3.9.5";
  status.role = role;
  for (const auto& metric : zk_metrics()) {
    const std::string key = !is_set(metric.kind) ? "" : metric.key == ZkKey::kServerId ? "2" : "app";
    if (is_summary(metric.kind)) {
      SummaryValue value;
      value.count = 4;
      value.sum = 10;
      value.average = 2.5;
      value.minimum = 1;
      value.maximum = 5;
      value.quantiles = {{0.5, 2}, {0.9, 3}, {0.95, 4}, {0.99, 5}, {0.999, 5}};
      status.measurements.push_back({&metric, key, value});
    } else {
      status.measurements.push_back({&metric, key, 7.0});
    }
  }
  sort_measurements(status);
  return status;
}

inline void tell(MemberView& member, Probe probe, SourceState state) {
  auto& source = member.sources.of(probe);
  source.state = state;
  source.last_tried = noon();
  ++source.results[static_cast<std::size_t>(state)];
  if (state == SourceState::kOk) source.last_ok = noon();
}

/// A member that nothing is known of: the first second of the exporter.
inline MemberView unknown_member(std::string member_name) {
  MemberView member;
  member.name = std::move(member_name);
  member.facts = std::make_shared<MemberFacts>();
  return member;
}

/// A serving member whose mntr answered `age` ago.
inline MemberView serving_member(std::string member_name, Role role, StatusAnswer status,
                                 std::chrono::nanoseconds age = 0s) {
  auto member = unknown_member(std::move(member_name));
  member.state = ServingState::kServing;
  member.role = role;
  auto facts = std::make_shared<MemberFacts>();
  facts->status = {std::move(status), noon() + -age};
  member.facts = std::move(facts);
  tell(member, Probe::kMntr, SourceState::kOk);
  return member;
}

inline Snapshot snapshot_of(std::vector<MemberView> members, std::optional<std::size_t> leader = {}) {
  Snapshot snapshot;
  snapshot.sequence = 1;
  snapshot.taken = noon();
  auto& ensemble = snapshot.ensembles.emplace_back();
  ensemble.name = "default";
  ensemble.members = std::move(members);
  ensemble.leader = leader;
  return snapshot;
}

/// A server's inside with something in every part.
inline std::shared_ptr<const ServerInternals> full_internals() {
  auto inside = std::make_shared<ServerInternals>();
  inside->write_stages = {{"prepare", {}}, {"fsync", {}}};
  inside->write_stages[1].durations.record(3ms, 4);
  inside->write_total.record(5ms, 4);
  OperationNumbers get_data{"getData", 7, 2, {}};
  get_data.latency.record(8us, 7);
  inside->operations = {get_data, {"create", 0, 0, {}}};
  inside->transactions_applied = 9;
  inside->transactions_failed = 2;
  inside->snapshots.finished = 3;
  inside->snapshots.duration = 6s;
  inside->snapshots.last_finished = std::chrono::system_clock::time_point{1'700'000'000s};
  inside->last_snapshot_bytes = 4096;
  inside->purges.last_finished = std::chrono::system_clock::time_point{1'700'000'100s};
  inside->last_purge_failed = std::chrono::system_clock::time_point{1'700'000'200s};
  inside->snapshot_folder_bytes = 5000;
  inside->log_folder_bytes = 6000;
  inside->longest_wake_up = 250ms;
  inside->connections_by_state = {{"open", 5}};
  inside->connections_closed = {{"session_expired", 6}};
  inside->connections_refused = {{"address_limit", 1}};
  inside->limits_hit = {{"log_space", 2}};
  inside->session_changes = {{"expired", 8}};
  inside->fan_out = {{"deleted", {}}};
  inside->fan_out[0].crowds.record(1'000);
  for (Survey* survey :
       {&inside->session_survey, &inside->connection_survey, &inside->watch_survey, &inside->tree_survey})
    survey->finished = noon() + -3s;
  inside->tree_survey.busy = std::chrono::milliseconds{1'500};
  inside->sessions_by_timeout_used = {{"one_third", 90}, {"overdue", 1}};
  inside->session_near_misses = 11;
  inside->expiries = {{"nothing_heard", 8}};
  inside->slow_from = 20ms;
  inside->reply_bytes_max = 1'048'575;
  inside->largest_znodes = {{"/large", 900'000}, {"/less", 8}};
  inside->largest_child_lists = {{"/short-names", 40'000, 600'004}, {"/wide", 30'000, 700'004}};
  inside->contentions = {{"/lock", 14, SessionId{7}, {}}};
  inside->most_watched = {{"/herd", "data", 1'000}};
  inside->memory_bytes = {{"watches", 1 << 20}};
  inside->limits = {
      {"child_list_reply", true, 700'004, 1'048'575, "/wide", std::chrono::duration<double>(90)},
      {"descriptors", false, 17, 1'024, "", std::nullopt}};
  return inside;
}

/// Changes the facts of a member, which are immutable once they are published.
template <typename Change>
void change_facts(MemberView& member, Change change) {
  auto facts = std::make_shared<MemberFacts>(*member.facts);
  change(*facts);
  member.facts = std::move(facts);
}

/// Keeps what a walk over the catalogue hands over, as whole families.
class FamilyCollector final : public SampleSink {
 public:
  CommonLabels add_common(const Labels& labels) override {
    common_.push_back(labels);
    return common_.size();
  }
  void begin(std::string_view name, std::string_view help, prometheus::MetricType type) override {
    families_.push_back({std::string(name), std::string(help), type, {}});
  }
  void sample(CommonLabels common, const prometheus::ClientMetric& metric) override {
    auto& kept = families_.back().metric.emplace_back(metric);
    if (common == kNoCommonLabels) return;
    const auto& labels = common_.at(common - 1);
    kept.label.insert(kept.label.begin(), labels.begin(), labels.end());
  }

  [[nodiscard]] const std::vector<prometheus::MetricFamily>& families() const { return families_; }

 private:
  std::vector<Labels> common_;
  std::vector<prometheus::MetricFamily> families_;
};

/// Everything that collect() hands over.
inline std::vector<prometheus::MetricFamily> collected(const Snapshot& snapshot,
                                                       const FamilySelection& selection, Moment now) {
  FamilyCollector collector;
  collect(snapshot, selection, now, collector);
  return collector.families();
}

/// Samples by name and labels, as a scrape shows them; `le` buckets are left out.
class Scrape {
 public:
  explicit Scrape(const std::vector<prometheus::MetricFamily>& families) {
    for (const auto& family : families) {
      EXPECT_TRUE(types_.emplace(family.name, family.type).second) << family.name << " stands twice";
      EXPECT_FALSE(family.metric.empty()) << family.name;
      for (const auto& sample : family.metric) {
        std::string labels;
        for (const auto& label : sample.label)
          labels += (labels.empty() ? "" : ",") + label.name + "=" + label.value;
        switch (family.type) {
          case prometheus::MetricType::Gauge:
            add(family.name, labels, sample.gauge.value);
            break;
          case prometheus::MetricType::Counter:
            add(family.name, labels, sample.counter.value);
            break;
          case prometheus::MetricType::Untyped:
            add(family.name, labels, sample.untyped.value);
            break;
          case prometheus::MetricType::Summary:
            add(family.name + "_count", labels, static_cast<double>(sample.summary.sample_count));
            add(family.name + "_sum", labels, sample.summary.sample_sum);
            for (const auto& [rank, value] : sample.summary.quantile) {
              auto text = std::to_string(rank);
              text.erase(text.find_last_not_of('0') + 1);
              add(family.name, labels + (labels.empty() ? "" : ",") + "quantile=" + text, value);
            }
            break;
          case prometheus::MetricType::Histogram:
            add(family.name + "_count", labels, static_cast<double>(sample.histogram.sample_count));
            add(family.name + "_sum", labels, sample.histogram.sample_sum);
            EXPECT_EQ(sample.histogram.bucket.back().cumulative_count, sample.histogram.sample_count)
                << family.name;
            break;
        }
      }
    }
  }

  /// The value of exactly that sample, or nothing.
  [[nodiscard]] std::optional<double> operator()(const std::string& sample_name,
                                                 const std::string& labels) const {
    const auto at = samples_.find({sample_name, labels});
    return at == samples_.end() ? std::nullopt : std::optional(at->second);
  }
  [[nodiscard]] bool has(const std::string& family) const { return types_.contains(family); }
  [[nodiscard]] prometheus::MetricType type(const std::string& family) const { return types_.at(family); }
  [[nodiscard]] const std::map<std::string, prometheus::MetricType>& families() const { return types_; }
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, double>& samples() const {
    return samples_;
  }
  /// Number of samples of that name whose value is 1, and of all.
  [[nodiscard]] std::pair<int, int> ones_of(const std::string& sample_name,
                                            const std::string& labels_begin) const {
    std::pair<int, int> result;
    for (const auto& [key, value] : samples_)
      if (key.first == sample_name && key.second.starts_with(labels_begin)) {
        result.first += value == 1;
        ++result.second;
      }
    return result;
  }

 private:
  void add(const std::string& sample_name, const std::string& labels, double value) {
    // Only Apache's quantiles of nothing are.
    if (labels.find("quantile=") == std::string::npos) {
      EXPECT_FALSE(value != value) << sample_name << " is NaN";
    }
    EXPECT_TRUE(samples_.emplace(std::pair(sample_name, labels), value).second)
        << sample_name << "{" << labels << "} stands twice";
  }

  std::map<std::string, prometheus::MetricType> types_;
  std::map<std::pair<std::string, std::string>, double> samples_;
};

inline Scrape scrape(const Snapshot& snapshot, const FamilySelection& selection = {}, Moment now = noon()) {
  return Scrape(collected(snapshot, selection, now));
}

inline FamilySelection only_native() { return {.native = true, .zk = false, .zookeeper39 = false}; }
inline FamilySelection only_zk() { return {.native = false, .zk = true, .zookeeper39 = false}; }
inline FamilySelection only_zookeeper39() { return {.native = false, .zk = false, .zookeeper39 = true}; }

}  // namespace wk::exporter::test
