// Traffic by namespace, the first component of a path, for the first kMaxNamespaces that appear.
//
// Clients choose these names, so their number is limited: everything beyond goes into one remainder. Looking
// one up allocates nothing. Thread: core. Source: ServerMetrics.java (READ_PER_NAMESPACE,
// WRITE_PER_NAMESPACE), PathUtils.java (getTopNamespace).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace wk::replica {

/// Bytes of one kind of traffic: Apache's basic summary.
struct TrafficSummary {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::uint64_t least = 0;
  std::uint64_t most = 0;

  void record(std::uint64_t bytes);
};

class NamespaceTraffic {
 public:
  static constexpr std::size_t kMaxNamespaces = 64;
  /// Longer names go into the remainder, too.
  static constexpr std::size_t kMaxNameBytes = 256;

  struct Traffic {
    TrafficSummary reads;
    TrafficSummary writes;
  };

  /// \param path   of the node; paths that name no child of the root count nowhere
  /// \param bytes  length of path and data
  void record_read(std::string_view path, std::size_t bytes);
  void record_write(std::string_view path, std::size_t bytes);

  /// By name, without the slash.
  [[nodiscard]] const std::map<std::string, Traffic, std::less<>>& namespaces() const { return table_; }
  /// What did not fit.
  [[nodiscard]] const Traffic& remainder() const { return remainder_; }

  /// "a" of "/a/b"; empty when there is none.
  static std::string_view namespace_of(std::string_view path);

 private:
  Traffic& find(std::string_view name);

  std::map<std::string, Traffic, std::less<>> table_;
  Traffic remainder_;
};

}  // namespace wk::replica
