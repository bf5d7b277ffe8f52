// One snapshot while it is taken: the tree is walked in slices on the core thread, the bytes are written in
// the background.
//
// A slice is short (kSliceBytes) and follows the one before after a pause, so that clients keep most of the
// thread; it is left out while the disk has kInFlightMax bytes to write. Znodes that a client changes
// before the walk has reached them are handed over at that moment by the tree itself, whatever the disk does:
// where too much waits for it, the snapshot is given up. Thread: core; the
// checksum and what the writer does run on the background thread and come back through `post_to_core`.
// Source: reference storage-formats 4.5, 4.6.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "server/node/background_thread.h"
#include "server/replica/replica.h"
#include "server/storage/file_names.h"
#include "server/storage/file_system.h"
#include "server/storage/snapshot_encoder.h"
#include "server/tree/data_tree.h"

namespace wk::node {

struct SnapshotReport {
  Zxid zxid;
  std::string name;
  std::uint64_t nodes = 0;
  std::uint64_t bytes = 0;  ///< uncompressed
  std::uint64_t file_bytes = 0;
  std::size_t early_nodes = 0;  ///< handed over ahead of a change
  std::chrono::nanoseconds duration{0};
  std::chrono::nanoseconds longest_slice{0};
  std::size_t slices = 0;
};

class SnapshotJob final : public tree::SnapshotSink {
 public:
  /// Tree bytes of a slice: less than a millisecond on slow machines.
  static constexpr std::size_t kSliceBytes = 96UL << 10;
  /// Encoded bytes that are handed to the writer together.
  static constexpr std::size_t kChunkBytes = 256UL << 10;
  /// Encoded bytes that wait for the disk at which the walk pauses.
  static constexpr std::size_t kInFlightMax = 8UL << 20;
  /// Encoded bytes that may wait for the disk, znodes that are about to change included; or an eighth of the
  /// tree, if that is more.
  static constexpr std::size_t kWaitingMax = 64UL << 20;
  /// From one slice to the next, at least; and not less than four times what the slice took.
  static constexpr std::chrono::microseconds kPause{1000};

  struct Place {
    storage::FileSystem& files;
    std::string directory;
    storage::Compression compression;
    bool digest;
    bool last_processed;
    std::size_t waiting_max = kWaitingMax;
  };

  /// \param post_to_core  runs a function on the core thread, later; safe from any thread
  /// \param done          called on the core thread, once, after the walk is over
  SnapshotJob(Place place, Zxid zxid, replica::Replica& replica, BackgroundThread& background,
              std::function<void(std::function<void()>)> post_to_core,
              std::function<void(Result<SnapshotReport>)> done);
  ~SnapshotJob();

  /// Copies sessions and access lists and begins the walk.
  void begin();
  /// Walks one slice. \return  when the next one is due; nullopt when no more is needed
  std::optional<std::chrono::nanoseconds> slice();

  void on_node(const tree::SnapshotNode& node) override;

 private:
  struct Writing;

  void hand_over(bool last);
  /// Since too much waits. \return  nullopt, of slice()
  std::optional<std::chrono::nanoseconds> give_up();
  void failed(const Error& error);

  Place place_;
  Zxid zxid_;
  replica::Replica& replica_;
  BackgroundThread& background_;
  std::function<void(std::function<void()>)> post_to_core_;
  std::function<void(Result<SnapshotReport>)> done_;
  storage::SnapshotEncoder encoder_;
  storage::SnapshotTail tail_;
  std::vector<std::byte> buffer_;
  std::shared_ptr<Writing> writing_;  // shared with the background thread
  std::size_t in_flight_bytes_ = 0;
  std::size_t waiting_max_ = 0;
  bool too_much_waits_ = false;
  bool failed_ = false;
  bool walking_ = false;
  std::chrono::steady_clock::time_point began_;
  SnapshotReport report_;
  // Callbacks from the background thread must find nothing when the job is gone.
  std::shared_ptr<SnapshotJob*> self_;
};

}  // namespace wk::node
