#include "server/txn/operation.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "server/txn/preparation.h"
#include "server/txn/reading.h"

namespace wk::txn {

namespace {

using jute::OpCode;

constexpr Operation reading(OpCode code, const char* last_operation, jute::ErrorCode (*read)(Reading&)) {
  return {code, last_operation, Service::kRead, Asker::kClient, nullptr, read};
}

constexpr Operation writing(OpCode code, const char* last_operation, jute::ErrorCode (*prepare)(Preparation&),
                            Asker asker = Asker::kClient) {
  return {code, last_operation, Service::kWrite, asker, prepare, nullptr};
}

constexpr Operation elsewhere(OpCode code, const char* last_operation, Service service, Asker asker) {
  return {code, last_operation, service, asker, nullptr, nullptr};
}

constexpr std::array<Operation, kOperationCount> kOperations{{
    writing(OpCode::kCloseSession, "CLOS", prepare_close_session),
    // Differs: from a client 3.9.5 takes this one, and deleteContainer, at their word.
    writing(OpCode::kCreateSession, "SESS", prepare_create_session, Asker::kServer),
    elsewhere(OpCode::kError, "NA", Service::kConnection, Asker::kServer),
    elsewhere(OpCode::kNotification, "NA", Service::kConnection, Asker::kServer),
    writing(OpCode::kCreate, "CREA", prepare_create),
    writing(OpCode::kDelete, "DELE", prepare_delete),
    reading(OpCode::kExists, "EXIS", read_exists),
    reading(OpCode::kGetData, "GETD", read_data),
    writing(OpCode::kSetData, "SETD", prepare_set_data),
    reading(OpCode::kGetAcl, "GETA", read_acl),
    writing(OpCode::kSetAcl, "SETA", prepare_set_acl),
    reading(OpCode::kGetChildren, "GETC", read_children),
    {OpCode::kSync, "SYNC", Service::kSync, Asker::kClient, nullptr, read_sync},
    reading(OpCode::kPing, "PING", read_nothing),
    reading(OpCode::kGetChildren2, "GETC", read_children_and_stat),
    elsewhere(OpCode::kCheck, "CHEC", Service::kWrite, Asker::kMultiOnly),
    writing(OpCode::kMulti, "MULT", prepare_multi),
    writing(OpCode::kCreate2, "CREA", prepare_create),
    writing(OpCode::kReconfig, "RECO", prepare_reconfig),
    reading(OpCode::kCheckWatches, "CHKW", read_check_watches),
    reading(OpCode::kRemoveWatches, "REMW", read_remove_watches),
    writing(OpCode::kCreateContainer, "CREA", prepare_create),
    writing(OpCode::kDeleteContainer, "DELE", prepare_delete_container, Asker::kServer),
    writing(OpCode::kCreateTtl, "CREA", prepare_create),
    reading(OpCode::kMultiRead, "MLTR", read_multi),
    elsewhere(OpCode::kAuth, "NA", Service::kConnection, Asker::kClient),
    reading(OpCode::kSetWatches, "SETW", read_set_watches),
    elsewhere(OpCode::kSasl, "NA", Service::kConnection, Asker::kClient),
    reading(OpCode::kGetEphemerals, "GETE", read_ephemerals),
    reading(OpCode::kGetAllChildrenNumber, "GETACN", read_all_children_number),
    reading(OpCode::kSetWatches2, "STW2", read_set_watches2),
    reading(OpCode::kAddWatch, "ADDW", read_add_watch),
    reading(OpCode::kWhoAmI, "HOMI", read_who_am_i),
}};

static_assert(std::ranges::is_sorted(kOperations, {}, &Operation::code));

}  // namespace

std::span<const Operation, kOperationCount> operations() { return kOperations; }

const Operation* find_operation(OpCode code) {
  const auto* found = std::ranges::lower_bound(kOperations, code, {}, &Operation::code);
  return found != kOperations.end() && found->code == code ? found : nullptr;
}

std::size_t index_of(const Operation& operation) {
  const auto index = static_cast<std::size_t>(&operation - kOperations.data());
  WK_CHECK(index < kOperations.size(), "an operation that is not in the table");
  return index;
}

}  // namespace wk::txn
