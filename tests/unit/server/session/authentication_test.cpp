#include "server/session/authentication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wk::session {
namespace {

using ::testing::ElementsAre;

std::string id_of(std::string_view user_and_password, std::string_view algorithm = "SHA1") {
  const auto id = digest_id(user_and_password, algorithm);
  EXPECT_TRUE(id);
  return id ? *id : std::string();
}

TEST(DigestId, IsUserAndHashOfUserAndPassword) {
  EXPECT_EQ(id_of("super:test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
  EXPECT_EQ(id_of("u:p"), "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=");
}

TEST(DigestId, NeedsNoColonAndNoText) {
  EXPECT_EQ(id_of(""), ":2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
  EXPECT_EQ(id_of("blah"), "blah:W/H9kn37hnlJai5s8Ay+UMHIcUU=");
  EXPECT_EQ(id_of("a:b:c").substr(0, 2), "a:");
}

TEST(DigestId, ReadsBytesAsJavaDoes) {
  EXPECT_EQ(id_of("caf\xe9:x"), id_of("caf\xef\xbf\xbd:x"));
  EXPECT_EQ(id_of("caf\xe9:x").substr(0, 7), "caf\xef\xbf\xbd:");
}

TEST(DigestId, KnowsJavasNamesOfHashes) {
  EXPECT_EQ(id_of("super:test", "SHA-256"), "super:wjySwxg860UATFtciuZ1lpzrCHrPeov6SPu/ZD56uig=");
  EXPECT_EQ(id_of("super:test", "SHA3-256"), "super:cRy/KPYuDpW/dtsepniTMpuiuupnWgdU9txltIfv3hA=");
  const auto unknown = digest_id("u:p", "SHA-17");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::kNotFound);
  EXPECT_THAT(unknown.error().message, ::testing::HasSubstr("SHA-17"));
}

TEST(Authentication, DigestAddsOneIdentity) {
  const auto ids = Authentication().authenticate("digest", "u:p", "10.0.0.1");
  ASSERT_TRUE(ids);
  EXPECT_THAT(*ids, ElementsAre(jute::Id{"digest", "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="}));
}

TEST(Authentication, TheSuperDigestAddsSuperToo) {
  const auto authentication = Authentication::create({.super_digest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="});
  ASSERT_TRUE(authentication);
  const auto ids = authentication->authenticate("digest", "super:test", "10.0.0.1");
  ASSERT_TRUE(ids);
  EXPECT_THAT(*ids,
              ElementsAre(jute::Id{"super", ""}, jute::Id{"digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="}));
  const auto others = authentication->authenticate("digest", "super:wrong", "10.0.0.1");
  ASSERT_TRUE(others);
  EXPECT_EQ(others->size(), 1U);
}

TEST(Authentication, IpAddsTheAddressWhateverTheData) {
  const auto ids = Authentication().authenticate("ip", std::nullopt, "0:0:0:0:0:0:0:1");
  ASSERT_TRUE(ids);
  EXPECT_THAT(*ids, ElementsAre(jute::Id{"ip", "0:0:0:0:0:0:0:1"}));
}

TEST(Authentication, EverythingElseIsRefused) {
  for (const char* scheme : {"world", "auth", "super", "sasl", "x509", "", "Digest"}) {
    const auto ids = Authentication().authenticate(scheme, "u:p", "10.0.0.1");
    ASSERT_FALSE(ids) << scheme;
    EXPECT_EQ(ids.error().code, Errc::kNotAllowed);
  }
  EXPECT_FALSE(Authentication().authenticate("digest", std::nullopt, "10.0.0.1"));
}

TEST(Authentication, DigestCanBeDisabled) {
  const auto authentication = Authentication::create({.digest_enabled = false, .digest_algorithm = "none"});
  ASSERT_TRUE(authentication);
  EXPECT_FALSE(authentication->authenticate("digest", "u:p", "10.0.0.1"));
  EXPECT_TRUE(authentication->authenticate("ip", "", "10.0.0.1"));
  EXPECT_FALSE(Authentication::create({.digest_algorithm = "none"}));
}

TEST(Authentication, UserNamesHideHashes) {
  EXPECT_EQ(Authentication::user_name({"digest", "u:hash"}), "u");
  EXPECT_EQ(Authentication::user_name({"ip", "10.0.0.1"}), "10.0.0.1");
  EXPECT_EQ(Authentication::user_name({"super", "x"}), "");
  EXPECT_EQ(Authentication::user_name({std::nullopt, std::nullopt}), "");
}

}  // namespace
}  // namespace wk::session
