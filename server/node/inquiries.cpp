#include "server/node/inquiries.h"

#include <fmt/format.h>

namespace wk::node {

Error Inquiries::too_many() {
  return {Errc::kTooLarge,
          fmt::format("the core thread has {} questions before it that it has not looked at; try again later",
                      kUnansweredMax)};
}

Error Inquiries::timed_out() {
  return {
      Errc::kTimedOut,
      fmt::format("the core thread has not answered for {} ms: it is busy, stopping or hangs; /livez tells "
                  "since when it has been silent",
                  kPatience.count())};
}

}  // namespace wk::node
