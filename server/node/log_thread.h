// The thread that owns the transaction log: takes everything that is queued, writes it, syncs once, tells.
//
// It never waits for a batch that is not already there: while one batch is synced the next one gathers.
// Thread: append(), roll() and stop() from the core thread; the events are called on the log's own thread and
// must only post. Order: batches reach the log in the order of append(); a roll stands between the batches
// around it. Source: SyncRequestProcessor.java; reference storage-formats "Append, batching, fsync".
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/replica/io.h"
#include "server/storage/file_system.h"
#include "server/storage/transaction_log.h"

namespace wk::node {

/// One batch, for whoever counts.
struct LogSyncReport {
  Zxid zxid;  ///< everything up to here is durable
  std::size_t records = 0;
  std::size_t bytes = 0;  ///< payload
  // Its moments: the thread took what was queued, had handed it to the file, and the last sync returned. A
  // long batch is synced in between, too: `written` lies as long before `synced` as all its syncs took.
  std::chrono::steady_clock::time_point taken{};
  std::chrono::steady_clock::time_point written{};
  std::chrono::steady_clock::time_point synced{};
  /// How long the last sync of the batch took; nullopt: forceSync is off.
  std::optional<std::chrono::nanoseconds> sync{};
  /// Those before it, of a long batch.
  std::vector<std::chrono::nanoseconds> earlier_syncs{};
  std::uint64_t file_bytes = 0;     ///< size of the log file, padding included
  std::uint64_t files_created = 0;  ///< by this thread so far
};

class LogThread {
 public:
  struct Events {
    std::function<void(const LogSyncReport&)> synced;
    /// The disk is full, or the process may open no more files: `why` tells. Everything
    /// behind `durable` was thrown away, and so is what comes until acknowledge_exhausted().
    std::function<void(Zxid durable, const Error& why)> space_exhausted;
    std::function<void()> space_back;
    /// The disk failed in another way: nothing more is written, and the process has to end.
    std::function<void(Error)> failed;
  };

  /// How often a full disk is looked at.
  static constexpr std::chrono::milliseconds kSpaceProbeInterval{500};
  /// What must fit for the log to be taken up again.
  static constexpr std::size_t kSpaceProbeBytes = 256UL << 10;

  /// \param directory  the log's version-2 folder, mended
  /// \param last       zxid of its last record, 0 when there is none
  LogThread(storage::FileSystem& files, std::string directory, Zxid last,
            const storage::TransactionLogSettings& settings, Events events);
  /// stop().
  ~LogThread();
  LogThread(const LogThread&) = delete;
  LogThread& operator=(const LogThread&) = delete;

  /// Queues the appends of an output and takes their bytes out of it.
  void append(replica::Output& output);
  /// The next append opens a new file.
  void roll();
  /// The core has heard space_exhausted and forgotten the same transactions. Space is looked for from here
  /// on.
  void acknowledge_exhausted();
  /// Writes and syncs what is queued, and ends the thread.
  void stop();

  /// Records that are queued or being written.
  [[nodiscard]] std::size_t queued() const;

 private:
  struct Batch {
    std::vector<std::byte> bytes;
    std::vector<replica::Append> appends;
    bool roll = false;  ///< before the appends
  };

  void run();
  bool write(std::vector<Batch>& batches);
  void exhausted(Zxid durable, const Error& why);
  void wait_for_space();
  void discard_queue();
  [[nodiscard]] Result<void> probe_space();
  void recycle(std::vector<Batch>& batches);

  storage::FileSystem& files_;
  std::string directory_;
  Events events_;
  std::unique_ptr<storage::TransactionLog> log_;  // the log's thread alone

  mutable std::mutex mutex_;  // guards all that follow
  std::condition_variable wake_;
  std::vector<Batch> queue_;
  std::vector<Batch> spare_;  // emptied batches that keep their memory
  std::size_t queued_records_ = 0;
  bool stopping_ = false;
  bool exhausted_ = false;  // and the core does not know yet

  std::thread thread_;
};

}  // namespace wk::node
