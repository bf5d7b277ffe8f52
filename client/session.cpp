#include "client/session.h"

#include <utility>

#include "client/session_core.h"

namespace wk::client {
namespace {

using std::chrono::milliseconds;

/// The error of a multi: that of the part which failed. Parts in front of it say kOk (rolled back), parts
/// behind it kRuntimeInconsistency.
jute::ErrorCode first_error(const std::vector<jute::MultiResult>& results) {
  for (const jute::MultiResult& result : results)
    if (result.op == jute::OpCode::kError && result.error != jute::ErrorCode::kOk) return result.error;
  return jute::ErrorCode::kOk;
}

/// For replies whose body, if any, says nothing.
constexpr auto kNoBody = [](auto&, jute::Reader&) {};

/// For setData and setACL.
constexpr auto kStatBody = [](Reply<jute::Stat>& reply, jute::Reader& body) {
  if (reply.error == jute::ErrorCode::kOk) read(body, reply.value);
};

}  // namespace

const char* name(SessionState state) {
  switch (state) {
    case SessionState::kDisconnected:
      return "disconnected";
    case SessionState::kConnecting:
      return "connecting";
    case SessionState::kConnected:
      return "connected";
    case SessionState::kConnectedReadOnly:
      return "connected_read_only";
    case SessionState::kExpired:
      return "expired";
    case SessionState::kAuthFailed:
      return "auth_failed";
    case SessionState::kClosed:
      return "closed";
  }
  return "disconnected";
}

std::vector<jute::Acl> open_acl() { return {{jute::kPermAll, {"world", "anyone"}}}; }

Session::Session(boost::asio::io_context& io, SessionOptions options, RandomSource random,
                 std::function<void(const SessionChange&)> on_change)
    : core_(std::make_shared<Core>(io, std::move(options), std::move(random), std::move(on_change))) {}

Session::~Session() { core_->detach(); }

void Session::open() { core_->open(); }

void Session::close(milliseconds timeout, std::function<void()> done) {
  core_->close(timeout, std::move(done));
}

SessionState Session::state() const { return core_->state(); }
SessionId Session::id() const { return core_->identity().id(); }
milliseconds Session::negotiated_timeout() const { return core_->identity().negotiated_timeout(); }
Zxid Session::last_zxid_seen() const { return core_->identity().last_zxid_seen(); }
const SessionCounters& Session::counters() const { return core_->counters(); }
std::size_t Session::outstanding() const { return core_->outstanding(); }
std::size_t Session::watches() const { return core_->watches(); }

void Session::create(std::string path, std::string data, CreateOptions options, Callback<std::string> done) {
  using jute::CreateMode;
  const bool ttl = options.mode == CreateMode::kPersistentWithTtl ||
                   options.mode == CreateMode::kPersistentSequentialWithTtl;
  const jute::OpCode op = ttl                                      ? jute::OpCode::kCreateTtl
                          : options.mode == CreateMode::kContainer ? jute::OpCode::kCreateContainer
                                                                   : jute::OpCode::kCreate;
  const auto path_of = [](Reply<std::string>& reply, jute::Reader& body) {
    if (reply.error == jute::ErrorCode::kOk) read(body, reply.value);
  };
  const jute::CreateRequest record{std::move(path), std::move(data), std::move(options.acl), options.mode};
  if (ttl)
    core_->request<std::string>(op, jute::CreateTtlRequest{record, options.ttl.count()}, options.timeout,
                                std::move(done), path_of);
  else
    core_->request<std::string>(op, record, options.timeout, std::move(done), path_of);
}

void Session::remove(std::string path, std::int32_t version, milliseconds timeout, Callback<Nothing> done) {
  core_->request<Nothing>(jute::OpCode::kDelete, jute::DeleteRequest{std::move(path), version}, timeout,
                          std::move(done), kNoBody);
}

void Session::exists(std::string path, ReadOptions options, Callback<jute::Stat> done) {
  core_->read_request<jute::Stat>(jute::OpCode::kExists, std::move(path), std::move(options), std::move(done),
                                  kStatBody);
}

void Session::get_data(std::string path, ReadOptions options, Callback<NodeData> done) {
  core_->read_request<NodeData>(jute::OpCode::kGetData, std::move(path), std::move(options), std::move(done),
                                [](Reply<NodeData>& reply, jute::Reader& body) {
                                  jute::GetDataResponse record;
                                  read(body, record);
                                  reply.value = {std::move(record.data).value_or(std::string()), record.stat};
                                });
}

void Session::set_data(std::string path, std::string data, std::int32_t version, milliseconds timeout,
                       Callback<jute::Stat> done) {
  core_->request<jute::Stat>(jute::OpCode::kSetData,
                             jute::SetDataRequest{std::move(path), std::move(data), version}, timeout,
                             std::move(done), kStatBody);
}

void Session::get_children(std::string path, ReadOptions options, Callback<NodeChildren> done) {
  core_->read_request<NodeChildren>(jute::OpCode::kGetChildren2, std::move(path), std::move(options),
                                    std::move(done), [](Reply<NodeChildren>& reply, jute::Reader& body) {
                                      jute::GetChildren2Response record;
                                      read(body, record);
                                      reply.value = {std::move(record.children), record.stat};
                                    });
}

void Session::sync(std::string path, milliseconds timeout, Callback<Nothing> done) {
  core_->request<Nothing>(jute::OpCode::kSync, jute::SyncRecord{std::move(path)}, timeout, std::move(done),
                          kNoBody);
}

void Session::get_acl(std::string path, milliseconds timeout, Callback<jute::GetAclResponse> done) {
  core_->request<jute::GetAclResponse>(jute::OpCode::kGetAcl, jute::GetAclRequest{std::move(path)}, timeout,
                                       std::move(done),
                                       [](Reply<jute::GetAclResponse>& reply, jute::Reader& body) {
                                         if (reply.error == jute::ErrorCode::kOk) read(body, reply.value);
                                       });
}

void Session::set_acl(std::string path, std::vector<jute::Acl> acl, std::int32_t version,
                      milliseconds timeout, Callback<jute::Stat> done) {
  core_->request<jute::Stat>(jute::OpCode::kSetAcl,
                             jute::SetAclRequest{std::move(path), std::move(acl), version}, timeout,
                             std::move(done), kStatBody);
}

void Session::multi(std::vector<jute::MultiOperation> operations, milliseconds timeout,
                    Callback<std::vector<jute::MultiResult>> done) {
  using Results = std::vector<jute::MultiResult>;
  core_->request<Results>(jute::OpCode::kMulti, jute::MultiRequest{std::move(operations)}, timeout,
                          std::move(done), [](Reply<Results>& reply, jute::Reader& body) {
                            if (reply.error != jute::ErrorCode::kOk) return;
                            jute::MultiResponse record;
                            read(body, record);
                            reply.error = first_error(record.results);
                            reply.value = std::move(record.results);
                          });
}

Result<void> Session::add_auth(std::string scheme, std::string auth) {
  return core_->add_auth(std::move(scheme), std::move(auth));
}

}  // namespace wk::client
