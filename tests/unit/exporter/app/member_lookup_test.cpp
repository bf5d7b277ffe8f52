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

/// zk-0 to zk-2 of a StatefulSet.
Snapshot stateful_set(const char* domain) {
  Snapshot snapshot = sample::snapshot({healthy_ensemble("a")});
  for (std::size_t i = 0; i < 3; ++i)
    snapshot.ensembles[0].members[i].name = "zk-" + std::to_string(i) + domain + ":2181";
  return snapshot;
}

TEST(MemberLookup, APodIsFoundByItsHostNameAndByItsFullName) {
  const Snapshot snapshot = stateful_set(".zk-headless");
  for (const char* name : {"zk-1", "zk-1:2181", "zk-1.zk-headless", "zk-1.zk-headless.prod.svc.cluster.local",
                           "zk-1.zk-headless.prod.svc.cluster.local:2181"}) {
    const auto found = find_member(snapshot, name, "");
    ASSERT_TRUE(found) << name << ": " << found.error().message;
    EXPECT_EQ(found->member->name, "zk-1.zk-headless:2181") << name;
  }
  EXPECT_EQ(find_member(stateful_set(""), "zk-2.zk-headless", "")->member->name, "zk-2:2181");
}

TEST(MemberLookup, LabelsAreWhole) {
  const Snapshot snapshot = stateful_set(".zk-headless");
  for (const char* name :
       {"zk", "zk-", "zk-1.", "zk-1.zk", "zk-1.zk-headles", "zk-1.zk-headless2", "zk-1.zk-headless.", "zk-11",
        "zk-1.zk-headless-x.prod", "zk-headless", ".zk-headless", "ZK-1", "zk-1:2182", "zk-1:", "zk-1:21810",
        "zk-1.zk-headless.prod:2182", ":2181", ".", "x.zk-1.zk-headless"})
    EXPECT_FALSE(find_member(snapshot, name, "")) << name;
}

TEST(MemberLookup, PartsOfAddressesAndNumbersAreNoNames) {
  Snapshot snapshot = sample::snapshot({healthy_ensemble("a")});
  auto& members = snapshot.ensembles[0].members;
  members[0].name = "10.0.0.1:2181";
  members[1].name = "[2001:db8::1]:2181";
  members[2].name = "77.zk.example.org:2181";
  for (const char* name : {"10", "10:2181", "10.0.0.1.example.org", "2001", "[2001:db8::1].x", "77"})
    EXPECT_FALSE(find_member(snapshot, name, "")) << name;
}

TEST(MemberLookup, AnExactNameGoesBeforeAPart) {
  Snapshot snapshot = stateful_set(".zk-headless");
  snapshot.ensembles[0].members[2].name = "zk-1:2181";
  EXPECT_EQ(find_member(snapshot, "zk-1", "")->member->name, "zk-1:2181");
  EXPECT_EQ(find_member(snapshot, "zk-1.zk-headless", "")->member->name, "zk-1.zk-headless:2181");
}

TEST(MemberLookup, APartThatFitsSeveralIsRefused) {
  Snapshot snapshot = stateful_set(".one");
  snapshot.ensembles.push_back(stateful_set(".two").ensembles[0]);
  snapshot.ensembles[1].name = "b";
  const auto ambiguous = find_member(snapshot, "zk-1", "");
  ASSERT_FALSE(ambiguous);
  EXPECT_EQ(ambiguous.error().code, Errc::kInvalidInput);
  EXPECT_EQ(ambiguous.error().message,
            "\"zk-1\" fits 2 members; name one of them: member=zk-1.one:2181&ensemble=a, "
            "member=zk-1.two:2181&ensemble=b");
  EXPECT_EQ(find_member(snapshot, "zk-1", "b")->member->name, "zk-1.two:2181");
  EXPECT_EQ(find_member(snapshot, "zk-1.two.ns", "")->member->name, "zk-1.two:2181");
  // The same host twice, and one name that continues another.
  snapshot.ensembles.pop_back();
  snapshot.ensembles[0].members[0].name = "zk-1.one:2182";
  EXPECT_EQ(find_member(snapshot, "zk-1", "").error().code, Errc::kInvalidInput);
  EXPECT_EQ(find_member(snapshot, "zk-1:2182", "")->member->name, "zk-1.one:2182");
  snapshot.ensembles[0].members[0].name = "zk-1.one.prod:2181";
  EXPECT_EQ(find_member(snapshot, "zk-1.one.prod.svc", "").error().code, Errc::kInvalidInput);
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
