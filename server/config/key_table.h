// Every key of zoo.cfg and every system property of Apache's server, with what becomes of it here.
//
// Reference: reference/configuration.md, sections 1.5 to 12. Thread: any; constant.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace wk::config {

/// How a value is read. The strict kinds are those that Apache's QuorumPeerConfig parses: malformed ones end
/// the start. The others are system properties: malformed ones count as absent (here with a warning).
enum class ValueType : std::uint8_t {
  kStrictInt,   ///< decimal, 32 bits
  kStrictLong,  ///< decimal, 64 bits
  kStrictBool,  ///< true or false, any case
  kInt,         ///< as java.lang.Integer.decode: 0x, # and leading 0 are understood
  kLong,        ///< the same with 64 bits
  kBool,        ///< true, any case, is true; everything else is false
  kDouble,
  kYesNo,  ///< only the exact opposite of the default has an effect
  kText,
};

/// What this server does with a key.
enum class Standing : std::uint8_t {
  kWorks,
  kEnsemble,          ///< read and checked; matters as soon as there is more than one member
  kNoEffect,          ///< accepted with a warning
  kNoEffectWhenTrue,  ///< accepted, with a warning when the value is "true"
  kRefused,           ///< the start is refused when the key is set at all
  kRefusedWhenTrue,   ///< the start is refused when the value is "true"
};

struct KeyRule {
  std::string_view name;
  ValueType type;
  Standing standing;
  std::string_view note;  ///< why it has no effect, or why it is refused; empty for the first two standings
};

/// All keys with a fixed name; sorted by name.
std::span<const KeyRule> key_table();
/// The names alone, for "did you mean".
std::span<const std::string_view> key_names();

/// The rule of that exact name, or nullptr.
const KeyRule* find_key(std::string_view name);

/// The key that the admin guide calls `name` although zoo.cfg knows it otherwise (section 1.5).
std::optional<std::string_view> real_name(std::string_view name);

/// Keys whose last part the operator chooses: server.N, group.N, weight.N, authProvider.X, superUser.X, …
enum class KeyFamily : std::uint8_t {
  kServer,
  kGroup,
  kWeight,
  kAuthProvider,
  kSuperUser,
  kMetricsProvider,
  kQuorumTls,
  kClientTls
};
std::optional<KeyFamily> family_of(std::string_view name);

}  // namespace wk::config
