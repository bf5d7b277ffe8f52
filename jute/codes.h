// The numbers of ZooKeeper's client protocol: operations, error codes, events, states, modes.
//
// Every enumeration has the wire's underlying type, so a value that this file does not name survives decoding
// and re-encoding; name() then answers "unknown". Thread: any; plain values. Source: ZooDefs.java,
// KeeperException.java, Watcher.java, CreateMode.java.
#pragma once

#include <cstdint>

namespace wk::jute {

/// Operation of a request, the `type` of RequestHeader and MultiHeader.
enum class OpCode : std::int32_t {
  kNotification = 0,
  kCreate = 1,
  kDelete = 2,
  kExists = 3,
  kGetData = 4,
  kSetData = 5,
  kGetAcl = 6,
  kSetAcl = 7,
  kGetChildren = 8,
  kSync = 9,
  kPing = 11,
  kGetChildren2 = 12,
  kCheck = 13,
  kMulti = 14,
  kCreate2 = 15,
  kReconfig = 16,
  kCheckWatches = 17,
  kRemoveWatches = 18,
  kCreateContainer = 19,
  kDeleteContainer = 20,
  kCreateTtl = 21,
  kMultiRead = 22,
  kAuth = 100,
  kSetWatches = 101,
  kSasl = 102,
  kGetEphemerals = 103,
  kGetAllChildrenNumber = 104,
  kSetWatches2 = 105,
  kAddWatch = 106,
  kWhoAmI = 107,
  kCreateSession = -10,
  kCloseSession = -11,
  kError = -1,
};

/// Outcome of a request as the server reports it. Clients must not invent further values.
enum class ErrorCode : std::int32_t {
  kOk = 0,
  kSystemError = -1,
  kRuntimeInconsistency = -2,
  kDataInconsistency = -3,
  kConnectionLoss = -4,
  kMarshallingError = -5,
  kUnimplemented = -6,
  kOperationTimeout = -7,
  kBadArguments = -8,
  kUnknownSession = -12,
  kNewConfigNoQuorum = -13,
  kReconfigInProgress = -14,
  kApiError = -100,
  kNoNode = -101,
  kNoAuth = -102,
  kBadVersion = -103,
  kNoChildrenForEphemerals = -108,
  kNodeExists = -110,
  kNotEmpty = -111,
  kSessionExpired = -112,
  kInvalidCallback = -113,
  kInvalidAcl = -114,
  kAuthFailed = -115,
  kSessionMoved = -118,
  kNotReadOnly = -119,
  kEphemeralOnLocalSession = -120,
  kNoWatcher = -121,
  kRequestTimeout = -122,
  kReconfigDisabled = -123,
  kSessionClosedRequireSaslAuth = -124,
  kQuotaExceeded = -125,
  kThrottledOp = -127,
};

/// What happened to a watched path, `type` of WatcherEvent.
enum class EventType : std::int32_t {
  kNone = -1,  ///< nothing happened to a node: the session's state changed
  kNodeCreated = 1,
  kNodeDeleted = 2,
  kNodeDataChanged = 3,
  kNodeChildrenChanged = 4,
  kDataWatchRemoved = 5,
  kChildWatchRemoved = 6,
  kPersistentWatchRemoved = 7,
};

/// `state` of WatcherEvent. A server only ever sends kSyncConnected; the others are made inside clients.
enum class KeeperState : std::int32_t {
  kDisconnected = 0,
  kSyncConnected = 3,
  kAuthFailed = 4,
  kConnectedReadOnly = 5,
  kSaslAuthenticated = 6,
  kClosed = 7,
  kExpired = -112,
};

/// `flags` of the create requests.
enum class CreateMode : std::int32_t {
  kPersistent = 0,
  kEphemeral = 1,
  kPersistentSequential = 2,
  kEphemeralSequential = 3,
  kContainer = 4,
  kPersistentWithTtl = 5,
  kPersistentSequentialWithTtl = 6,
};

/// `mode` of AddWatchRequest.
enum class AddWatchMode : std::int32_t { kPersistent = 0, kPersistentRecursive = 1 };

/// Reserved values of `xid`; requests proper count upwards from 1.
inline constexpr std::int32_t kXidNotification = -1;
inline constexpr std::int32_t kXidPing = -2;
inline constexpr std::int32_t kXidAuth = -4;
inline constexpr std::int32_t kXidSetWatches = -8;

/// Permission bits of Acl::perms.
inline constexpr std::int32_t kPermRead = 1;
inline constexpr std::int32_t kPermWrite = 2;
inline constexpr std::int32_t kPermCreate = 4;
inline constexpr std::int32_t kPermDelete = 8;
inline constexpr std::int32_t kPermAdmin = 16;
inline constexpr std::int32_t kPermAll = 31;

/// Apache's spelling of the operation ("getChildren2"), fit for logs and label values; "unknown" for other
/// values.
const char* name(OpCode code);
/// Apache's spelling of the error ("NODEEXISTS"); "unknown" for other values.
const char* name(ErrorCode code);
/// Apache's spelling of the event ("NodeDataChanged"); "unknown" for other values.
const char* name(EventType type);
/// Apache's spelling of the state ("SyncConnected"); "unknown" for other values.
const char* name(KeeperState state);

}  // namespace wk::jute
