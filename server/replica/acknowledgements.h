// Which transactions a quorum has on stable storage.
//
// Each voter acknowledges by the highest zxid it has synced (logs are prefixes, so one number a voter is
// enough); a transaction is committed when the voters that have reached it form a quorum. A standalone server
// is a quorum of one: its own log decides alone.
// Pure. Thread: core. Source: Leader.java (tryToCommit); reference quorum-protocol "Leader on ACK".
#pragma once

#include <map>

#include "base/ids.h"
#include "server/quorum/verifier.h"

namespace wk::replica {

class Acknowledgements {
 public:
  /// \param start  everything up to here is committed already
  Acknowledgements(quorum::Verifier voters, Zxid start);

  /// `server` has everything up to `zxid` on stable storage. Older numbers, and servers that are no voters,
  /// change nothing.
  void record(ServerId server, Zxid zxid);
  /// Everything up to here is on stable storage of a quorum; never decreases.
  [[nodiscard]] Zxid committed() const { return committed_; }
  /// What one voter has acknowledged; Zxid{0} before its first.
  [[nodiscard]] Zxid acknowledged(ServerId server) const;

 private:
  quorum::Verifier voters_;
  std::map<ServerId, Zxid> reached_;
  Zxid committed_;
};

}  // namespace wk::replica
