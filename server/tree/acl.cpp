#include "server/tree/acl.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "jute/utf8.h"
#include "jute/writer.h"

namespace wk::tree {
namespace {

constexpr std::string_view kWorld = "world";
constexpr std::string_view kAnyone = "anyone";
constexpr std::string_view kAuth = "auth";
constexpr std::string_view kIp = "ip";
constexpr std::string_view kDigest = "digest";
constexpr std::string_view kSuper = "super";

/// Bytes of an IPv4 (4) or IPv6 (16) address in network order.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
};

/// A number as Java's Integer.parseInt reads it (digits of the base, one leading sign), of ASCII digits only.
std::optional<std::int32_t> parse_int(std::string_view text, int base) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  std::int32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Takes the text before the next `separator` (or all of it) off `rest`; false when nothing is left to take.
bool take(std::string_view& rest, bool& more, char separator, std::string_view& part) {
  if (!more) return false;
  const std::size_t at = rest.find(separator);
  part = rest.substr(0, at);
  more = at != std::string_view::npos;
  if (more) rest.remove_prefix(at + 1);
  return true;
}

std::optional<Address> parse_ipv4(std::string_view text) {
  Address address{.size = 4};
  bool more = true;
  std::string_view part;
  for (std::size_t i = 0; i < address.size; ++i) {
    if (!take(text, more, '.', part)) return std::nullopt;
    const auto value = parse_int(part, 10);
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    address.bytes[i] = static_cast<std::uint8_t>(*value);
  }
  if (more) return std::nullopt;
  return address;
}

/// Groups between colons into `out`, two bytes each; the number of groups, nullopt when one of them is none
/// or there are more than eight.
std::optional<std::size_t> parse_groups(std::string_view text, std::array<std::uint8_t, 16>& out) {
  std::size_t groups = 0;
  bool more = !text.empty();
  std::string_view part;
  while (take(text, more, ':', part)) {
    if (groups == out.size() / 2 || part.empty() || part.size() > 4) return std::nullopt;
    const auto value = parse_int(part, 16);
    if (!value) return std::nullopt;
    // Java keeps the low 16 bits of "-1" or "+ff"; so does this, so that both match the same addresses.
    out[2 * groups] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(*value) >> 8);
    out[2 * groups + 1] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(*value));
    ++groups;
  }
  return groups;
}

std::optional<Address> parse_ipv6(std::string_view text) {
  Address address{.size = 16};
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    if (parse_groups(text, address.bytes) != 8U) return std::nullopt;
    return address;
  }
  const std::string_view behind = text.substr(gap + 2);
  if (behind.find("::") != std::string_view::npos) return std::nullopt;
  std::array<std::uint8_t, 16> tail{};
  const auto front_groups = parse_groups(text.substr(0, gap), address.bytes);
  const auto tail_groups = parse_groups(behind, tail);
  if (!front_groups || !tail_groups || *front_groups + *tail_groups >= 8) return std::nullopt;
  std::copy_n(tail.begin(), 2 * *tail_groups,
              address.bytes.end() - static_cast<std::ptrdiff_t>(2 * *tail_groups));
  return address;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_ipv6(text);
  if (text.find('.') != std::string_view::npos) return parse_ipv4(text);
  return std::nullopt;
}

/// An address with the number of leading bits that count.
struct Network {
  Address address{};
  std::size_t bits = 0;
};

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return Network{*address, 8 * address->size};
  const auto bits = parse_int(text.substr(slash + 1), 10);
  if (!bits || *bits < 0 || static_cast<std::size_t>(*bits) > 8 * address->size) return std::nullopt;
  return Network{*address, static_cast<std::size_t>(*bits)};
}

bool is_world_anyone(const jute::IdView& id) { return id.scheme == kWorld && id.id == kAnyone; }

bool matches(const jute::IdView& entry, const jute::Id& identity, const AclPolicy& policy) {
  if (!entry.id || !identity.id || entry.scheme != identity.scheme) return false;
  if (entry.scheme == kIp) return ip_matches(*identity.id, *entry.id);
  if (entry.scheme == kDigest) return policy.digest_enabled && entry.id == identity.id;
  return false;
}

/// True for an identity that `auth` stands for.
bool is_authenticated(const jute::Id& identity, const AclPolicy& policy) {
  return identity.scheme == kDigest && policy.digest_enabled;
}

/// Outcome for an entry that is kept as it is, `auth` apart.
jute::ErrorCode check_entry(const jute::IdView& id, const AclPolicy& policy) {
  using jute::ErrorCode;
  const bool has_provider =
      id.scheme == kWorld || id.scheme == kIp || (id.scheme == kDigest && policy.digest_enabled);
  if (!has_provider) return ErrorCode::kInvalidAcl;
  if (!id.id) return ErrorCode::kMarshallingError;
  if (id.scheme == kWorld) return id.id == kAnyone ? ErrorCode::kOk : ErrorCode::kInvalidAcl;
  const bool valid = id.scheme == kIp ? is_valid_ip_id(*id.id) : is_valid_digest_id(*id.id);
  return valid ? ErrorCode::kOk : ErrorCode::kInvalidAcl;
}

