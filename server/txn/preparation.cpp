#include "server/txn/preparation.h"

#include <algorithm>

#include "base/check.h"

namespace wk::txn {

namespace {

// Before its body, a part of a multi has its type and the body's length.
constexpr std::size_t kPartHeadBytes = 8;
constexpr std::size_t kHeaderTypeOffset = jute::kTxnHeaderBytes - 4;
constexpr std::size_t kDigestBytes = 12;

}  // namespace

Preparation::Preparation(const Request& request, Zxid zxid, std::int64_t wall_ms, const Settings& settings,
                         const tree::DataTree& tree, Outstanding& outstanding, std::vector<std::byte>& log)
    : request_(request),
      settings_(settings),
      tree_(tree),
      outstanding_(outstanding),
      log_(log),
      start_(log.size()),
      out_(log, settings.max_string_bytes),
      header_{request.session, request.cxid, zxid, wall_ms, jute::OpCode::kError} {}

bool Preparation::permits(const NodeChange& node, std::int32_t wanted) const {
  if (!node.own_acl) return tree_.acls().permits(node.acl, wanted, request_.identities, settings_.acl);
  const jute::AclListView acl(*node.own_acl, node.own_acl_size);
  return tree::permits(acl, wanted, request_.identities, settings_.acl);
}

bool Preparation::is_ephemeral(const NodeChange& node) const {
  return tree::owner_kind(node.stat.ephemeral_owner, tree_.owner_rules()) == tree::OwnerKind::kSession;
}

tree::NormalisedAcl Preparation::normalise(const std::optional<jute::AclListView>& acl) {
  return tree::normalise_acl(acl, request_.identities, settings_.acl, acl_storage_);
}

void Preparation::set_acl(NodeChange& node, const jute::AclListView& acl) const {
  const auto open = tree_.acls().list(tree::kOpenAcl);
  if (std::ranges::equal(acl.encoded(), open.encoded())) {
    node.own_acl.reset();
    node.acl = tree::kOpenAcl;
    return;
  }
  node.own_acl = std::make_shared<std::vector<std::byte>>(acl.encoded().begin(), acl.encoded().end());
  node.own_acl_size = acl.size();
}

void Preparation::put_deletion(std::string_view path, const NodeChange& node, std::string_view parent_path,
                               const NodeChange& parent) {
  NodeChange bereaved = parent;
  --bereaved.child_count;
  bereaved.stat.pzxid = zxid();
  put(parent_path, parent, std::move(bereaved));
  put(path, node, NodeChange{});
}

void Preparation::patch(std::size_t offset, std::int32_t value) {
  for (std::size_t i = 0; i < 4; ++i)
    log_[offset + i] = static_cast<std::byte>(static_cast<std::uint32_t>(value) >> (24 - 8 * i));
}

bool Preparation::has_room(std::size_t bytes) const {
  return log_.size() - start_ + bytes <= settings_.max_string_bytes - kDigestBytes;
}

jute::ErrorCode Preparation::run(jute::ErrorCode (*handler)(Preparation&)) {
  outstanding_.begin(zxid());
  write(out_, header_);
  jute::ErrorCode error = handler(*this);
  if (undecodable_) {
    log_.resize(start_);
    return error;
  }
  WK_CHECK(out_.ok(), "a transaction holds a string that no request can have brought");
  if (error == jute::ErrorCode::kOk && !has_room(0)) error = jute::ErrorCode::kMarshallingError;
  if (error != jute::ErrorCode::kOk) {
    outstanding_.rollback();
    log_.resize(start_ + jute::kTxnHeaderBytes);
    emit(jute::OpCode::kError, jute::ErrorTxn{error});
  } else if (settings_.digest) {
    write(out_, jute::TxnDigest{jute::kDigestVersion, outstanding_.digest(tree_)});
  }
  patch(start_ + kHeaderTypeOffset, static_cast<std::int32_t>(emitted_));
  return error == jute::ErrorCode::kOk ? failed_multi_ : error;
}

void Preparation::begin_part() {
  part_ = log_.size();
  out_.write_int(0);
  out_.write_int(0);
}

void Preparation::end_part(jute::ErrorCode error) {
  if (error != jute::ErrorCode::kOk) {
    log_.resize(part_ + kPartHeadBytes);
    emit(jute::OpCode::kError, jute::ErrorTxn{error});
  }
  patch(part_, static_cast<std::int32_t>(emitted_));
  patch(part_ + 4, static_cast<std::int32_t>(log_.size() - part_ - kPartHeadBytes));
}

void Preparation::fail_multi(jute::ErrorCode error) {
  outstanding_.rollback();
  failed_multi_ = error;
}

}  // namespace wk::txn
