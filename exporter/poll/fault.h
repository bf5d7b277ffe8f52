// What went wrong on the way to an answer, as a source state with words for people.
//
// Thread: any; pure functions.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>
#include <string_view>

#include "exporter/model/facts.h"

namespace wk::exporter {

/// kOk with an empty detail means that nothing went wrong.
struct Fault {
  SourceState state = SourceState::kOk;
  std::string detail;  ///< printable, at most 256 characters

  explicit operator bool() const { return state != SourceState::kOk; }
};

/// \param peer  "IP:PORT"
Fault connect_fault(const boost::system::error_code& ec, std::string_view peer);

/// A fault after the connection stood, while `received` bytes of the answer had come. TLS alerts count as TLS
/// failures: a member that wants a certificate says so only after the handshake (TLS 1.3).
Fault transfer_fault(const boost::system::error_code& ec, std::size_t received, std::string_view peer);

}  // namespace wk::exporter