/// For each entry whether it equals an earlier one. Sorting keeps a hostile list of 80,000 entries cheap.
std::vector<bool> find_duplicates(const jute::AclListView& list) {
  std::vector<jute::AclView> entries(list.begin(), list.end());
  std::vector<std::size_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto key = [&](std::size_t i) {
    return std::tie(entries[i].perms, entries[i].id.scheme, entries[i].id.id);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  std::vector<bool> duplicate(entries.size());
  for (std::size_t i = 1; i < order.size(); ++i)
    duplicate[order[i]] = entries[order[i]] == entries[order[i - 1]];
  return duplicate;
}

/// True for a list on which Apache fails while it looks for duplicates: it asks each entry, perms first, then
/// scheme, then id, whether it equals one in front of it, and a null cannot be asked. Source:
/// PrepRequestProcessor.removeDuplicates, Id.equals.
bool asks_a_null(const jute::AclListView& list) {
  std::set<std::int32_t> perms;
  std::set<std::pair<std::int32_t, std::string_view>> schemes;
  for (const jute::AclView& entry : list) {
    if (!entry.id.scheme) {
      if (!perms.insert(entry.perms).second) return true;
      continue;
    }
    perms.insert(entry.perms);
    const bool is_first = schemes.emplace(entry.perms, *entry.id.scheme).second;
    if (!entry.id.id && !is_first) return true;
  }
  return false;
}

}  // namespace

bool is_valid_ip_id(std::string_view id) { return parse_network(id).has_value(); }

bool ip_matches(std::string_view address, std::string_view acl_id) {
  const auto network = parse_network(acl_id);
  const auto peer = parse_address(address);
  if (!network || !peer || network->address.size != peer->size) return false;
  const std::size_t whole = network->bits / 8;
  if (!std::equal(peer->bytes.begin(), peer->bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  network->address.bytes.begin()))
    return false;
  if (network->bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - network->bits % 8));
  return ((peer->bytes[whole] ^ network->address.bytes[whole]) & mask) == 0;
}

bool is_valid_digest_id(std::string_view id) {
  while (!id.empty() && id.back() == ':') id.remove_suffix(1);
  return std::count(id.begin(), id.end(), ':') == 1;
}

bool permits(const jute::AclListView& acl, std::int32_t wanted, std::span<const jute::Id> identities,
             const AclPolicy& policy) {
  if (policy.skip_acl || acl.empty()) return true;
  for (const jute::Id& identity : identities)
    if (identity.scheme == kSuper) return true;
  for (const jute::AclView& entry : acl) {
    if ((entry.perms & wanted) == 0) continue;
    if (is_world_anyone(entry.id)) return true;
    for (const jute::Id& identity : identities)
      if (matches(entry.id, identity, policy)) return true;
  }
  return false;
}

NormalisedAcl normalise_acl(const std::optional<jute::AclListView>& acl, std::span<const jute::Id> identities,
                            const AclPolicy& policy, std::vector<std::byte>& storage) {
  using jute::ErrorCode;
  if (!acl || acl->empty()) return {.error = ErrorCode::kInvalidAcl};
  if (acl->size() == 1 && is_world_anyone(acl->begin()->id)) return {.list = *acl};

  const auto has_null = [](const jute::AclView& entry) { return !entry.id.scheme || !entry.id.id; };
  if (std::any_of(acl->begin(), acl->end(), has_null) && asks_a_null(*acl))
    return {.error = ErrorCode::kMarshallingError};
  const std::vector<bool> duplicate = find_duplicates(*acl);
  storage.clear();
  jute::Writer out(storage);
  // Repairing makes an id up to three times as long; one beyond what the writer takes is not in the storage
  // at all.
  const auto too_long = [&] { return !out.ok() || storage.size() > kMaxAclBytes; };
  std::size_t count = 0;
  std::size_t index = 0;
  for (const jute::AclView& entry : *acl) {
    if (duplicate[index++]) continue;
    if (!entry.id.scheme) return {.error = ErrorCode::kInvalidAcl};
    if (entry.id.scheme == kAuth) {
      const std::size_t before = count;
      for (const jute::Id& identity : identities) {
        if (!is_authenticated(identity, policy)) continue;
        write(out, entry.perms);
        write(out, identity);
        ++count;
        if (too_long()) return {.error = ErrorCode::kInvalidAcl};
      }
      if (count == before) return {.error = ErrorCode::kInvalidAcl};
      continue;
    }
    if (const ErrorCode error = check_entry(entry.id, policy); error != ErrorCode::kOk)
      return {.error = error};
    write(out, entry.perms);
    write(out, entry.id.scheme);
    // As Java would have read it: no member may store other bytes than Apache's.
    if (entry.id.id)
      out.write_string(jute::repaired(*entry.id.id));
    else
      out.write_string(std::nullopt);
    ++count;
    if (too_long()) return {.error = ErrorCode::kInvalidAcl};
  }
  return {.list = jute::AclListView(storage, count)};
}

}  // namespace wk::tree
