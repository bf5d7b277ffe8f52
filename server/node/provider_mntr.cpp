#include "server/node/provider_mntr.h"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <optional>

#include "exporter/catalogue/catalogue.h"
#include "exporter/catalogue/sample_sink.h"
#include "exporter/model/view.h"
#include "server/node/java_text.h"

namespace wk::node {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

/// One line a sample.
class MntrSink final : public exporter::SampleSink {
 public:
  explicit MntrSink(fmt::memory_buffer& out) : out_(out) {}

  CommonLabels add_common(const Labels&) override { return 1; }
  void begin(std::string_view name, std::string_view, MetricType type) override {
    name_ = name;
    type_ = type;
  }
  void sample(CommonLabels, const ClientMetric& metric) override {
    std::string labels;
    for (const ClientMetric::Label& label : metric.label)
      labels += fmt::format("{}{}=\"{}\"", labels.empty() ? "" : ",", label.name, escaped(label.value));
    switch (type_) {
      case MetricType::Counter:
        return line("", labels, metric.counter.value);
      case MetricType::Summary:
        for (const ClientMetric::Quantile& quantile : metric.summary.quantile)
          line("", fmt::format("{}{}quantile=\"{}\"", labels, labels.empty() ? "" : ",", quantile.quantile),
               quantile.value);
        line("_count", labels, static_cast<double>(metric.summary.sample_count));
        return line("_sum", labels, metric.summary.sample_sum);
      default:
        return line("", labels, metric.gauge.value);
    }
  }

  void line(std::string_view suffix, const std::string& labels, double value) {
    fmt::format_to(std::back_inserter(out_), "zk_{}{}{}{}{}\t{}\n", name_, suffix, labels.empty() ? "" : "{",
                   labels, labels.empty() ? "" : "}", java_double(value));
  }

 private:
  fmt::memory_buffer& out_;
  std::string_view name_;
  MetricType type_ = MetricType::Gauge;
};

void add_process(const exporter::ProcessStats& process, MntrSink& out) {
  const auto add = [&out](std::string_view name, const auto& value) {
    if (!value) return;
    out.begin(name, "", MetricType::Gauge);
    out.line("", "", static_cast<double>(*value));
  };
  add("process_cpu_seconds_total", process.cpu_seconds);
  add("process_start_time_seconds", process.start_time_seconds);
  add("process_open_fds", process.open_descriptors);
  add("process_max_fds", process.descriptors_max);
  add("process_virtual_memory_bytes", process.virtual_bytes);
  add("process_resident_memory_bytes", process.resident_bytes);
}

}  // namespace

std::string provider_mntr_text(std::string_view version, std::string_view state,
                               const exporter::StatusAnswer& status, const exporter::ProcessStats& process,
                               const Moment& now) {
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), "zk_version\t{}\nzk_server_state\t{}\n", version, state);
  auto facts = std::make_shared<exporter::MemberFacts>();
  facts->status.value = status;
  facts->status.at = now;
  exporter::MemberView member;
  member.facts = std::move(facts);
  member.state = exporter::ServingState::kServing;
  exporter::Snapshot snapshot;
  snapshot.taken = now;
  snapshot.ensembles.emplace_back().members.push_back(std::move(member));
  exporter::FamilySelection selection;
  selection.native = selection.zk = false;
  selection.zookeeper39 = true;
  selection.zookeeper39_instance = false;
  MntrSink sink(out);
  exporter::collect(snapshot, selection, now, sink);
  add_process(process, sink);
  return fmt::to_string(out);
}

}  // namespace wk::node
