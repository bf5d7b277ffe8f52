// What stands out among all that a Replica does, with names: kept for people beside the numbers of Stats.
//
// Everything is bounded, and none of it begins anew when statistics are reset. Thread: core.
#pragma once

#include "server/replica/absent_clients.h"
#include "server/replica/expired_sessions.h"
#include "server/replica/fan_outs.h"
#include "server/replica/hot_paths.h"
#include "server/replica/settings.h"
#include "server/replica/slow_requests.h"
#include "server/replica/still_times.h"

namespace wk::replica {

struct Notable {
  explicit Notable(const Settings& settings)
      : hot_reads(settings.random_seed),
        // Another sequence of the same seed.
        hot_writes(settings.random_seed ^ 0x9e3779b97f4a7c15U),
        slow(settings.slow_request) {}

  HotPaths hot_reads;   ///< by reads of a znode
  HotPaths hot_writes;  ///< by changes that were applied
  FanOuts fan_outs;
  SlowRequests slow;
  StillTimes still;       ///< this server: time between two inputs
  StillTimes slow_syncs;  ///< of its log
  AbsentClients absent;
  ExpiredSessions expired;
  bool purging = false;  ///< old files are being removed, see PurgeUnderWay
};

}  // namespace wk::replica
