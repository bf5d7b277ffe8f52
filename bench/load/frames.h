// Frames of the client protocol for what is sent rarely: encoded record by record, with their length in
// front.
//
// Thread: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/ids.h"
#include "jute/codes.h"
#include "jute/records.h"
#include "jute/writer.h"

namespace wk::bench {

/// Writes a number of the wire, four bytes: a frame's length, an xid.
inline void put_big_endian(std::byte* at, std::uint32_t value) {
  for (int i = 3; i >= 0; --i, value >>= 8U) at[i] = static_cast<std::byte>(value & 0xffU);
}

/// Appends one frame that holds these records, one after the other.
template <typename... Records>
void append_frame(std::vector<std::byte>& output, const Records&... records) {
  constexpr std::size_t kLengthBytes = 4;
  const std::size_t begin = output.size();
  output.resize(begin + kLengthBytes);
  jute::Writer writer(output);
  (jute::write(writer, records), ...);
  WK_CHECK(writer.ok(), "a frame of the load generator does not fit");
  put_big_endian(output.data() + begin, static_cast<std::uint32_t>(output.size() - begin - kLengthBytes));
}

/// Appends a request with its header.
template <typename... Body>
void append_request(std::vector<std::byte>& output, std::int32_t xid, jute::OpCode op, const Body&... body) {
  append_frame(output, jute::RequestHeader{xid, op}, body...);
}

/// Everybody may do everything: the access list of all znodes that a load makes.
inline std::vector<jute::Acl> open_acl() { return {jute::Acl{jute::kPermAll, jute::Id{"world", "anyone"}}}; }

/// A new session, or with an id and its password the one that was there before.
inline jute::ConnectRequest connect_request(std::chrono::milliseconds timeout, SessionId session = {},
                                            std::string password = std::string(16, '\0')) {
  jute::ConnectRequest request;
  request.timeout_ms = static_cast<std::int32_t>(timeout.count());
  request.session_id = session;
  request.password = std::move(password);
  request.read_only = false;
  return request;
}

}  // namespace wk::bench
