#include "server/node/limits.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace wk::node {
namespace {

using exporter::Limit;

/// Collects limits, those without a bound left out.
class List {
 public:
  void bytes(std::string_view name, std::uint64_t used, std::uint64_t bound, std::string about = {}) {
    add(name, true, used, bound, std::move(about));
  }
  void number(std::string_view name, std::uint64_t used, std::uint64_t bound, std::string about = {}) {
    add(name, false, used, bound, std::move(about));
  }
  void disk(std::string_view name, const std::optional<DiskSpace>& space) {
    if (space) bytes(name, space->used_bytes, space->bytes);
  }
  std::vector<Limit> take() { return std::move(limits_); }

 private:
  void add(std::string_view name, bool in_bytes, std::uint64_t used, std::uint64_t bound, std::string about) {
    if (bound == 0) return;
    limits_.push_back({.name = name,
                       .in_bytes = in_bytes,
                       .used = static_cast<double>(used),
                       .bound = static_cast<double>(bound),
                       .about = std::move(about),
                       .left = std::nullopt});
  }

  std::vector<Limit> limits_;
};

std::uint64_t configured(int limit) { return static_cast<std::uint64_t>(std::max(0, limit)); }

void packets(const Surveys& surveys, std::uint64_t bound, List& to) {
  if (!surveys.znodes().state().finished) return;
  const TreeSurvey::Found& found = surveys.znodes().found();
  if (!found.znodes.empty())
    to.bytes("znode_data", found.znodes.front().bytes, bound, found.znodes.front().path);
  const auto longest =
      std::ranges::max_element(found.child_lists, {}, &exporter::LargeChildList::reply_bytes);
  if (longest != found.child_lists.end())
    to.bytes("child_list_reply", longest->reply_bytes, bound, longest->path);
}

void connections(const net::ClientPort& port, const config::ClientLimits& limits, List& to) {
  to.number("connections", port.connections(), configured(limits.max_connections));
  const auto most =
      std::ranges::max_element(port.by_address(), {}, [](const auto& one) { return one.second; });
  if (most != port.by_address().end())
    to.number("connections_of_address", configured(most->second),
              configured(limits.max_connections_per_address), most->first);
}

/// Requests and connections come and go: their growth of the last hour tells nothing of the next.
bool has_trend(std::string_view name) {
  return name != "outstanding_requests" && !name.starts_with("connections");
}

}  // namespace

std::vector<Limit> Limits::look(const Moment& now) {
  List list;
  packets(from_.surveys, configured(from_.configured.max_request_bytes), list);
  const Surroundings& around = from_.surroundings;
  if (around.resident_bytes > 0) list.bytes("memory", around.resident_bytes, around.memory_bytes_max);
  list.disk("log_disk", around.log_disk);
  list.disk("snapshot_disk", around.snapshot_disk);
  if (around.open_descriptors >= 0 && around.descriptors_max > 0)
    list.number("descriptors", static_cast<std::uint64_t>(around.open_descriptors),
                static_cast<std::uint64_t>(around.descriptors_max));
  connections(from_.port, from_.configured, list);
  list.number("outstanding_requests", from_.replica.outstanding_requests(),
              configured(from_.configured.global_outstanding));
  list.number("zxid_counter", from_.replica.last_applied().counter(),
              std::numeric_limits<std::uint32_t>::max());
  std::vector<Limit> limits = list.take();
  for (Limit& limit : limits) {
    if (!has_trend(limit.name)) continue;
    Forecast& forecast = forecasts_[limit.name];
    forecast.add(limit.used, now.steady);
    limit.left = forecast.left(limit.used, limit.bound, now.steady);
  }
  return limits;
}

}  // namespace wk::node
