#include "exporter/app/member_lookup.h"

#include <gtest/gtest.h>

#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using sample::healthy_ensemble;

TEST(MemberLookup, FindsByNameHostAndServerId) {
  const Snapshot snapshot = sample::snapshot({healthy_ensemble("a")});
  EXPECT_EQ(find_member(snapshot, "zk2:2181", "")->member->name, "zk2:2181");
  EXPECT_EQ(find_member(snapshot, "zk3", "")->member->name, "zk3:2181");
  EXPECT_EQ(find_member(snapshot, "1", "")->member->name, "zk1:2181");
  EXPECT_EQ(find_member(snapshot, "1", "a")->ensemble->name, "a");
}

TEST(MemberLookup, Ipv6HostsWithAndWithoutBrackets) {
  Snapshot snapshot = sample::snapshot({healthy_ensemble("a")});
  snapshot.ensembles[0].members[0].name = "[2001:db8::1]:2181";
  EXPECT_EQ(find_member(snapshot, "2001:db8::1", "")->member->name, "[2001:db8::1]:2181");
  EXPECT_EQ(find_member(snapshot, "[2001:db8::1]", "")->member->name, "[2001:db8::1]:2181");
}

TEST(MemberLookup, UnknownNamesTheKnownOnes) {
  const Snapshot snapshot = sample::snapshot({healthy_ensemble("a")});
  const auto missing = find_member(snapshot, "zk9", "");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
  EXPECT_EQ(missing.error().message, "no member is called \"zk9\"; known ones: zk1:2181, zk2:2181, zk3:2181");
  const auto ensemble = find_member(snapshot, "zk1", "b");
  ASSERT_FALSE(ensemble);
  EXPECT_EQ(ensemble.error().code, Errc::kNotFound);
  EXPECT_EQ(ensemble.error().message, "no ensemble is called \"b\"; known ones: a");
}

TEST(MemberLookup, NothingButAnExactNameMatches) {
  const Snapshot snapshot = sample::snapshot({healthy_ensemble("a")});
  for (const char* name : {"zk", "ZK1", "zk1:218", " zk1", "zk1:2181 ", "-1", "01", ""})
    EXPECT_FALSE(find_member(snapshot, name, "")) << name;
}

TEST(MemberLookup, SeveralCandidatesAreListed) {
  Snapshot snapshot = sample::snapshot({healthy_ensemble("a"), healthy_ensemble("b")});
  const auto ambiguous = find_member(snapshot, "zk1:2181", "");
  ASSERT_FALSE(ambiguous);
  EXPECT_EQ(ambiguous.error().code, Errc::kInvalidInput);
  EXPECT_EQ(ambiguous.error().message,
            "\"zk1:2181\" fits 2 members; name one of them: member=zk1:2181&ensemble=a, "
            "member=zk1:2181&ensemble=b");
  EXPECT_EQ(find_member(snapshot, "zk1:2181", "b")->ensemble->name, "b");
  snapshot.ensembles.pop_back();
  snapshot.ensembles[0].members[1].name = "zk1:2182";
  EXPECT_EQ(
      find_member(snapshot, "zk1", "").error().message,
      "\"zk1\" fits 2 members; name one of them: member=zk1:2181&ensemble=a, member=zk1:2182&ensemble=a");
}

TEST(MemberLookup, MessagesStayShort) {
  Snapshot snapshot = sample::snapshot({sample::unknown_ensemble("a", 100)});
  const auto missing = find_member(snapshot, std::string(10'000, 'x') + "\n", "");
  ASSERT_FALSE(missing);
  EXPECT_LT(missing.error().message.size(), 500u);
  EXPECT_NE(missing.error().message.find("and 80 more"), std::string::npos);
}

}  // namespace
}  // namespace wk::exporter
