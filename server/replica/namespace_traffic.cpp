#include "server/replica/namespace_traffic.h"

#include <algorithm>

namespace wk::replica {

void TrafficSummary::record(std::uint64_t bytes) {
  least = count == 0 ? bytes : std::min(least, bytes);
  most = std::max(most, bytes);
  ++count;
  sum += bytes;
}

std::string_view NamespaceTraffic::namespace_of(std::string_view path) {
  if (path.size() < 2 || path.front() != '/') return {};
  path.remove_prefix(1);
  return path.substr(0, path.find('/'));
}

NamespaceTraffic::Traffic& NamespaceTraffic::find(std::string_view name) {
  const auto found = table_.find(name);
  if (found != table_.end()) return found->second;
  if (table_.size() >= kMaxNamespaces || name.size() > kMaxNameBytes) return remainder_;
  return table_.emplace(std::string(name), Traffic{}).first->second;
}

void NamespaceTraffic::record_read(std::string_view path, std::size_t bytes) {
  const std::string_view name = namespace_of(path);
  if (!name.empty()) find(name).reads.record(bytes);
}

void NamespaceTraffic::record_write(std::string_view path, std::size_t bytes) {
  const std::string_view name = namespace_of(path);
  if (!name.empty()) find(name).writes.record(bytes);
}

}  // namespace wk::replica
