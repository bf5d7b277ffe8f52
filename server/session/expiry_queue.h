// Which sessions end when, in buckets one tick wide.
//
// A session lives in the bucket in which its timeout would end, rounded up to the next tick, so touching it
// usually changes nothing and expiry costs the same for a hundred sessions and for a million: one bucket is
// looked at a tick. A session therefore ends between its timeout and its timeout plus one tick after its last
// touch. Buckets are lists threaded through the entries' slots; nothing is allocated to touch.
//
// Pure; time is an argument. Thread: core. Source: ExpiryQueue.java; reference "Liveness".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace wk::session {

class ExpiryQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Place of an entry as its owner numbers them: small and dense, reused after remove().
  using Slot = std::uint32_t;

  /// \param tick  width of a bucket (tickTime), positive
  explicit ExpiryQueue(std::chrono::milliseconds tick);

  /// Puts the entry into the bucket in which `now + timeout` falls, out of the one it was in.
  void touch(Slot slot, std::chrono::milliseconds timeout, Time now);
  /// Takes the entry out; nothing happens when it is in no bucket.
  void remove(Slot slot);
  [[nodiscard]] bool contains(Slot slot) const;

  /// Takes one entry of the buckets whose time has come out of the queue.
  /// \return  false when none is due; order inside a bucket is unspecified, buckets come in order of time
  bool take_due(Time now, Slot& slot);
  /// Postpones all that is due by one tick, for a server that cannot expire anybody now.
  void postpone_due(Time now);

  /// How full the buckets are.
  struct Occupancy {
    std::size_t buckets = 0;  ///< that are not empty
    std::size_t most = 0;     ///< entries of the most crowded one: they expire together
  };
  [[nodiscard]] Occupancy occupancy() const;
  /// Calls `visit` for each entry, in order of time.
  void for_each(const std::function<void(Time ends, Slot slot)>& visit) const;
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Bytes of memory held for the entries' links; the few buckets are not counted.
  [[nodiscard]] std::size_t allocated_bytes() const { return links_.capacity() * sizeof(Link); }

 private:
  static constexpr Slot kNone = 0xffffffff;
  /// Bucket number of entries that are in none.
  static constexpr std::int64_t kOut = -1;

  struct Link {
    std::int64_t bucket = kOut;
    Slot previous = kNone;
    Slot next = kNone;
  };
  struct List {
    Slot head = kNone;
    std::size_t entries = 0;
  };

  /// Number of the bucket that ends first after `time`; bucket n ends at n ticks since the clock's epoch.
  [[nodiscard]] std::int64_t bucket_after(Time time) const;
  [[nodiscard]] Time end_of(std::int64_t bucket) const;
  void link(Slot slot, std::int64_t bucket);

  std::chrono::milliseconds tick_;
  std::map<std::int64_t, List> lists_;
  std::vector<Link> links_;
  std::size_t size_ = 0;
};

}  // namespace wk::session
