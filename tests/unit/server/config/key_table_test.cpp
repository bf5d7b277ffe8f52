#include "server/config/key_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/near_miss.h"

namespace wk::config {
namespace {

TEST(KeyTable, IsSortedSoThatFindWorks) {
  EXPECT_TRUE(std::ranges::is_sorted(key_table(), {}, &KeyRule::name));
  EXPECT_EQ(std::ranges::adjacent_find(key_table(), {}, &KeyRule::name), key_table().end());
}

TEST(KeyTable, WhateverIsNotHonouredSaysWhy) {
  for (const KeyRule& rule : key_table()) {
    const bool honoured = rule.standing == Standing::kWorks || rule.standing == Standing::kEnsemble;
    EXPECT_EQ(rule.note.empty(), honoured) << rule.name;
  }
}

TEST(KeyTable, KeysAreCaseSensitive) {
  ASSERT_NE(find_key("dataLogDir"), nullptr);
  EXPECT_EQ(find_key("dataLogdir"), nullptr);
  EXPECT_EQ(find_key("CLIENTPORT"), nullptr);
}

TEST(KeyTable, NearMissesOfTheArticlesAreFound) {
  EXPECT_EQ(near_miss("dataLogdir", key_names()), "dataLogDir");
  EXPECT_EQ(near_miss("preAllocsize", key_names()), "preAllocSize");
  EXPECT_EQ(near_miss("tickTme", key_names()), "tickTime");
  EXPECT_EQ(near_miss("autopurge.snapRetainCout", key_names()), "autopurge.snapRetainCount");
  EXPECT_EQ(near_miss("my.own.thing", key_names()), "");
}

TEST(KeyTable, NamesOfTheGuideLeadToRealKeys) {
  for (const char* name : {"connectionMaxTokens", "requestThrottleLimit", "maxConcurrentSnapSyncs",
                           "maxTimeToWaitForEpoch", "advancedFlowControlEnabled"}) {
    const auto real = real_name(name);
    ASSERT_TRUE(real) << name;
    EXPECT_NE(find_key(*real), nullptr) << name;
  }
  EXPECT_EQ(real_name("tickTime"), std::nullopt);
}

TEST(KeyTable, FamiliesAreKnownByTheirBeginning) {
  EXPECT_EQ(family_of("server.1"), KeyFamily::kServer);
  EXPECT_EQ(family_of("groupies"), KeyFamily::kGroup);
  EXPECT_EQ(family_of("weight.3"), KeyFamily::kWeight);
  EXPECT_EQ(family_of("authProvider.1"), KeyFamily::kAuthProvider);
  EXPECT_EQ(family_of("ssl.quorum.keyStore.location"), KeyFamily::kQuorumTls);
  EXPECT_EQ(family_of("ssl.keyStore.location"), KeyFamily::kClientTls);
  EXPECT_EQ(family_of("serverCnxn"), std::nullopt);
}

}  // namespace
}  // namespace wk::config
