#include "server/replica/in_flight.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace wk::replica {
namespace {

constexpr std::size_t kChunkBytes = 64U << 10;
constexpr std::size_t kSpareChunks = 16;

}  // namespace

InFlightQueue::Chunk InFlightQueue::take_chunk(std::size_t least) {
  if (least <= kChunkBytes && !spare_.empty()) {
    Chunk chunk = std::move(spare_.back());
    spare_.pop_back();
    return chunk;
  }
  const std::size_t capacity = std::max(least, kChunkBytes);
  return {std::make_unique_for_overwrite<std::byte[]>(capacity), capacity, 0, 0};
}

void InFlightQueue::give_back(Chunk chunk) {
  if (chunk.capacity != kChunkBytes || spare_.size() >= kSpareChunks) return;
  chunk.used = 0;
  chunk.entries = 0;
  spare_.push_back(std::move(chunk));
}

void InFlightQueue::push(InFlight entry, std::span<const std::byte> payload) {
  WK_CHECK(entries_.empty() || entries_.back().zxid < entry.zxid,
           "transactions must enter the log in zxid order");
  if (chunks_.empty() || chunks_.back().capacity - chunks_.back().used < payload.size()) {
    // A chunk without entries would stay in front for ever: nothing that is popped would empty it.
    if (!chunks_.empty() && chunks_.back().entries == 0) {
      give_back(std::move(chunks_.back()));
      chunks_.pop_back();
    }
    chunks_.push_back(take_chunk(payload.size()));
  }
  Chunk& chunk = chunks_.back();
  std::byte* const place = chunk.bytes.get() + chunk.used;
  if (!payload.empty()) std::memcpy(place, payload.data(), payload.size());
  chunk.used += payload.size();
  ++chunk.entries;
  entry.payload = std::span(place, payload.size());
  bytes_ += payload.size();
  while (!longest_.empty() && longest_.back().bytes <= payload.size()) longest_.pop_back();
  longest_.push_back({entry.zxid, payload.size()});
  entries_.push_back(entry);
}

void InFlightQueue::pop_front() {
  bytes_ -= entries_.front().payload.size();
  if (longest_.front().zxid == entries_.front().zxid) longest_.pop_front();
  entries_.pop_front();
  if (--chunks_.front().entries > 0) return;
  // The last chunk is still being filled; it starts anew once nothing refers to it.
  if (chunks_.size() == 1 && chunks_.front().capacity == kChunkBytes) {
    chunks_.front().used = 0;
    return;
  }
  give_back(std::move(chunks_.front()));
  chunks_.pop_front();
}

void InFlightQueue::clear() {
  entries_.clear();
  longest_.clear();
  for (Chunk& chunk : chunks_) give_back(std::move(chunk));
  chunks_.clear();
  bytes_ = 0;
}

std::size_t InFlightQueue::allocated_bytes() const {
  std::size_t bytes = 0;
  for (const Chunk& chunk : chunks_) bytes += chunk.capacity;
  for (const Chunk& chunk : spare_) bytes += chunk.capacity;
  return bytes;
}

InFlight* InFlightQueue::last_of(SessionId session) {
  const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                  [&](const InFlight& entry) { return entry.session == session; });
  return found == entries_.rend() ? nullptr : &*found;
}

}  // namespace wk::replica
