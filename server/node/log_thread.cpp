#include "server/node/log_thread.h"

#include <pthread.h>

#include <array>
#include <utility>

#include "base/scheduling.h"

namespace wk::node {
namespace {

/// Emptied batches that are kept for their memory, and how much of it each may keep.
constexpr std::size_t kSpareBatches = 4;
constexpr std::size_t kSpareBytes = 4UL << 20;

using Clock = std::chrono::steady_clock;

}  // namespace

LogThread::LogThread(storage::FileSystem& files, std::string directory, Zxid last,
                     const storage::TransactionLogSettings& settings, Events events)
    : files_(files), directory_(std::move(directory)), events_(std::move(events)) {
  log_ = std::make_unique<storage::TransactionLog>(files_, directory_, last, settings);
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "wk-log");
}

LogThread::~LogThread() { stop(); }

void LogThread::append(replica::Output& output) {
  {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) {
      queue_.emplace_back();
    } else {
      queue_.push_back(std::move(spare_.back()));
      spare_.pop_back();
    }
    Batch& batch = queue_.back();
    batch.bytes.swap(output.log_bytes);
    batch.appends.swap(output.appends);
    queued_records_ += batch.appends.size();
  }
  wake_.notify_one();
}

void LogThread::roll() {
  const std::lock_guard lock(mutex_);
  queue_.emplace_back();
  queue_.back().roll = true;
  wake_.notify_one();
}

void LogThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::size_t LogThread::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_records_;
}

void LogThread::run() {
  // Every write waits for this thread, and it mostly waits for the disk: see docs/PERFORMANCE.md, P6.
  ask_for_short_turns();
  std::vector<Batch> batches;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      batches.swap(queue_);
    }
    const bool going_on = write(batches);
    recycle(batches);
    if (!going_on) return;
  }
}

/// \return  false when the log has failed for good
bool LogThread::write(std::vector<Batch>& batches) {
  LogSyncReport report;
  const auto failed = [this](const Error& error) {
    if (error.code == Errc::kNoSpace) {
      exhausted(log_->synced_zxid(), error);
      return true;
    }
    events_.failed(error);
    return false;
  };
  report.taken = Clock::now();
  std::uint64_t syncs = log_->stats().syncs;
  std::chrono::nanoseconds syncing{0};
  // Called after everything that may have synced, once at most.
  const auto new_sync = [&]() -> std::optional<std::chrono::nanoseconds> {
    if (std::exchange(syncs, log_->stats().syncs) == log_->stats().syncs) return std::nullopt;
    syncing += log_->stats().last_sync;
    return log_->stats().last_sync;
  };
  for (const Batch& batch : batches) {
    if (batch.roll) {
      if (const auto rolled = log_->roll(); !rolled) return failed(rolled.error());
      if (const auto sync = new_sync()) report.earlier_syncs.push_back(*sync);
    }
    for (const replica::Append& append : batch.appends) {
      const auto appended = log_->append(
          append.zxid, std::span<const std::byte>(batch.bytes).subspan(append.offset, append.size));
      if (!appended) return failed(appended.error());
      if (const auto sync = new_sync()) report.earlier_syncs.push_back(*sync);
      ++report.records;
      report.bytes += append.size;
    }
  }
  if (report.records == 0) return true;
  if (const auto written = log_->write(); !written) return failed(written.error());
  if (const auto synced = log_->sync(); !synced) return failed(synced.error());
  report.synced = Clock::now();
  report.sync = new_sync();
  report.written = report.synced - syncing;
  report.zxid = log_->last_zxid();
  report.file_bytes = log_->file_bytes();
  report.files_created = log_->stats().files_created;
  events_.synced(report);
  return true;
}

void LogThread::exhausted(Zxid durable, const Error& why) {
  // Zxids above `durable` will be given again, to other transactions: none of their bytes may come back.
  log_->abandon_unsynced();
  {
    const std::lock_guard lock(mutex_);
    exhausted_ = true;
  }
  events_.space_exhausted(durable, why);
  wait_for_space();
}

void LogThread::acknowledge_exhausted() {
  const std::lock_guard lock(mutex_);
  discard_queue();
  exhausted_ = false;
}

void LogThread::discard_queue() {
  for (const Batch& batch : queue_) queued_records_ -= batch.appends.size();
  queue_.clear();
}

void LogThread::wait_for_space() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kSpaceProbeInterval, [this] { return stopping_; });
      if (stopping_) return discard_queue();
      if (exhausted_) continue;
    }
    if (probe_space()) return events_.space_back();
  }
}

Result<void> LogThread::probe_space() {
  const std::string path = directory_ + "/tmp.space-probe";
  Result<void> outcome;
  {
    auto file = files_.create(path);
    if (!file) return std::move(file).error();
    static constexpr std::size_t kPiece = 64UL << 10;
    // Not zeros: some file systems make holes of them.
    const std::vector<std::byte> piece(kPiece, std::byte{0x5a});
    for (std::size_t written = 0; outcome && written < kSpaceProbeBytes; written += kPiece)
      outcome = (*file)->write_at(written, piece);
    if (outcome) outcome = (*file)->sync();
    // A new log file takes a second descriptor, for its folder.
    if (outcome) outcome = files_.sync_directory(directory_);
  }
  if (const auto removed = files_.remove(path); outcome && !removed) return removed.error();
  return outcome;
}

void LogThread::recycle(std::vector<Batch>& batches) {
  const std::lock_guard lock(mutex_);
  for (Batch& batch : batches) {
    queued_records_ -= batch.appends.size();
    batch.bytes.clear();
    batch.appends.clear();
    batch.roll = false;
    if (spare_.size() < kSpareBatches && batch.bytes.capacity() <= kSpareBytes)
      spare_.push_back(std::move(batch));
  }
  batches.clear();
}

}  // namespace wk::node
