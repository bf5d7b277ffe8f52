#include "client/watch_table.h"

#include <iterator>
#include <utility>

namespace wk::client {

void WatchTable::add(Kind kind, const std::string& path, WatchHandler handler) {
  Handlers& handlers = kind == Kind::kData ? data_ : kind == Kind::kExist ? exist_ : child_;
  handlers[path].push_back(std::move(handler));
  ++size_;
}

void WatchTable::take_from(Handlers& handlers, const std::string& path, std::vector<WatchHandler>& taken) {
  const auto found = handlers.find(path);
  if (found == handlers.end()) return;
  size_ -= found->second.size();
  std::move(found->second.begin(), found->second.end(), std::back_inserter(taken));
  handlers.erase(found);
}

std::vector<WatchHandler> WatchTable::take(const jute::WatcherEvent& event) {
  std::vector<WatchHandler> taken;
  switch (event.type) {
    case jute::EventType::kNodeCreated:
    case jute::EventType::kNodeDataChanged:
      take_from(data_, event.path, taken);
      take_from(exist_, event.path, taken);
      break;
    case jute::EventType::kNodeDeleted:
      take_from(data_, event.path, taken);
      take_from(exist_, event.path, taken);
      take_from(child_, event.path, taken);
      break;
    case jute::EventType::kNodeChildrenChanged:
      take_from(child_, event.path, taken);
      break;
    default:
      break;  // the other types are made inside clients, never by a server
  }
  return taken;
}

std::vector<WatchHandler> WatchTable::take_all() {
  std::vector<WatchHandler> taken;
  for (Handlers* handlers : {&data_, &exist_, &child_}) {
    for (auto& [path, list] : *handlers) std::move(list.begin(), list.end(), std::back_inserter(taken));
    handlers->clear();
  }
  size_ = 0;
  return taken;
}

std::vector<jute::SetWatches> WatchTable::registrations(Zxid last_seen) const {
  std::vector<jute::SetWatches> records;
  std::size_t bytes = 0;
  const auto append = [&](const Handlers& handlers, std::vector<std::string> jute::SetWatches::*list) {
    for (const auto& [path, unused] : handlers) {
      const std::size_t cost = 4 + path.size();  // a ustring's length stands in front of it
      if (records.empty() || bytes + cost > kSetWatchesMaxBytes) {
        records.emplace_back().relative_zxid = last_seen;
        bytes = 0;
      }
      (records.back().*list).push_back(path);
      bytes += cost;
    }
  };
  append(data_, &jute::SetWatches::data_watches);
  append(exist_, &jute::SetWatches::exist_watches);
  append(child_, &jute::SetWatches::child_watches);
  return records;
}

}  // namespace wk::client
