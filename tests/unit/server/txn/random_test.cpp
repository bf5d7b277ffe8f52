// Long random histories: what is prepared against changes that wait must be what applying them one by one
// gives.
#include <gtest/gtest.h>

#include <random>

#include "member.h"

namespace wk::txn {
namespace {

using jute::CreateMode;

// Answers the same for the same seed on every platform.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t limit) { return engine_() % limit; }

 private:
  std::mt19937 engine_;
};

constexpr std::size_t kClients = 3;

struct Step {
  std::size_t client = 0;
  OpCode op = OpCode::kCreate;
  std::vector<std::byte> body{};
};

std::string any_path(Dice& dice) {
  std::string path;
  for (std::size_t depth = dice.below(3) + 1; depth > 0; --depth)
    path += std::string("/") + "abc"[dice.below(3)];
  return dice.below(20) == 0 ? "/" : path;
}

std::vector<jute::Acl> any_acl(Dice& dice) {
  switch (dice.below(8)) {
    case 0:
      return {{jute::kPermRead | jute::kPermCreate, {"world", "anyone"}}, {jute::kPermAll, {"auth", ""}}};
    case 1:
      return {{jute::kPermAll, kAlice}};
    default:
      return kOpen;
  }
}

// Now and then about as long as where the tree keeps what it hashed of the data.
std::string any_data(Dice& dice) {
  const std::size_t length = dice.below(4) == 0 ? 1'000 + dice.below(50) : dice.below(30);
  return std::string(length, static_cast<char>('a' + dice.below(26)));
}

jute::CreateRequest any_creation(Dice& dice) {
  return {any_path(dice), any_data(dice), any_acl(dice),
          CreateMode{static_cast<std::int32_t>(dice.below(5))}};
}
std::int32_t any_version(Dice& dice) { return static_cast<std::int32_t>(dice.below(4)) - 1; }

jute::MultiOperation any_part(Dice& dice) {
  switch (dice.below(6)) {
    case 0:
      return {OpCode::kCheck, jute::CheckVersionRequest{any_path(dice), any_version(dice)}};
    case 1:
      return {OpCode::kDelete, jute::DeleteRequest{any_path(dice), -1}};
    case 2:
    case 3:
      return {OpCode::kSetData, jute::SetDataRequest{any_path(dice), "m", -1}};
    default:
      return {OpCode::kCreate2, any_creation(dice)};
  }
}

Step any_step(Dice& dice) {
  const std::size_t client = dice.below(kClients);
  switch (dice.below(10)) {
    case 0:
    case 1:
      return {client, OpCode::kDelete, encoded(jute::DeleteRequest{any_path(dice), any_version(dice)})};
    case 2:
    case 3:
      return {client, OpCode::kSetData,
              encoded(jute::SetDataRequest{any_path(dice), any_data(dice), any_version(dice)})};
    case 4:
      return {client, OpCode::kSetAcl, encoded(jute::SetAclRequest{any_path(dice), any_acl(dice), -1})};
    case 5:
    case 6: {
      jute::MultiRequest request;
      for (std::size_t parts = dice.below(4); parts > 0; --parts)
        request.operations.push_back(any_part(dice));
      return {client, OpCode::kMulti, encoded(request)};
    }
    case 7:
      if (dice.below(6) == 0) return {client, OpCode::kCloseSession, {}};
      [[fallthrough]];
    default:
      return {client, OpCode::kCreate, encoded(any_creation(dice))};
  }
}

class RandomHistory : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(RandomHistory, WaitingChangesNothing) {
  Member patient;   // applies now and then
  Member diligent;  // applies each transaction before the next is prepared
  std::vector<Client> patients;
  std::vector<Client> diligents;
  for (std::size_t i = 0; i < kClients; ++i) {
    patients.push_back(patient.connect());
    diligents.push_back(diligent.connect());
  }
  patient.authenticate(patients[0], kAlice);
  diligent.authenticate(diligents[0], kAlice);

  Dice dice(GetParam());
  std::size_t done = 0;
  for (int i = 0; i < 1500; ++i) {
    const Step step = any_step(dice);
    const ErrorCode later = patient.submit_bytes(patients[step.client], step.op, step.body);
    const ErrorCode now = diligent.submit_bytes(diligents[step.client], step.op, step.body);
    ASSERT_EQ(jute::name(later), jute::name(now)) << "step " << i << ", " << jute::name(step.op);
    ASSERT_EQ(patient.waiting.back().payload, diligent.waiting.back().payload)
        << "step " << i << ", " << jute::name(step.op);
    if (now == ErrorCode::kOk) ++done;
    diligent.apply_all();
    EXPECT_EQ(diligent.outstanding.size(), 0U);
    while (patient.waiting.size() > dice.below(40)) patient.apply_next();
    ASSERT_FALSE(HasFailure()) << "step " << i << ", " << jute::name(step.op);
  }
  patient.apply_all();
  EXPECT_EQ(patient.outstanding.size(), 0U);
  EXPECT_EQ(patient.outstanding.queued_total(), patient.outstanding.removed_total());
  EXPECT_EQ(patient.tree.digest(), diligent.tree.digest());
  EXPECT_EQ(patient.tree.node_count(), diligent.tree.node_count());
  EXPECT_GT(done, 300U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range(1U, 9U));

}  // namespace
}  // namespace wk::txn
