#include "server/node/slow_request_log.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/time.h"
#include "server/txn/operation.h"

namespace wk::node {
namespace {

double ms(std::chrono::nanoseconds duration) { return seconds(duration) * 1'000; }

std::string line_of(const replica::SlowRequest& slow) {
  const txn::Operation* const operation = txn::find_operation(slow.op);
  std::string text = fmt::format("slow request: {}{}{} of session 0x{:x} took {:.0f} ms",
                                 operation == nullptr ? "an unknown operation" : operation->name(),
                                 slow.path.empty() ? "" : " ", printable(slow.path),
                                 static_cast<std::uint64_t>(slow.session.value), ms(slow.latency));
  auto out = std::back_inserter(text);
  if (slow.moments) {
    fmt::format_to(out, " (zxid {}", slow.zxid.to_string());
    for (std::size_t i = 0; i < replica::kWriteStages; ++i)
      fmt::format_to(out, ", {} {:.1f} ms", replica::name(static_cast<replica::WriteStage>(i)),
                     ms((*slow.moments)[i + 1] - (*slow.moments)[i]));
    fmt::format_to(out, "); {} transactions were under way before it", slow.queued_before);
  }
  if (slow.during_snapshot) text += "; a snapshot was being written";
  if (slow.during_purge) text += "; old files were being removed";
  return text;
}

}  // namespace

std::vector<std::string> SlowRequestLog::lines(const replica::SlowRequests::ToLog& slow,
                                               std::chrono::steady_clock::time_point now) {
  std::vector<std::string> made;
  left_out_ += slow.left_out;
  for (const replica::SlowRequest& request : slow.requests) {
    if (now - window_ >= kWindow) {
      window_ = now;
      logged_ = 0;
    }
    if (logged_ >= kLines) {
      ++left_out_;
      continue;
    }
    ++logged_;
    std::string line = line_of(request);
    if (const std::uint64_t before = std::exchange(left_out_, 0); before > 0)
      fmt::format_to(std::back_inserter(line), "; {} more were as slow since the last such line", before);
    made.push_back(std::move(line));
  }
  return made;
}

}  // namespace wk::node
