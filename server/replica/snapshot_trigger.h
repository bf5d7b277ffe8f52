// Decides when the next snapshot is due: after a random number of transactions or of log bytes.
//
// The thresholds are drawn anew for each snapshot from the upper half of the configured values, so that the
// members of an ensemble do not snapshot at the same moment.
// Pure; randomness is an argument. Thread: core. Source: SyncRequestProcessor.java (shouldSnapshot);
// reference storage-formats "Roll rules".
// Differs: bytes are those of the records; Apache counts the files, padding included, so that it may take a
// snapshot earlier by at most one preallocation a file.
#pragma once

#include <cstdint>
#include <optional>
#include <random>

namespace wk::replica {

class SnapshotTrigger {
 public:
  /// \param snap_count  at least 2   \param snap_bytes  nullopt: no limit by size
  SnapshotTrigger(std::uint64_t snap_count, std::optional<std::uint64_t> snap_bytes, std::uint64_t seed);

  /// One transaction of `bytes` was appended to the log.
  void appended(std::uint64_t bytes);
  /// True from the append that passes a threshold until started().
  [[nodiscard]] bool due() const;
  /// A snapshot begins: counts start from zero and new thresholds are drawn.
  void started();
  /// Transactions since the last snapshot began.
  [[nodiscard]] std::uint64_t transactions() const { return transactions_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void draw();

  std::uint64_t snap_count_;
  std::optional<std::uint64_t> snap_bytes_;
  std::mt19937_64 random_;
  std::uint64_t transactions_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t transactions_due_ = 0;
  std::optional<std::uint64_t> bytes_due_{};
};

}  // namespace wk::replica
