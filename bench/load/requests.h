// Request frames at the price of a copy: each is encoded once, and only xid, key or counter are written
// again.
//
// Thread: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bench/load/plan.h"

namespace wk::bench {

/// SplitMix64: a random number in a nanosecond, good enough to choose keys. Satisfies
/// UniformRandomBitGenerator.
class FastRandom {
 public:
  using result_type = std::uint64_t;
  explicit FastRandom(std::uint64_t seed) : state_(seed) {}
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()() {
    std::uint64_t value = state_ += 0x9e3779b97f4a7c15U;
    value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
    value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
    return value ^ value >> 31U;
  }
  /// 0 … bound - 1.
  std::uint64_t below(std::uint64_t bound);
  /// 0 ≤ … < 1.
  double share();

 private:
  std::uint64_t state_;
};

/// Paths of the znodes that a load uses; the same for a generator that comes back.
std::string key_path(const std::string& root, std::size_t key);
std::string parent_path(const std::string& root, std::size_t connection);

/// Makes the frames of one connection.
class RequestMaker {
 public:
  /// \param run  tells apart the znodes that create makes in this run from those of earlier ones
  RequestMaker(const Plan& plan, std::size_t connection, std::uint32_t run);

  /// Appends one frame and says what it does.
  Operation append(Operation wanted, std::int32_t xid, FastRandom& random, std::vector<std::byte>& output);

 private:
  struct Template {
    std::vector<std::byte> frame{};
    std::size_t digits_at = 0;  ///< where the number of the path begins, when digits > 0
    std::size_t digits = 0;
  };
  Template make(Operation operation, const Plan& plan, std::size_t connection, std::uint32_t run) const;

  std::array<Template, kOperationNames.size()> templates_;
  std::size_t keys_;
  std::uint64_t created_ = 0;
  std::uint64_t deleted_ = 0;
};

/// Chooses operations by their shares.
class Chooser {
 public:
  explicit Chooser(const Mix& mix);
  Operation choose(FastRandom& random) const;

 private:
  std::array<double, kOperationNames.size()> cumulative_{};
  Operation only_ = Operation::kGet;
  bool single_ = false;
};

}  // namespace wk::bench
