#include "server/replica/write_stages.h"

#include <algorithm>

namespace wk::replica {
namespace {

// Times that nobody ever asks to be counted (no OutputDelivered) must not pile up.
constexpr std::size_t kMaxUndelivered = 65'536;

using Batch = WriteStages::Batch;

// Sets the end of a stage, never before its beginning.
void set_end(Batch& batch, WriteStage stage, WriteStages::Time end) {
  const auto index = static_cast<std::size_t>(stage);
  batch.at[index + 1] = std::max(end, batch.at[index]);
}

// Takes what stands up to `zxid` out of the queue; `visit` gets whole batches and at most one part of one.
template <typename Visit>
void take_up_to(std::deque<Batch>& queue, Zxid zxid, Visit visit) {
  while (!queue.empty() && queue.front().first <= zxid) {
    Batch batch = queue.front();
    if (batch.last <= zxid) {
      queue.pop_front();
    } else {
      batch.last = zxid;
      queue.front().first = Zxid{zxid.value + 1};
    }
    visit(batch);
  }
}

}  // namespace

const char* name(WriteStage stage) {
  switch (stage) {
    case WriteStage::kPrepare:
      return "prepare";
    case WriteStage::kLogQueue:
      return "log_queue";
    case WriteStage::kAppend:
      return "append";
    case WriteStage::kFsync:
      return "fsync";
    case WriteStage::kQuorum:
      return "quorum";
    case WriteStage::kApply:
      return "apply";
    case WriteStage::kReply:
      return "reply";
  }
  return "unknown";
}

void WriteStages::submitted(Zxid zxid, Time received) {
  if (!unsynced_.empty()) {
    Batch& last = unsynced_.back();
    const bool with_the_log = last.at[1] != Time{};
    if (!with_the_log && last.at[0] == received && last.last.value + 1 == zxid.value) {
      last.last = zxid;
      return;
    }
  }
  Batch batch{zxid, zxid, {}};
  batch.at[0] = received;
  unsynced_.push_back(batch);
}

void WriteStages::handed_over(Time now) {
  for (auto batch = unsynced_.rbegin(); batch != unsynced_.rend() && batch->at[1] == Time{}; ++batch)
    set_end(*batch, WriteStage::kPrepare, now);
}

std::vector<Batch>& WriteStages::synced(Zxid zxid, Time taken, Time written, Time synced) {
  newly_synced_.clear();
  take_up_to(unsynced_, zxid, [&](Batch batch) {
    set_end(batch, WriteStage::kPrepare, batch.at[1]);
    set_end(batch, WriteStage::kLogQueue, taken);
    set_end(batch, WriteStage::kAppend, written);
    set_end(batch, WriteStage::kFsync, synced);
    synced_.push_back(batch);
    newly_synced_.push_back(batch);
  });
  return newly_synced_;
}

void WriteStages::committed(Zxid zxid, Time acknowledged) {
  take_up_to(synced_, zxid, [&](Batch batch) {
    set_end(batch, WriteStage::kQuorum, acknowledged);
    if (committed_.size() < kMaxUndelivered) committed_.push_back(batch);
  });
}

void WriteStages::delivered(Time applied, Time now, WriteStageStats& stats) {
  for (Batch& batch : committed_) {
    set_end(batch, WriteStage::kApply, applied);
    set_end(batch, WriteStage::kReply, now);
    const std::uint64_t transactions = batch.transactions();
    for (std::size_t i = 0; i < kWriteStages; ++i)
      stats.stages[i].record(batch.at[i + 1] - batch.at[i], transactions);
    stats.total.record(batch.at.back() - batch.at.front(), transactions);
  }
  committed_.clear();
}

void WriteStages::abandoned(Zxid zxid) {
  while (!unsynced_.empty() && unsynced_.back().first > zxid) unsynced_.pop_back();
  if (!unsynced_.empty()) unsynced_.back().last = std::min(unsynced_.back().last, zxid);
}

const WriteMoments* WriteStages::find_committed(Zxid zxid) const {
  const auto batch = std::ranges::find_if(
      committed_, [zxid](const Batch& one) { return one.first <= zxid && zxid <= one.last; });
  return batch == committed_.end() ? nullptr : &batch->at;
}

}  // namespace wk::replica
