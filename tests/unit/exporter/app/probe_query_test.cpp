#include "exporter/app/probe_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// Two ensembles that both have zk1:2181; "a" speaks TLS and has credentials.
std::vector<EnsembleSpec> ensembles() {
  EnsembleSpec a;
  a.name = "a";
  TargetSpec member;
  member.name = "zk1:2181";
  member.host = "zk1";
  member.tls.emplace().ca_file = "ca.pem";
  member.admin_url = "http://zk1:8080/commands";
  member.http_auth = BasicAuthSpec{"me", "hunter2"};
  member.timeout = 3s;
  a.members = {member};
  EnsembleSpec b;
  b.name = "b";
  member.tls.reset();
  member.http_auth.reset();
  b.members = {member};
  return {a, b};
}

Result<ProbeQuery> parse(const Query& query, std::string_view scrape_timeout = "",
                         ProbePolicy policy = ProbePolicy::kAny) {
  return parse_probe_query(query, scrape_timeout, policy, ensembles(), {});
}

TEST(ProbeQuery, AListedTargetIsVisitedAsConfigured) {
  const auto probe = parse({{"target", "zk1"}});
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_EQ(probe->ensemble, "a");
  EXPECT_EQ(probe->target.name, "zk1:2181");
  EXPECT_EQ(probe->target.tls->ca_file, "ca.pem");
  EXPECT_EQ(probe->target.admin_url, "http://zk1:8080/commands");
  EXPECT_EQ(probe->target.timeout, 3s);
  EXPECT_FALSE(probe->families.zookeeper39_instance);
  const auto other = parse({{"target", "zk1:2181"}, {"ensemble", "b"}});
  EXPECT_EQ(other->ensemble, "b");
  EXPECT_FALSE(other->target.tls);
}

TEST(ProbeQuery, AnUnlistedTargetGetsNothingButItsClientPort) {
  const auto probe = parse({{"target", "10.0.0.9"}, {"ensemble", "lab"}});
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->ensemble, "lab");
  EXPECT_EQ(probe->target.name, "10.0.0.9:2181");
  EXPECT_FALSE(probe->target.tls);
  EXPECT_EQ(probe->target.admin_url, "");
  EXPECT_EQ(probe->target.timeout, 1s);
  EXPECT_EQ(parse({{"target", "10.0.0.9"}})->ensemble, "default");
}

TEST(ProbeQuery, AModuleLendsTlsAndTimeoutButNoCredentials) {
  const auto probe = parse({{"target", "zk9:2281"}, {"module", "a"}});
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->target.tls->ca_file, "ca.pem");
  EXPECT_EQ(probe->target.timeout, 3s);
  EXPECT_FALSE(probe->target.http_auth);
  EXPECT_EQ(parse({{"target", "zk9"}, {"module", "c"}}).error().code, Errc::kNotFound);
}

TEST(ProbeQuery, AClientCertificateIsShownToConfiguredMembersAlone) {
  auto configured = ensembles();
  configured[0].members[0].tls->cert_file = "me.pem";
  configured[0].members[0].tls->key_file = "me.key";
  const auto probed = [&](const Query& query) {
    return parse_probe_query(query, "", ProbePolicy::kAny, configured, {});
  };
  const auto refused = probed({{"target", "zk9"}, {"module", "a"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kNotAllowed);
  EXPECT_EQ(refused.error().message,
            "parameter \"module\": the ensemble \"a\" has a client certificate, which is shown to configured "
            "members "
            "only; add zk9:2181 to the configuration or leave module out");
  EXPECT_EQ(probed({{"target", "zk1"}, {"module", "a"}})->target.tls->cert_file, "me.pem");
  EXPECT_FALSE(probed({{"target", "zk9"}})->target.tls);
  EXPECT_FALSE(probed({{"target", "zk9"}, {"module", "b"}})->target.tls);
}

TEST(ProbeQuery, PrometheusTimeoutBecomesTheDeadline) {
  const auto deadline = [](std::string_view header) {
    return parse({{"target", "zk1"}}, header)->target.timeout;
  };
  EXPECT_EQ(deadline("10"), 9500ms);
  EXPECT_EQ(deadline("1.5"), 1s);
  EXPECT_EQ(deadline("1"), 500ms);
  EXPECT_EQ(deadline("0.75"), 375ms);
  EXPECT_EQ(deadline("0.01"), 50ms);
  EXPECT_EQ(deadline("60.5"), 60s);
  EXPECT_EQ(deadline("1e30"), 60s);
  for (const char* header : {"", "x", "-1", "0", "nan", "10s"}) EXPECT_EQ(deadline(header), 3s) << header;
}

TEST(ProbeQuery, PoliciesForbid) {
  EXPECT_TRUE(parse({{"target", "zk1"}}, "", ProbePolicy::kListed));
  const auto unlisted = parse({{"target", "zk9"}}, "", ProbePolicy::kListed);
  ASSERT_FALSE(unlisted);
  EXPECT_EQ(unlisted.error().code, Errc::kNotAllowed);
  EXPECT_EQ(unlisted.error().message,
            "zk9:2181 is no configured member, and --probe=listed allows no other target; add it to the "
            "configuration or "
            "start the exporter with --probe=any");
  EXPECT_EQ(parse({{"target", "zk1"}}, "", ProbePolicy::kOff).error().code, Errc::kNotAllowed);
}

TEST(ProbeQuery, BadTargetsAreTheCallersMistake) {
  for (const char* target :
       {"", "zk1:0", "zk1:x", "http://zk1:2181", "zk1,zk2", "zk 1", "a\"b:1", "[::1", "zk1\n", ":2181",
        "::1:2181", "::1", "2181", "2181:2181", "[2181]", "[zk1]:2181", "127.1", "10.0.0.256:2181"}) {
    const auto probe = parse({{"target", target}});
    ASSERT_FALSE(probe) << target;
    EXPECT_EQ(probe.error().code, Errc::kInvalidInput) << target;
    EXPECT_THAT(probe.error().message, HasSubstr("parameter \"target\"")) << target;
  }
  EXPECT_EQ(parse({}).error().code, Errc::kInvalidInput);
  EXPECT_EQ(parse({{"target", "zk1"}, {"target", "zk2"}}).error().code, Errc::kInvalidInput);
  EXPECT_EQ(parse({{"target", "zk1"}, {"ensemble", "a\"b"}}).error().code, Errc::kInvalidInput);
}

TEST(FamilyQuery, ChoosesAmongFamilies) {
  const auto defaults = parse_family_query({}, {});
  EXPECT_TRUE(defaults->selection.native);
  EXPECT_TRUE(defaults->exporter);
  const auto two = parse_family_query({{"family", "zookeeper39"}, {"family", "exporter"}}, {});
  EXPECT_FALSE(two->selection.native);
  EXPECT_FALSE(two->selection.zk);
  EXPECT_TRUE(two->selection.zookeeper39);
  EXPECT_TRUE(two->exporter);
  EXPECT_FALSE(parse_family_query({{"family", "native,zk"}}, {})->exporter);
  EXPECT_EQ(parse_family_query({{"family", "nativ"}}, {}).error().message,
            "parameter \"family\": no metric family is called \"nativ\"; known ones: native, zk, "
            "zookeeper39, exporter; did "
            "you mean \"native\"?");
}

}  // namespace
}  // namespace wk::exporter
