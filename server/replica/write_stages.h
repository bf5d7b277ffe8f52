// Where the time of writes goes: the moments of each batch on its way, and the stages between them.
//
// All times belong to a batch, the transactions that were received in one wake-up and went to the log
// together, so that they cost a few clock readings a batch and nothing a request. Stages share their moments:
// for every write they add up to its total exactly. Moments that are not known, and those of clocks that
// disagree, take the one before: their stage lasts zero.
//
// A batch is split where a sync or a commit covers a part of it only. Thread: core. Pure; times are
// arguments.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/duration_histogram.h"
#include "base/ids.h"

namespace wk::replica {

/// One part of a write's way, in the order of the way.
enum class WriteStage : std::uint8_t {
  kPrepare,   ///< frame received … its batch handed to the log
  kLogQueue,  ///< … the log thread took it
  kAppend,    ///< … written to the file
  kFsync,     ///< … on stable storage here
  kQuorum,    ///< … a quorum has it: nothing when this server's own sync was the last that it needed
  kApply,  ///< … the core took it up and applied it, with everything that committed together, replies encoded
  kReply,  ///< … handed to the kernel
};
inline constexpr std::size_t kWriteStages = 7;
/// Stable name, fit for a label value: "prepare", "log_queue", …
const char* name(WriteStage stage);

/// The moments between the stages: [0] received, [i + 1] the end of stage i.
using WriteMoments = std::array<std::chrono::steady_clock::time_point, kWriteStages + 1>;

/// How long writes took, by stage and in all; one observation a transaction.
struct WriteStageStats {
  std::array<ServiceHistogram, kWriteStages> stages;
  ServiceHistogram total;
};

class WriteStages {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Transactions that were received together, with consecutive zxids.
  struct Batch {
    Zxid first{};
    Zxid last{};
    WriteMoments at{};

    [[nodiscard]] std::uint64_t transactions() const { return last.value - first.value + 1; }
  };

  /// A transaction was made. \param zxid  above all before
  void submitted(Zxid zxid, Time received);
  /// What was submitted so far is with the log.
  void handed_over(Time now);
  /// Everything up to `zxid` is on stable storage here. \return  the transactions that this is new for, by
  /// batch; valid until the next call of anything here
  std::vector<Batch>& synced(Zxid zxid, Time taken, Time written, Time synced);
  /// Everything up to `zxid` is about to be applied. \param acknowledged  when a quorum had it
  void committed(Zxid zxid, Time acknowledged);
  /// What was committed since the last call was applied by `applied`, and its replies left at `now`.
  void delivered(Time applied, Time now, WriteStageStats& stats);
  /// Nothing behind `zxid` will ever be on stable storage.
  void abandoned(Zxid zxid);

  /// The moments of a transaction that was committed and not delivered yet; null when it is not known.
  [[nodiscard]] const WriteMoments* find_committed(Zxid zxid) const;

 private:
  std::deque<Batch> unsynced_;
  std::deque<Batch> synced_;  // and not committed
  std::vector<Batch> committed_;
  std::vector<Batch> newly_synced_;
};

}  // namespace wk::replica
