// Copies what stands out, with names, into the form that is published: hot znodes, herds, queues for locks,
// talkers, expired sessions, slow requests.
//
// Thread: core; called once a second. Every list is bounded, so its cost is.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "exporter/model/internals.h"
#include "server/node/surveys.h"
#include "server/replica/expired_sessions.h"
#include "server/replica/replica.h"

namespace wk::node {

class Standouts {
 public:
  Standouts(const replica::Replica& replica, const Surveys& surveys) : replica_(replica), surveys_(surveys) {}

  void copy(const Moment& now, exporter::ServerInternals& to);

 private:
  void copy_expired(exporter::ServerInternals& to);

  const replica::Replica& replica_;
  const Surveys& surveys_;
  /// Made anew only when a session has expired.
  std::shared_ptr<const std::vector<exporter::ExpiredSession>> expired_;
  std::uint64_t expired_total_ = 0;
};

/// Why the session expired, in a sentence.
std::string conclusion(const replica::ExpiredSession& session);

}  // namespace wk::node
