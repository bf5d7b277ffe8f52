// One request on its way to become a transaction: what the prepare handlers of the operation table work with.
//
// A handler checks in Apache's order, answers the first error, and only then records changes and emits its
// body, so that only a multi ever has to take something back. Internal to server/txn. Thread: core. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jute/txn_records.h"
#include "jute/views.h"
#include "jute/writer.h"
#include "server/tree/acl.h"
#include "server/tree/data_tree.h"
#include "server/txn/outstanding.h"
#include "server/txn/request.h"
#include "server/txn/settings.h"

namespace wk::txn {

class Preparation {
 public:
  Preparation(const Request& request, Zxid zxid, std::int64_t wall_ms, const Settings& settings,
              const tree::DataTree& tree, Outstanding& outstanding, std::vector<std::byte>& log);

  [[nodiscard]] const Request& request() const { return request_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const tree::OwnerRules& owner_rules() const { return tree_.owner_rules(); }
  [[nodiscard]] Zxid zxid() const { return header_.zxid; }
  [[nodiscard]] std::int64_t time_ms() const { return header_.time_ms; }

  /// Decodes a request's record from its body; nothing when it is malformed, and then there will be no
  /// transaction. Source: PrepRequestProcessor.pRequestHelper, which takes a zxid once it has the record, but
  /// for a multi in any case.
  template <typename Record>
  [[nodiscard]] std::optional<Record> decode() {
    jute::Reader in = reader();
    Record record;
    read(in, record);
    undecodable_ = !in.ok();
    return in.ok() ? std::optional<Record>(record) : std::nullopt;
  }
  [[nodiscard]] jute::Reader reader() const {
    return jute::Reader(request_.body, settings_.max_string_bytes);
  }

  // ---------------------------------------------------------------------------------------------- checking

  [[nodiscard]] std::optional<NodeChange> find(std::string_view path) const {
    return outstanding_.find(path, tree_);
  }
  /// True when the requester has one of `wanted` (kPerm… bits).
  [[nodiscard]] bool permits(const NodeChange& node, std::int32_t wanted) const;
  [[nodiscard]] bool is_ephemeral(const NodeChange& node) const;
  /// Paths that closeSession has to delete.
  [[nodiscard]] std::vector<std::string> ephemerals() const {
    return outstanding_.ephemerals(request_.session, tree_);
  }
  /// A client's list as it is stored; valid until the next call.
  [[nodiscard]] tree::NormalisedAcl normalise(const std::optional<jute::AclListView>& acl);

  /// True when the payload, with so many bytes more, is no longer than a transaction may be. What is already
  /// longer is refused by run() as a whole, so there is no use in adding to it: some bytes of a request can
  /// stand for a long list.
  [[nodiscard]] bool has_room(std::size_t bytes) const;

  // --------------------------------------------------------------------------------------------- recording

  /// A node changes, but not its data.
  void put(std::string_view path, const NodeChange& before, NodeChange after) {
    outstanding_.put(path, before, std::move(after), tree_);
  }
  /// A node is made or gets new data.
  void put_data(std::string_view path, const std::optional<NodeChange>& before, NodeChange after,
                const std::optional<std::string_view>& data) {
    outstanding_.put_data(path, before, std::move(after), data, tree_);
  }
  /// Records that the child `path` of `parent` goes.
  void put_deletion(std::string_view path, const NodeChange& node, std::string_view parent_path,
                    const NodeChange& parent);
  /// Gives a change its own list.
  void set_acl(NodeChange& node, const jute::AclListView& acl) const;

  /// Writes the body of a transaction, or of a part of one, of that type.
  template <typename Body>
  void emit(jute::OpCode type, const Body& body) {
    emitted_ = type;
    write(out_, body);
  }
  /// Writes a body field by field through writer().
  void emit(jute::OpCode type) { emitted_ = type; }
  [[nodiscard]] jute::Writer& writer() { return out_; }

  // -------------------------------------------------------------------------------------- driving the
  // handlers

  /// Runs the request's handler and completes the payload. \return what prepare() answers
  jute::ErrorCode run(jute::ErrorCode (*handler)(Preparation&));

  /// Begins a part of a multi, whose type and length end_part() fills in.
  void begin_part();
  /// Ends it with what its handler emitted, or makes it an error part.
  void end_part(jute::ErrorCode error);
  /// A part of a multi failed: the changes of those before it are taken back, and that is what prepare()
  /// answers.
  void fail_multi(jute::ErrorCode error);

 private:
  void patch(std::size_t offset, std::int32_t value);

  const Request& request_;
  const Settings& settings_;
  const tree::DataTree& tree_;
  Outstanding& outstanding_;
  std::vector<std::byte>& log_;
  std::size_t start_;  ///< where the payload stands in log_
  jute::Writer out_;
  jute::TxnHeader header_;
  jute::OpCode emitted_ = jute::OpCode::kError;
  jute::ErrorCode failed_multi_ = jute::ErrorCode::kOk;
  bool undecodable_ = false;
  std::size_t part_ = 0;  ///< where the part begun stands in log_
  std::vector<std::byte> acl_storage_;
};

/// The first check of a path that has to have a parent: holds a slash and no NUL.
inline bool has_parent(std::string_view path) {
  return path.find('/') != std::string_view::npos && path.find('\0') == std::string_view::npos;
}

// The prepare handlers of the operation table.
jute::ErrorCode prepare_create(Preparation& preparation);
jute::ErrorCode prepare_delete(Preparation& preparation);
jute::ErrorCode prepare_delete_container(Preparation& preparation);
jute::ErrorCode prepare_set_data(Preparation& preparation);
jute::ErrorCode prepare_set_acl(Preparation& preparation);
jute::ErrorCode prepare_reconfig(Preparation& preparation);
jute::ErrorCode prepare_multi(Preparation& preparation);
jute::ErrorCode prepare_create_session(Preparation& preparation);
jute::ErrorCode prepare_close_session(Preparation& preparation);

/// A create of any kind, as stand-alone request and as part of a multi.
struct Creation {
  jute::OpCode op = jute::OpCode::kCreate;
  jute::CreateRequestView request{};
  std::int64_t ttl_ms = -1;  ///< -1 for the operations that carry none
};
jute::ErrorCode prepare_creation(Preparation& preparation, const Creation& creation);
jute::ErrorCode prepare_deletion(Preparation& preparation, const jute::PathVersionView& request);
jute::ErrorCode prepare_data(Preparation& preparation, const jute::SetDataRequestView& request);
jute::ErrorCode prepare_check(Preparation& preparation, const jute::PathVersionView& request);

}  // namespace wk::txn
