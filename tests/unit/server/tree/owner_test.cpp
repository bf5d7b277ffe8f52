#include "server/tree/owner.h"

#include <gtest/gtest.h>

namespace wk::tree {
namespace {

constexpr OwnerRules kPlain{};
constexpr OwnerRules kExtended{.extended_types = true};
constexpr OwnerRules kEmulating{.extended_types = true, .emulate_353 = true};

std::int64_t bits(std::uint64_t value) { return static_cast<std::int64_t>(value); }

TEST(Owner, ZeroSessionsAndContainersAreTheSameUnderAllRules) {
  for (const OwnerRules& rules : {kPlain, kExtended, kEmulating}) {
    EXPECT_EQ(owner_kind(0, rules), OwnerKind::kNone);
    EXPECT_EQ(owner_kind(0x1000013dc750000, rules), OwnerKind::kSession);
    EXPECT_EQ(owner_kind(kContainerOwner, rules), OwnerKind::kContainer);
  }
}

TEST(Owner, TtlIsReadOnlyWithExtendedTypes) {
  const std::int64_t owner = *ttl_owner(30'000);
  EXPECT_EQ(owner, bits(0xff00000000007530U));
  EXPECT_EQ(owner_kind(owner, kExtended), OwnerKind::kTtl);
  EXPECT_EQ(owner_kind(owner, kPlain), OwnerKind::kSession);
  EXPECT_EQ(ttl_ms(owner), 30'000);
}

TEST(Owner, TtlRange) {
  EXPECT_FALSE(ttl_owner(-1));
  EXPECT_FALSE(ttl_owner(0));
  EXPECT_EQ(ttl_owner(1), bits(0xff00000000000001U));
  EXPECT_EQ(ttl_owner(kMaxTtlMs), bits(0xff0000ffffffffffU));
  EXPECT_EQ(kMaxTtlMs, 1'099'511'627'775);
  EXPECT_FALSE(ttl_owner(kMaxTtlMs + 1));
}

TEST(Owner, UnknownExtendedFeatureHasNoKind) {
  const std::int64_t unknown = bits(0xff00010000000001U);
  EXPECT_FALSE(owner_kind(unknown, kExtended));
  EXPECT_EQ(owner_kind(unknown, kPlain), OwnerKind::kSession);
  EXPECT_EQ(owner_kind(unknown, kEmulating), OwnerKind::kTtl);
}

TEST(Owner, NegativeOwnersAreTtlWhenEmulating353) {
  const std::int64_t old_form = bits(0x8000000000007530U);
  EXPECT_EQ(owner_kind(old_form, kEmulating), OwnerKind::kTtl);
  EXPECT_EQ(ttl_ms(old_form), 30'000);
  EXPECT_EQ(owner_kind(old_form, kExtended), OwnerKind::kSession);
  EXPECT_EQ(owner_kind(old_form, {.emulate_353 = true}), OwnerKind::kSession);
}

TEST(Owner, LooksLikeTtlWhateverTheRules) {
  EXPECT_TRUE(looks_like_ttl(*ttl_owner(1)));
  EXPECT_FALSE(looks_like_ttl(kContainerOwner));
  EXPECT_FALSE(looks_like_ttl(0));
  EXPECT_FALSE(looks_like_ttl(bits(0xfe00000000000001U)));
  EXPECT_FALSE(looks_like_ttl(bits(0xff00010000000001U)));
}

}  // namespace
}  // namespace wk::tree
