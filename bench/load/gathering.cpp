#include "bench/load/gathering.h"

#include <fmt/format.h>

#include "bench/load/frames.h"

namespace wk::bench {

Result<void> Gathering::arrive() {
  for (std::size_t member = 0; member < crowd_.size(); ++member) crowd_.open(member);
  return crowd_.turn_until([this] { return crowd_.present() == crowd_.size(); }, kPatience, "all sessions");
}

Result<void> Gathering::ask(std::size_t members, std::size_t count,
                            const std::function<void(std::size_t, std::vector<std::byte>&)>& frames,
                            jute::ErrorCode also) {
  replies_ = 0;
  also_ = also;
  std::vector<std::byte> output;
  for (std::size_t member = 0; member < members; ++member) {
    output.clear();
    frames(member, output);
    if (auto sent = crowd_.send(member, output); !sent) return sent;
  }
  return crowd_.turn_until([&] { return replies_ == members * count; }, kPatience, "all replies");
}

Result<void> Gathering::depart() {
  departing_ = true;
  std::vector<std::byte> output;
  append_request(output, 0, jute::OpCode::kCloseSession);
  for (std::size_t member = 0; member < crowd_.size(); ++member) {
    if (!crowd_.is_present(member)) continue;
    if (auto sent = crowd_.send(member, output); !sent) return sent;
  }
  return crowd_.turn_until([this] { return crowd_.present() == 0; }, kPatience, "all sessions to close");
}

Result<void> Gathering::on_reply(std::size_t member, std::int32_t, jute::ErrorCode code, Clock::time_point) {
  if (!departing_ && code != jute::ErrorCode::kOk && code != also_) {
    return Error{Errc::kNotAllowed, fmt::format("{}: session {} of the crowd: a request failed: {}",
                                                crowd_.server(member).name, member, name(code))};
  }
  ++replies_;
  return {};
}

Result<void> Gathering::on_closed(std::size_t member, Clock::time_point now) {
  if (departing_) return {};
  return CrowdOwner::on_closed(member, now);
}

}  // namespace wk::bench
