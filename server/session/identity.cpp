#include "server/session/identity.h"

namespace wk::session {
namespace {

constexpr std::uint64_t kPasswordSalt = 0xB3415C00;
constexpr std::uint64_t kLcgMultiplier = 0x5DEECE66D;
constexpr std::uint64_t kLcgIncrement = 0xB;
constexpr std::uint64_t kLcgMask = (std::uint64_t{1} << 48) - 1;

// The marker of container nodes cannot be a session's id, since ephemeralOwner holds either.
constexpr std::uint64_t kContainerOwner = std::uint64_t{1} << 63;

}  // namespace

Password password_of(SessionId id) {
  Password password{};
  std::uint64_t state = ((static_cast<std::uint64_t>(id.value) ^ kPasswordSalt) ^ kLcgMultiplier) & kLcgMask;
  for (std::size_t word = 0; word < kPasswordBytes / 4; ++word) {
    state = (state * kLcgMultiplier + kLcgIncrement) & kLcgMask;
    auto bits = static_cast<std::uint32_t>(state >> 16);
    for (std::size_t byte = 0; byte < 4; ++byte, bits >>= 8)
      password[word * 4 + byte] = static_cast<char>(static_cast<unsigned char>(bits & 0xff));
  }
  return password;
}

bool password_matches(SessionId id, std::string_view password) {
  if (id.value == 0) return false;
  const Password expected = password_of(id);
  return password == std::string_view(expected.data(), expected.size());
}

IdGenerator::IdGenerator(ServerId server, std::chrono::system_clock::time_point started) {
  const auto millis = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(started.time_since_epoch()).count());
  next_ = ((millis << 24) >> 8) | (static_cast<std::uint64_t>(server.value) << 56);
  if (next_ == kContainerOwner) ++next_;
}

SessionId IdGenerator::next() { return SessionId{static_cast<std::int64_t>(next_++)}; }

}  // namespace wk::session
