// The one table of operations: what each operation of the protocol is called, who may send it, how it is
// served, and the handlers that serve it.
//
// An operation is added here, in one row and one pair of handlers, and nowhere else.
// Thread: any; constant data. Pure.
// Source: ZooDefs.java (OpCode), Request.java (op2String), FinalRequestProcessor.java; reference "Opcodes and
// headers".
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "jute/codes.h"

namespace wk::txn {

class Preparation;
class Reading;

/// How an operation is served.
enum class Service : std::uint8_t {
  kRead,        ///< from the local tree, behind the session's earlier writes
  kWrite,       ///< as a transaction: prepare(), log, quorum, apply()
  kSync,        ///< flushes the way to the leader, then read() echoes the path
  kConnection,  ///< by the owner of the connection, as soon as it is read (auth, sasl)
};

/// Who may ask for it.
enum class Asker : std::uint8_t {
  kClient,     ///< any connection
  kMultiOnly,  ///< a client, but only as part of a multi
  kServer,     ///< only a server itself; from a client it is answered like an unknown operation
};

struct Operation {
  jute::OpCode code = jute::OpCode::kError;
  /// What `cons` prints as `lop`: "GETD"; "NA" when clients never cause it.
  const char* last_operation = "NA";
  Service service = Service::kRead;
  Asker asker = Asker::kClient;
  /// Of Service::kWrite. Fails with an ErrorCode before it changes anything, or records changes and the body.
  jute::ErrorCode (*prepare)(Preparation&) = nullptr;
  /// Of Service::kRead and kSync. Appends the reply's body, or answers an ErrorCode.
  jute::ErrorCode (*read)(Reading&) = nullptr;

  /// Apache's name, "getData".
  [[nodiscard]] const char* name() const { return jute::name(code); }
};

/// Number of rows; Operation::index() is below it.
inline constexpr std::size_t kOperationCount = 33;

/// All rows, in the order of their codes.
std::span<const Operation, kOperationCount> operations();

/// The row of a code, or null: no such operation. A client that sends an operation whose asker is not
/// kClient, or that is unknown, gets UNIMPLEMENTED with zxid -1 and is closed.
const Operation* find_operation(jute::OpCode code);

/// Place of a row in operations(), for arrays of counters.
std::size_t index_of(const Operation& operation);

}  // namespace wk::txn
