#include "server/tree/hash_index.h"

#include <cstring>

namespace wk::tree {
namespace {

/// Both halves of a 128-bit product folded into one: every bit of the input reaches every bit of the result.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

constexpr std::uint64_t kWordFactor = 0x9e3779b97f4a7c15U;   // 2^64 / golden ratio
constexpr std::uint64_t kFinalFactor = 0xd6e8feb86659fd93U;  // an odd number with evenly spread bits

}  // namespace

std::uint32_t hash_string(std::string_view text, std::uint64_t seed) {
  std::uint64_t state = seed ^ (text.size() * kFinalFactor);
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t word = 0;
  for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
    std::memcpy(&word, at, sizeof word);
    state = fold(state ^ word, kWordFactor ^ seed);
  }
  word = 0;
  if (left > 0) std::memcpy(&word, at, left);
  state = fold(state ^ word ^ kFinalFactor, kWordFactor);
  return static_cast<std::uint32_t>(state ^ state >> 32);
}

}  // namespace wk::tree
