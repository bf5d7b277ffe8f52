// Records of the client protocol as a server reads them: views into the frame, decoded without allocation.
//
// Same wire forms as jute/records.h, same rules (null faults, trailing bytes ignored), but strings are
// std::string_view and vectors are ListView, so nothing is copied and every view dies with the bytes it was
// read from. A record here works with read(), write() and decode() of records.h.
// Thread: any; plain values. Pure. Source: zookeeper.jute; reference "Opcodes and headers".
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

#include "base/check.h"
#include "base/ids.h"
#include "jute/codes.h"
#include "jute/reader.h"
#include "jute/records.h"
#include "jute/writer.h"

namespace wk::jute {

/// A vector on the wire, checked once when it is read and decoded again, element by element, when it is
/// walked. T is a view type whose read() cannot fail on bytes that it has accepted before.
template <typename T>
class ListView {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    Iterator() = default;
    Iterator(std::span<const std::byte> rest, std::size_t left) : rest_(rest), left_(left) { advance(); }
    const T& operator*() const { return value_; }
    const T* operator->() const { return &value_; }
    Iterator& operator++() {
      --left_;
      advance();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.left_ == b.left_; }

   private:
    void advance() {
      if (left_ == 0) return;
      // Whatever limit the list was checked with, its strings end within its bytes.
      Reader in(rest_, rest_.size());
      value_ = T{};
      read(in, value_);
      WK_CHECK(in.ok(), "a list that was checked cannot be decoded any more");
      rest_ = rest_.subspan(in.position());
    }

    std::span<const std::byte> rest_{};
    std::size_t left_ = 0;
    T value_{};
  };

  ListView() = default;
  /// \param encoded  exactly `count` elements, already checked
  ListView(std::span<const std::byte> encoded, std::size_t count) : encoded_(encoded), count_(count) {}

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// The encoded elements without the count in front. Two lists of equal size are equal element by element
  /// exactly when these bytes are equal.
  [[nodiscard]] std::span<const std::byte> encoded() const { return encoded_; }
  [[nodiscard]] Iterator begin() const { return Iterator(encoded_, count_); }
  [[nodiscard]] Iterator end() const { return Iterator(); }

 private:
  std::span<const std::byte> encoded_{};
  std::size_t count_ = 0;
};

// ----------------------------------------------------------------------------------------------------------
// shared parts

struct IdView {
  std::optional<std::string_view> scheme{};
  std::optional<std::string_view> id{};

  static constexpr auto kFields = std::tuple(&IdView::scheme, &IdView::id);
  friend bool operator==(const IdView&, const IdView&) = default;
};

struct AclView {
  std::int32_t perms = 0;  ///< kPerm… bits; others are kept
  IdView id{};

  static constexpr auto kFields = std::tuple(&AclView::perms, &AclView::id);
  friend bool operator==(const AclView&, const AclView&) = default;
};

using AclListView = ListView<AclView>;
using PathListView = ListView<std::string_view>;
using OptionalPathListView = ListView<std::optional<std::string_view>>;

// -----------------------------------------------------------------------------------------------------------
// requests

/// create, create2, createContainer.
struct CreateRequestView {
  std::optional<std::string_view> path{};  ///< of writes, null passes here and fails a check
  std::optional<std::string_view> data{};
  std::optional<AclListView> acl{};
  CreateMode mode = CreateMode::kPersistent;

  static constexpr auto kFields = std::tuple(&CreateRequestView::path, &CreateRequestView::data,
                                             &CreateRequestView::acl, &CreateRequestView::mode);
};

/// createTTL.
struct CreateTtlRequestView {
  CreateRequestView create{};
  std::int64_t ttl_ms = 0;

  static constexpr auto kFields = std::tuple(&CreateTtlRequestView::create, &CreateTtlRequestView::ttl_ms);
};

/// delete and check.
struct PathVersionView {
  std::optional<std::string_view> path{};
  std::int32_t version = -1;  ///< -1 matches any

  static constexpr auto kFields = std::tuple(&PathVersionView::path, &PathVersionView::version);
};

/// deleteContainer, getACL, getAllChildrenNumber: a path that must not be null.
struct PathView {
  std::string_view path{};

  static constexpr auto kFields = std::tuple(&PathView::path);
};

/// sync and getEphemerals: a path that may be null.
struct OptionalPathView {
  std::optional<std::string_view> path{};

  static constexpr auto kFields = std::tuple(&OptionalPathView::path);
};

/// exists, getData, getChildren, getChildren2.
struct ReadRequestView {
  std::string_view path{};
  bool watch = false;

  static constexpr auto kFields = std::tuple(&ReadRequestView::path, &ReadRequestView::watch);
};

struct SetDataRequestView {
  std::optional<std::string_view> path{};
  std::optional<std::string_view> data{};
  std::int32_t version = -1;

