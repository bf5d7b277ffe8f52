#include "server/txn/operation.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace wk::txn {
namespace {

using jute::OpCode;

TEST(Operations, AreFoundByTheirCodes) {
  for (const Operation& operation : operations()) {
    EXPECT_EQ(find_operation(operation.code), &operation) << operation.name();
    EXPECT_EQ(&operations()[index_of(operation)], &operation);
    EXPECT_STRNE(operation.name(), "unknown");
  }
  for (const std::int32_t code : {-12, -2, 10, 23, 99, 108, 888, 2147483647})
    EXPECT_EQ(find_operation(OpCode{code}), nullptr) << code;
}

TEST(Operations, HaveTheHandlersOfTheirService) {
  for (const Operation& operation : operations()) {
    const bool is_write = operation.service == Service::kWrite && operation.asker != Asker::kMultiOnly;
    const bool is_read = operation.service == Service::kRead || operation.service == Service::kSync;
    EXPECT_EQ(operation.prepare != nullptr, is_write) << operation.name();
    EXPECT_EQ(operation.read != nullptr, is_read) << operation.name();
  }
}

TEST(Operations, OfServersAreNotForClients) {
  std::set<std::string> refused;
  for (const Operation& operation : operations())
    if (operation.asker != Asker::kClient) refused.insert(operation.name());
  EXPECT_EQ(refused,
            (std::set<std::string>{"check", "createSession", "deleteContainer", "error", "notification"}));
}

TEST(Operations, TellWhatConsPrints) {
  EXPECT_STREQ(find_operation(OpCode::kGetChildren)->last_operation, "GETC");
  EXPECT_STREQ(find_operation(OpCode::kGetChildren2)->last_operation, "GETC");
  EXPECT_STREQ(find_operation(OpCode::kGetAllChildrenNumber)->last_operation, "GETACN");
  EXPECT_STREQ(find_operation(OpCode::kSetWatches2)->last_operation, "STW2");
  EXPECT_STREQ(find_operation(OpCode::kWhoAmI)->last_operation, "HOMI");
  EXPECT_STREQ(find_operation(OpCode::kCreateTtl)->last_operation, "CREA");
}

}  // namespace
}  // namespace wk::txn
