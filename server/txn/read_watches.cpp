// Watches that are set, looked for and taken away by operations of their own.
#include "server/txn/reading.h"

namespace wk::txn {

namespace {

using jute::ErrorCode;
using jute::EventType;

// Zxids are compared as Java compares them.
bool is_after(Zxid zxid, Zxid reference) {
  return static_cast<std::int64_t>(zxid.value) > static_cast<std::int64_t>(reference.value);
}

/// What becomes of each path of one list of setWatches, as Java reads it. \return  false at the null that
/// ends it: the list itself or a path. What stands in front has had its effect, as on Apache.
template <typename Each>
bool for_each_path(Reading& reading, const std::optional<jute::OptionalPathListView>& paths, Each each) {
  if (!paths) return false;
  for (const std::optional<std::string_view>& path : *paths) {
    if (!path) return false;
    each(reading.text(*path));
  }
  return true;
}

bool catch_up(Reading& reading, const jute::SetWatchesView& request) {
  const ConnectionId connection = reading.request().connection;
  const bool data = for_each_path(reading, request.data_watches, [&](std::string_view path) {
    const tree::Znode node = reading.tree().find(path);
    if (!node)
      reading.fire(EventType::kNodeDeleted, path);
    else if (is_after(node.stat_persisted().mzxid, request.relative_zxid))
      reading.fire(EventType::kNodeDataChanged, path);
    else
      reading.watches().add(path, connection, tree::WatchKind::kData);
  });
  if (!data) return false;
  const bool exist = for_each_path(reading, request.exist_watches, [&](std::string_view path) {
    if (reading.tree().find(path))
      reading.fire(EventType::kNodeCreated, path);
    else
      reading.watches().add(path, connection, tree::WatchKind::kData);
  });
  if (!exist) return false;
  return for_each_path(reading, request.child_watches, [&](std::string_view path) {
    const tree::Znode node = reading.tree().find(path);
    if (!node)
      reading.fire(EventType::kNodeDeleted, path);
    else if (is_after(node.stat_persisted().pzxid, request.relative_zxid))
      reading.fire(EventType::kNodeChildrenChanged, path);
    else
      reading.watches().add(path, connection, tree::WatchKind::kChild);
  });
}

/// A path that may be null, as the watch table knows it.
std::string_view watched(Reading& reading, const std::optional<std::string_view>& path) {
  return path ? reading.text(*path) : tree::kNullPath;
}

bool is_known(jute::WatcherType type) {
  return type >= jute::WatcherType::kChildren && type <= jute::WatcherType::kPersistentRecursive;
}

}  // namespace

ErrorCode read_set_watches(Reading& reading) {
  const auto request = reading.decode<jute::SetWatchesView>();
  if (!request) return ErrorCode::kMarshallingError;
  return catch_up(reading, *request) ? ErrorCode::kOk : ErrorCode::kMarshallingError;
}

ErrorCode read_set_watches2(Reading& reading) {
  const auto request = reading.decode<jute::SetWatches2View>();
  if (!request) return ErrorCode::kMarshallingError;
  if (!catch_up(reading, request->standard)) return ErrorCode::kMarshallingError;
  const ConnectionId connection = reading.request().connection;
  if (!request->persistent_watches) return ErrorCode::kMarshallingError;
  for (const std::optional<std::string_view>& path : *request->persistent_watches)
    reading.watches().add(watched(reading, path), connection, jute::AddWatchMode::kPersistent);
  if (!request->persistent_recursive_watches) return ErrorCode::kMarshallingError;
  for (const std::optional<std::string_view>& path : *request->persistent_recursive_watches)
    reading.watches().add(watched(reading, path), connection, jute::AddWatchMode::kPersistentRecursive);
  return ErrorCode::kOk;
}

ErrorCode read_add_watch(Reading& reading) {
  const auto request = reading.decode<jute::AddWatchRequestView>();
  if (!request) return ErrorCode::kMarshallingError;
  if (request->mode != jute::AddWatchMode::kPersistent &&
      request->mode != jute::AddWatchMode::kPersistentRecursive)
    return ErrorCode::kMarshallingError;
  reading.watches().add(watched(reading, request->path), reading.request().connection, request->mode);
  write(reading.out(), jute::ErrorResponse{ErrorCode::kOk});
  return ErrorCode::kOk;
}

ErrorCode read_check_watches(Reading& reading) {
  const auto request = reading.decode<jute::WatchesOfTypeView>();
  if (!request || !is_known(request->type)) return ErrorCode::kMarshallingError;
  const bool found = reading.watches().contains(watched(reading, request->path), reading.request().connection,
                                                request->type);
  return found ? ErrorCode::kOk : ErrorCode::kNoWatcher;
}

ErrorCode read_remove_watches(Reading& reading) {
  const auto request = reading.decode<jute::WatchesOfTypeView>();
  if (!request || !is_known(request->type)) return ErrorCode::kMarshallingError;
  const bool removed =
      reading.watches().remove(watched(reading, request->path), reading.request().connection, request->type);
  return removed ? ErrorCode::kOk : ErrorCode::kNoWatcher;
}

}  // namespace wk::txn
