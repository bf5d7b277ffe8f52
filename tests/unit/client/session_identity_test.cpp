#include "client/session_identity.h"

#include <gtest/gtest.h>

namespace wk::client {
namespace {

using Grant = SessionIdentity::Grant;
using std::chrono::milliseconds;

jute::ConnectResponse granted(std::int64_t id, bool read_only = false) {
  return {.timeout_ms = 4'000,
          .session_id = SessionId{id},
          .password = std::string("password of 16 b"),
          .read_only = read_only};
}

TEST(SessionIdentity, AsksForANewSessionFirstAndForTheSameOneLater) {
  SessionIdentity identity;
  const auto first = identity.ask(milliseconds{10'000}, false);
  EXPECT_EQ(first.session_id, SessionId{0});
  EXPECT_EQ(first.timeout_ms, 10'000);
  EXPECT_EQ(first.password, std::string(16, '\0'));
  EXPECT_EQ(identity.take(granted(7)), Grant::kCreated);
  EXPECT_EQ(identity.id(), SessionId{7});
  EXPECT_EQ(identity.negotiated_timeout(), milliseconds{4'000});

  identity.saw(Zxid{5});
  identity.saw(Zxid{3});
  identity.saw(Zxid{0xffffffffffffffff});  // -1: no zxid
  const auto second = identity.ask(milliseconds{10'000}, true);
  EXPECT_EQ(second.session_id, SessionId{7});
  EXPECT_EQ(second.password, "password of 16 b");
  EXPECT_EQ(second.last_zxid_seen, Zxid{5});
  EXPECT_EQ(second.read_only, true);
  EXPECT_EQ(identity.take(granted(7)), Grant::kResumed);
}

TEST(SessionIdentity, ASessionThatOnlyAReadOnlyServerGrantedIsNotResumed) {
  SessionIdentity identity;
  identity.ask(milliseconds{10'000}, true);
  EXPECT_EQ(identity.take(granted(7, true)), Grant::kCreated);
  EXPECT_EQ(identity.ask(milliseconds{10'000}, true).session_id, SessionId{0});
}

TEST(SessionIdentity, ARefusalAndAnotherSessionThanAskedForChangeNothing) {
  SessionIdentity identity;
  identity.ask(milliseconds{10'000}, false);
  ASSERT_EQ(identity.take(granted(7)), Grant::kCreated);
  identity.ask(milliseconds{10'000}, false);
  EXPECT_EQ(identity.take(granted(8)), Grant::kForeign);
  EXPECT_EQ(identity.take(granted(0)), Grant::kRefused);
  auto without_timeout = granted(7);
  without_timeout.timeout_ms = 0;
  EXPECT_EQ(identity.take(without_timeout), Grant::kRefused);
  EXPECT_EQ(identity.asked(), SessionId{7});
  EXPECT_EQ(identity.id(), SessionId{7});
}

TEST(SessionIdentity, AForgottenSessionIsFollowedByANewOneThatHasSeenNothing) {
  SessionIdentity identity;
  identity.ask(milliseconds{10'000}, false);
  ASSERT_EQ(identity.take(granted(7)), Grant::kCreated);
  identity.saw(Zxid{5});
  identity.forget();
  EXPECT_EQ(identity.id(), SessionId{0});
  EXPECT_EQ(identity.negotiated_timeout(), milliseconds{4'000});
  const auto next = identity.ask(milliseconds{10'000}, false);
  EXPECT_EQ(next.session_id, SessionId{0});
  EXPECT_EQ(next.last_zxid_seen, Zxid{0});
  EXPECT_EQ(next.password, std::string(16, '\0'));
}

TEST(SessionIdentity, TimeoutsBeyondTheWireAreClamped) {
  SessionIdentity identity;
  EXPECT_EQ(identity.ask(std::chrono::hours(24 * 365), false).timeout_ms, 2'147'483'647);
  EXPECT_EQ(identity.ask(milliseconds{-1}, false).timeout_ms, 0);
}

}  // namespace
}  // namespace wk::client
