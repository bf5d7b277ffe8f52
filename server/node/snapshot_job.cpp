#include "server/node/snapshot_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "jute/reader.h"
#include "jute/records.h"
#include "jute/views.h"
#include "server/storage/snapshot_sealer.h"
#include "server/storage/snapshot_writer.h"

namespace wk::node {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<jute::Acl> decoded(const jute::AclListView& list) {
  std::vector<jute::Acl> acl;
  acl.reserve(list.size());
  for (const jute::AclView& entry : list)
    acl.push_back({entry.perms,
                   {entry.id.scheme ? std::optional<std::string>(*entry.id.scheme) : std::nullopt,
                    entry.id.id ? std::optional<std::string>(*entry.id.id) : std::nullopt}});
  return acl;
}

}  // namespace

/// What the background thread has; touched there alone after begin(), but for what waits.
struct SnapshotJob::Writing {
  std::mutex mutex;  // guards the next two
  std::deque<std::vector<std::byte>> waiting;
  bool given_up = false;

  std::optional<storage::SnapshotWriter> writer;
  storage::SnapshotSealer sealer;
  std::uint64_t bytes = 0;  ///< uncompressed
  bool broken = false;

  void add(std::vector<std::byte> piece) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(piece));
  }

  /// nullopt: the job was given up.
  std::optional<std::vector<std::byte>> take() {
    const std::lock_guard lock(mutex);
    if (given_up) return std::nullopt;
    std::vector<std::byte> piece = std::move(waiting.front());
    waiting.pop_front();
    return piece;
  }

  /// Lets go of what waits at once; the file goes when the background thread comes to it.
  void give_up() {
    const std::lock_guard lock(mutex);
    given_up = true;
    waiting.clear();
  }

  Result<void> create(const Place& place, Zxid zxid) {
    auto created = storage::SnapshotWriter::create(place.files, place.directory, zxid, place.compression);
    if (!created) return std::move(created).error();
    writer.emplace(*std::move(created));
    return {};
  }

  Result<void> append(std::span<const std::byte> piece) {
    if (piece.empty()) return {};
    bytes += piece.size();
    return writer->append(piece);
  }

  Result<void> complete(const storage::SnapshotTail& tail) {
    std::vector<std::byte> end;
    sealer.finish(end, tail);
    if (const auto appended = append(end); !appended) return appended.error();
    return writer->commit();
  }
};

SnapshotJob::SnapshotJob(Place place, Zxid zxid, replica::Replica& replica, BackgroundThread& background,
                         std::function<void(std::function<void()>)> post_to_core,
                         std::function<void(Result<SnapshotReport>)> done)
    : place_(std::move(place)),
      zxid_(zxid),
      replica_(replica),
      background_(background),
      post_to_core_(std::move(post_to_core)),
      done_(std::move(done)),
      writing_(std::make_shared<Writing>()),
      self_(std::make_shared<SnapshotJob*>(this)) {
  report_.zxid = zxid;
}

SnapshotJob::~SnapshotJob() {
  if (walking_) replica_.abandon_snapshot();
  writing_->give_up();
  *self_ = nullptr;
}

void SnapshotJob::begin() {
  began_ = Clock::now();
  std::vector<storage::SnapshotSession> sessions;
  sessions.reserve(replica_.sessions().committed_count());
  replica_.sessions().for_each_committed([&](SessionId id, std::int32_t timeout_ms) {
    sessions.push_back({id, timeout_ms});
  });
  std::ranges::sort(sessions, {}, &storage::SnapshotSession::id);
  std::vector<storage::SnapshotAcl> acls;
  replica_.tree().acls().for_each([&](std::int64_t number, const jute::AclListView& list) {
    acls.push_back({number, decoded(list)});
  });
  const tree::ZxidDigest digest = replica_.digests().last().value_or(tree::ZxidDigest{});
  if (place_.digest)
    tail_.digest = storage::SnapshotDigest{digest.zxid, storage::kDigestVersion, digest.digest};
  if (place_.last_processed) tail_.last_processed = replica_.last_applied();
  encoder_.begin(buffer_, sessions, acls);
  const auto tree_bytes = static_cast<std::size_t>(replica_.tree().approximate_data_size());
  waiting_max_ = buffer_.size() + std::max(place_.waiting_max, tree_bytes / 8);
  walking_ = true;
  replica_.begin_snapshot(*this);
}

