#include "server/tree/acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/server/tree/acl_lists.h"

namespace wk::tree {
namespace {

using jute::Acl;
using jute::ErrorCode;
using jute::Id;
using testing::ElementsAre;

const AclPolicy kPolicy{};
const Id kPeer{"ip", "10.1.2.3"};
const Id kBob{"digest", "bob:hash"};
const Id kEve{"digest", "eve:hash"};
const Id kSuper{"super", ""};

bool allowed(const AclBytes& acl, std::int32_t wanted, std::vector<Id> identities,
             AclPolicy policy = kPolicy) {
  return permits(acl.view(), wanted, identities, policy);
}

TEST(Permits, WorldAnyoneGrantsItsBitsToAll) {
  EXPECT_TRUE(allowed(kReadList, jute::kPermRead, {}));
  EXPECT_FALSE(allowed(kReadList, jute::kPermWrite, {kPeer, kBob}));
  EXPECT_TRUE(allowed(kReadList, jute::kPermRead | jute::kPermAdmin, {}));
}

TEST(Permits, EmptyListSuperAndSkipAclGrantEverything) {
  EXPECT_TRUE(allowed(AclBytes{}, jute::kPermAdmin, {}));
  EXPECT_TRUE(allowed(kReadList, jute::kPermWrite, {kPeer, kSuper}));
  EXPECT_TRUE(allowed(kReadList, jute::kPermWrite, {}, {.skip_acl = true}));
}

TEST(Permits, DigestNeedsTheSameIdAndScheme) {
  const AclBytes acl{{jute::kPermWrite, {"digest", "bob:hash"}}, {jute::kPermRead, {"digest", "eve:hash"}}};
  EXPECT_TRUE(allowed(acl, jute::kPermWrite, {kPeer, kBob}));
  EXPECT_FALSE(allowed(acl, jute::kPermWrite, {kPeer, kEve}));
  EXPECT_TRUE(allowed(acl, jute::kPermRead, {kEve}));
  EXPECT_FALSE(allowed(acl, jute::kPermWrite, {{"sasl", "bob:hash"}}));
  EXPECT_FALSE(allowed(acl, jute::kPermWrite, {kBob}, {.digest_enabled = false}));
}

TEST(Permits, NobodyMatchesASchemeWithoutProvider) {
  const AclBytes acl{{jute::kPermAll, {"sasl", "bob"}},
                     {jute::kPermAll, {"world", "bob"}},
                     {jute::kPermAll, {"auth", ""}},
                     {jute::kPermAll, {std::nullopt, std::nullopt}},
                     {jute::kPermAll, {"digest", std::nullopt}}};
  EXPECT_FALSE(allowed(acl, jute::kPermRead,
                       {{"sasl", "bob"},
                        {"world", "bob"},
                        {"auth", ""},
                        kBob,
                        {std::nullopt, std::nullopt},
                        {"digest", std::nullopt}}));
}

TEST(Permits, IpGoesByTheMask) {
  const AclBytes acl{{jute::kPermRead, {"ip", "10.1.0.0/16"}}};
  EXPECT_TRUE(allowed(acl, jute::kPermRead, {kPeer}));
  EXPECT_FALSE(allowed(acl, jute::kPermRead, {{"ip", "10.2.2.3"}}));
}

TEST(IpId, Validity) {
  for (const char* id :
       {"10.0.0.1", "0.0.0.0/0", "255.255.255.255/32", "10.0.0.1/8", "::1", "1::", "::", "::/0",
        "0:0:0:0:0:0:0:1", "1:2:3:4:5:6:7:8/128", "fe80::a", "ABCD::/64", "+1.2.3.4"})
    EXPECT_TRUE(is_valid_ip_id(id)) << id;
  for (const char* id : {"",
                         "a",
                         "10.0.0",
                         "10.0.0.1.2",
                         "10.0.0.256",
                         "10.0.0.-1",
                         "10.0.0.",
                         "10.0.0.1/33",
                         "10.0.0.1/-1",
                         "10.0.0.1/",
                         "10.0.0.1/a",
                         "10.0.0.1/8/8",
                         "1:2:3:4:5:6:7",
                         "1:2:3:4:5:6:7:8:9",
                         "1:2:3:4::5:6:7:8",
                         "1::2::3",
                         ":::",
                         "12345::",
                         "g::",
                         "::1/129",
                         "::ffff:1.2.3.4",
                         ":1",
                         " 10.0.0.1",
                         "10.0.0.1 ",
                         "0x1.2.3.4",
                         "+-1.2.3.4"})
    EXPECT_FALSE(is_valid_ip_id(id)) << id;
}

TEST(IpId, MatchesUnderTheMaskOnly) {
  EXPECT_TRUE(ip_matches("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(ip_matches("10.1.2.4", "10.1.2.3"));
  EXPECT_TRUE(ip_matches("10.1.2.4", "10.1.2.3/29"));
  EXPECT_FALSE(ip_matches("10.1.2.4", "10.1.2.3/30"));
  EXPECT_TRUE(ip_matches("192.168.0.1", "10.1.2.3/0"));
  EXPECT_TRUE(ip_matches("0:0:0:0:0:0:0:1", "::1"));
  EXPECT_TRUE(ip_matches("fe80:0:0:0:1:2:3:4", "fe80::/10"));
  EXPECT_FALSE(ip_matches("fec0:0:0:0:1:2:3:4", "fe80::/10"));
  EXPECT_FALSE(ip_matches("0.0.0.1", "::1"));
  EXPECT_FALSE(ip_matches("0:0:0:0:0:0:0:1", "0.0.0.0/0"));
  EXPECT_FALSE(ip_matches("", "0.0.0.0/0"));
  EXPECT_FALSE(ip_matches("10.1.2.3", "10.1.2.3/33"));
}

TEST(DigestId, TwoPartsWithTrailingEmptyOnesIgnored) {
  for (const char* id : {"a:b", ":b", "a:b:", "a:b:::"}) EXPECT_TRUE(is_valid_digest_id(id)) << id;
  for (const char* id : {"", "a", "a:", "a::", ":", "a:b:c", "::b"})
    EXPECT_FALSE(is_valid_digest_id(id)) << id;
}

class Normalise : public testing::Test {
 protected:
  NormalisedAcl run(const std::optional<jute::AclListView>& acl) {
    return normalise_acl(acl, identities_, policy_, storage_);
  }
  std::vector<Acl> list(const AclBytes& acl) {
    const NormalisedAcl result = run(acl.view());
    EXPECT_EQ(result.error, ErrorCode::kOk);
    return copy(result.list);
  }
  ErrorCode error(const AclBytes& acl) { return run(acl.view()).error; }

  std::vector<Id> identities_{kPeer, kBob, kEve};
  AclPolicy policy_{};
  std::vector<std::byte> storage_;
};

TEST_F(Normalise, NullAndEmptyListsAreInvalid) {
  EXPECT_EQ(run(std::nullopt).error, ErrorCode::kInvalidAcl);
  EXPECT_EQ(run(AclBytes{}.view()).error, ErrorCode::kInvalidAcl);
}

TEST_F(Normalise, KeepsWhatNeedsNoChange) {
  EXPECT_THAT(list(kOpenList), ElementsAre(Acl{31, {"world", "anyone"}}));
  EXPECT_THAT(
      list({{1, {"ip", "10.0.0.0/8"}}, {0, {"digest", "x:y"}}, {-1, {"world", "anyone"}}}),
      ElementsAre(Acl{1, {"ip", "10.0.0.0/8"}}, Acl{0, {"digest", "x:y"}}, Acl{-1, {"world", "anyone"}}));
}

TEST_F(Normalise, MalformedTextIsReplaced) {
  EXPECT_THAT(list({{1, {"digest", "caf\xe9:x"}}}), ElementsAre(Acl{1, {"digest", "caf\xef\xbf\xbd:x"}}));
}

TEST_F(Normalise, NullThatHasToBeComparedIsAMarshallingError) {
  EXPECT_EQ(error({{3, {"auth", ""}}, {3, {"auth", std::nullopt}}}), ErrorCode::kMarshallingError);
  EXPECT_EQ(error({{1, {"digest", "x:y"}}, {1, {std::nullopt, "z"}}}), ErrorCode::kMarshallingError);
  EXPECT_EQ(error({{1, {std::nullopt, "z"}}, {1, {"digest", "x:y"}}}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(error({{1, {"digest", "x:y"}}, {2, {std::nullopt, "z"}}}), ErrorCode::kInvalidAcl);
  EXPECT_THAT(list({{3, {"auth", std::nullopt}}, {3, {"auth", ""}}}),
              ElementsAre(Acl{3, kBob}, Acl{3, kEve}, Acl{3, kBob}, Acl{3, kEve}));
}

TEST_F(Normalise, DropsExactDuplicatesAndKeepsTheOrder) {
  EXPECT_THAT(list({{1, {"digest", "x:y"}},
                    {1, {"world", "anyone"}},
                    {1, {"digest", "x:y"}},
                    {2, {"digest", "x:y"}},
                    {1, {"world", "anyone"}}}),
              ElementsAre(Acl{1, {"digest", "x:y"}}, Acl{1, {"world", "anyone"}}, Acl{2, {"digest", "x:y"}}));
}

TEST_F(Normalise, AuthBecomesTheAuthenticatedIdentities) {
  identities_.push_back(kSuper);
  EXPECT_THAT(list({{3, {"auth", "whatever"}}, {1, {"world", "anyone"}}}),
              ElementsAre(Acl{3, kBob}, Acl{3, kEve}, Acl{1, {"world", "anyone"}}));
  EXPECT_THAT(list({{3, {"auth", std::nullopt}}}), ElementsAre(Acl{3, kBob}, Acl{3, kEve}));
}

TEST_F(Normalise, AuthWithoutAnAuthenticatedIdentityIsInvalid) {
  identities_ = {kPeer, kSuper};
  EXPECT_EQ(error({{3, {"auth", ""}}}), ErrorCode::kInvalidAcl);
  identities_ = {kPeer, kBob};
  policy_.digest_enabled = false;
  EXPECT_EQ(error({{3, {"auth", ""}}}), ErrorCode::kInvalidAcl);
}

TEST_F(Normalise, UnknownSchemesAndInvalidIdsAreInvalid) {
  for (const jute::IdView& id : std::initializer_list<jute::IdView>{{"world", "someone"},
                                                                    {"super", ""},
                                                                    {"sasl", "bob"},
                                                                    {"x509", "CN=bob"},
                                                                    {"", ""},
                                                                    {"WORLD", "anyone"},
                                                                    {"ip", "not an address"},
                                                                    {"digest", "nocolon"},
                                                                    {"nonesuch", std::nullopt},
                                                                    {std::nullopt, "anyone"}})
    EXPECT_EQ(error({{31, id}}), ErrorCode::kInvalidAcl)
        << id.scheme.value_or("null") << ":" << id.id.value_or("null");
  policy_.digest_enabled = false;
  EXPECT_EQ(error({{31, {"digest", "x:y"}}}), ErrorCode::kInvalidAcl);
}

TEST_F(Normalise, NullIdOfAKnownSchemeIsAMarshallingError) {
  for (const char* scheme : {"world", "ip", "digest"})
    EXPECT_EQ(error({{31, {scheme, std::nullopt}}}), ErrorCode::kMarshallingError) << scheme;
}

TEST_F(Normalise, TheFirstOffendingEntryDecides) {
  EXPECT_EQ(error({{31, {"world", std::nullopt}}, {31, {"nonesuch", "x"}}}), ErrorCode::kMarshallingError);
  EXPECT_EQ(error({{31, {"nonesuch", "x"}}, {31, {"world", std::nullopt}}}), ErrorCode::kInvalidAcl);
}

// Each malformed byte becomes three: what would not fit any string must not leave half a list behind.
TEST_F(Normalise, AnIdBlownUpByItsRepairIsCutOff) {
  const std::string id = std::string(700'000, '\xff') + ":x";
  EXPECT_EQ(error({{31, {"digest", id}}}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(error({{31, {"digest", id}}, {31, {"world", "anyone"}}}), ErrorCode::kInvalidAcl);
  EXPECT_EQ(error({{31, {"world", "anyone"}}, {31, {"digest", id}}}), ErrorCode::kInvalidAcl);
}

// As a client may send with a raised jute.maxbuffer.
TEST_F(Normalise, AnIdLongerThanStringsAreByDefaultIsCutOff) {
  const std::string id = "u:" + std::string(3'000'000, 'x');
  std::vector<std::byte> bytes;
  jute::Writer out(bytes, jute::kLongestString);
  write(out, jute::AclView{31, {"digest", id}});
  EXPECT_EQ(run(jute::AclListView(bytes, 1)).error, ErrorCode::kInvalidAcl);
}

TEST_F(Normalise, AListBlownUpByAuthIsCutOff) {
  identities_.assign(2'000, Id{"digest", "u:" + std::string(600, 'x')});
  EXPECT_EQ(error({{1, {"auth", ""}}}), ErrorCode::kInvalidAcl);
  identities_.resize(1'000);
  EXPECT_EQ(list({{1, {"auth", ""}}}).size(), 1'000U);
  EXPECT_EQ(error({{1, {"auth", ""}}, {2, {"auth", ""}}}), ErrorCode::kInvalidAcl);
}

}  // namespace
}  // namespace wk::tree
