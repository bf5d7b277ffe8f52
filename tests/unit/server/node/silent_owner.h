// The owner of a client port to which nobody connects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "server/net/client_port.h"

namespace wk::node {

class SilentOwner final : public net::ClientPortOwner {
 public:
  void on_opened(ConnectionId, const std::string&) override {}
  void on_frame(ConnectionId, std::span<const std::byte>) override {}
  void on_word(ConnectionId, net::FourLetterWord, std::span<const std::byte>) override {}
  void on_fetched(ConnectionId) override {}
  void on_gone(ConnectionId, std::optional<net::Refusal>) override {}
  void on_refused(net::Refusal, const std::string&, std::int64_t) override {}
  void on_wake_up() override {}
};

}  // namespace wk::node