std::optional<std::chrono::nanoseconds> SnapshotJob::slice() {
  if (!walking_) return std::nullopt;
  if (too_much_waits_) return give_up();
  if (in_flight_bytes_ >= kInFlightMax) return std::chrono::milliseconds(10);
  const auto begin = Clock::now();
  const bool complete = replica_.step_snapshot(kSliceBytes);
  const auto took = Clock::now() - begin;
  ++report_.slices;
  report_.longest_slice = std::max<std::chrono::nanoseconds>(report_.longest_slice, took);
  walking_ = !complete;
  if (too_much_waits_) return give_up();
  if (!complete) return std::max<std::chrono::nanoseconds>(kPause, took * 4);
  report_.early_nodes = replica_.tree().snapshot_early_count();
  report_.nodes = encoder_.nodes();
  hand_over(true);
  return std::nullopt;
}

void SnapshotJob::on_node(const tree::SnapshotNode& node) {
  if (too_much_waits_) return;
  encoder_.node(buffer_, {.path = node.path,
                          .data = node.data,
                          .acl = node.acl_number,
                          .czxid = node.stat.czxid,
                          .mzxid = node.stat.mzxid,
                          .ctime_ms = node.stat.ctime_ms,
                          .mtime_ms = node.stat.mtime_ms,
                          .version = node.stat.version,
                          .cversion = node.stat.cversion,
                          .aversion = node.stat.aversion,
                          .ephemeral_owner = node.stat.ephemeral_owner,
                          .pzxid = node.stat.pzxid});
  // This may be called by the tree in the middle of a change: the next slice gives the job up.
  too_much_waits_ = in_flight_bytes_ + buffer_.size() > waiting_max_;
  if (too_much_waits_) {
    writing_->give_up();
    buffer_ = {};
  } else if (buffer_.size() >= kChunkBytes) {
    hand_over(false);
  }
}

void SnapshotJob::hand_over(bool last) {
  in_flight_bytes_ += buffer_.size();
  writing_->add(std::exchange(buffer_, {}));
  if (!last) buffer_.reserve(kChunkBytes + kSliceBytes * 2);
  // The job may be gone when the background thread gets to it: it carries what it needs.
  background_.post([writing = writing_, last, place = place_, zxid = zxid_, tail = tail_,
                    post = post_to_core_, self = self_]() mutable {
    const auto bytes = writing->take();
    if (!bytes) return writing->writer.reset();
    if (writing->broken) return;
    const auto outcome = caught([&]() -> Result<void> {
      if (!writing->writer)
        if (const auto created = writing->create(place, zxid); !created) return created;
      writing->sealer.count(*bytes);
      if (const auto appended = writing->append(*bytes); !appended) return appended;
      if (last) return writing->complete(tail);
      return {};
    });
    const std::size_t size = bytes->size();
    std::string name;
    std::uint64_t file_bytes = 0;
    if (writing->writer) {
      name = writing->writer->name();
      file_bytes = writing->writer->file_bytes();
    }
    if (!outcome || last) writing->writer.reset();
    writing->broken = !outcome.has_value();
    post([self, outcome, size, last, name, file_bytes, all_bytes = writing->bytes] {
      SnapshotJob* const job = *self;
      if (job == nullptr || job->failed_) return;
      job->in_flight_bytes_ -= size;
      if (!outcome) return job->failed(outcome.error());
      if (!last) return;
      job->report_.name = name;
      job->report_.bytes = all_bytes;
      job->report_.file_bytes = file_bytes;
      job->report_.duration = Clock::now() - job->began_;
      job->done_(job->report_);
    });
  });
}

std::optional<std::chrono::nanoseconds> SnapshotJob::give_up() {
  failed({Errc::kTooLarge,
          fmt::format("more than {} bytes wait for the disk of {}, which is too slow for what clients change",
                      waiting_max_, place_.directory)});
  return std::nullopt;
}

void SnapshotJob::failed(const Error& error) {
  if (walking_) replica_.abandon_snapshot();
  walking_ = false;
  failed_ = true;
  writing_->give_up();
  done_(error);
}

}  // namespace wk::node