  static constexpr auto kFields =
      std::tuple(&SetDataRequestView::path, &SetDataRequestView::data, &SetDataRequestView::version);
};

struct SetAclRequestView {
  std::optional<std::string_view> path{};
  std::optional<AclListView> acl{};
  std::int32_t version = -1;  ///< compared with Stat::aversion

  static constexpr auto kFields =
      std::tuple(&SetAclRequestView::path, &SetAclRequestView::acl, &SetAclRequestView::version);
};

struct ReconfigRequestView {
  std::optional<std::string_view> joining_servers{};
  std::optional<std::string_view> leaving_servers{};
  std::optional<std::string_view> new_members{};
  std::int64_t current_config_id = -1;  ///< -1 matches any

  static constexpr auto kFields =
      std::tuple(&ReconfigRequestView::joining_servers, &ReconfigRequestView::leaving_servers,
                 &ReconfigRequestView::new_members, &ReconfigRequestView::current_config_id);
};

/// Which watches checkWatches and removeWatches mean.
enum class WatcherType : std::int32_t {
  kChildren = 1,
  kData = 2,
  kAny = 3,
  kPersistent = 4,
  kPersistentRecursive = 5,
};

/// checkWatches and removeWatches.
struct WatchesOfTypeView {
  std::optional<std::string_view> path{};
  WatcherType type = WatcherType::kAny;

  static constexpr auto kFields = std::tuple(&WatchesOfTypeView::path, &WatchesOfTypeView::type);
};

struct SetWatchesView {
  Zxid relative_zxid{};  ///< compared as a signed number
  // Null, as a list and as a path in one of these three, fails once it is its turn.
  std::optional<OptionalPathListView> data_watches{};
  std::optional<OptionalPathListView> exist_watches{};
  std::optional<OptionalPathListView> child_watches{};

  static constexpr auto kFields = std::tuple(&SetWatchesView::relative_zxid, &SetWatchesView::data_watches,
                                             &SetWatchesView::exist_watches, &SetWatchesView::child_watches);
};

struct SetWatches2View {
  SetWatchesView standard{};
  // A path of these may be null.
  std::optional<OptionalPathListView> persistent_watches{};
  std::optional<OptionalPathListView> persistent_recursive_watches{};

  static constexpr auto kFields = std::tuple(&SetWatches2View::standard, &SetWatches2View::persistent_watches,
                                             &SetWatches2View::persistent_recursive_watches);
};

struct AddWatchRequestView {
  std::optional<std::string_view> path{};
  AddWatchMode mode = AddWatchMode::kPersistent;

  static constexpr auto kFields = std::tuple(&AddWatchRequestView::path, &AddWatchRequestView::mode);
};

struct AuthPacketView {
  std::int32_t type = 0;
  std::optional<std::string_view> scheme{};
  std::optional<std::string_view> auth{};

  static constexpr auto kFields =
      std::tuple(&AuthPacketView::type, &AuthPacketView::scheme, &AuthPacketView::auth);
};

/// First frame of a client; see ConnectRequest.
struct ConnectRequestView {
  std::int32_t protocol_version = 0;
  Zxid last_zxid_seen{};  ///< compared as a signed number
  std::int32_t timeout_ms = 0;
  SessionId session_id{};
  std::optional<std::string_view> password{};
  std::optional<bool> read_only{};

  static constexpr auto kFields =
      std::tuple(&ConnectRequestView::protocol_version, &ConnectRequestView::last_zxid_seen,
                 &ConnectRequestView::timeout_ms, &ConnectRequestView::session_id,
                 &ConnectRequestView::password, &ConnectRequestView::read_only);
};

// -----------------------------------------------------------------------------------------------------------
// encode and decode

void write(Writer& out, std::string_view value);
void write(Writer& out, const std::optional<std::string_view>& value);
void read(Reader& in, std::string_view& value);
void read(Reader& in, std::optional<std::string_view>& value);

template <typename T>
void write(Writer& out, const ListView<T>& values) {
  out.write_count(values.size());
  out.write_encoded(values.encoded());
}

template <typename T>
void write(Writer& out, const std::optional<ListView<T>>& values) {
  if (values)
    write(out, *values);
  else
    out.write_count(std::nullopt);
}

template <typename T>
void read(Reader& in, std::optional<ListView<T>>& values) {
  values.reset();
  const auto count = in.read_count(min_wire_bytes<T>());
  if (!count) return;
  const std::size_t start = in.position();
  T element{};
  for (std::size_t i = 0; i < *count && in.ok(); ++i) read(in, element);
  values = ListView<T>(in.read_since(start), *count);
}

template <typename T>
void read(Reader& in, ListView<T>& values) {
  std::optional<ListView<T>> maybe{};
  read(in, maybe);
  if (maybe)
    values = *maybe;
  else
    in.fail(Errc::kInvalidInput, "null where a vector must be");
}

}  // namespace wk::jute
