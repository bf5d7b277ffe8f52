// Answers four-letter words from what the server knows at this moment.
//
// Thread: core.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "server/config/config.h"
#include "server/net/first_bytes.h"
#include "server/node/inspection.h"
#include "server/node/node_stats.h"
#include "server/node/word_texts.h"
#include "server/replica/replica.h"

namespace wk::node {

class Words {
 public:
  /// \param mntr  the text of mntr, whose numbers have an owner of their own
  /// \param node  reset by srst together with the replica's
  Words(const config::Config& config, const Inspection& inspection, replica::Replica& replica,
        NodeStats& node, std::function<std::string(const Moment& now)> mntr);

  /// The whole answer; the connection ends behind it.
  /// \param asker  the connection that asks, which stat and cons list too
  /// \param rest   bytes that came right behind the word
  std::string answer(net::FourLetterWord word, ConnectionId asker, std::span<const std::byte> rest,
                     const Moment& now);

  /// Words answered since the statistics were reset: as packets, they count among received and sent.
  [[nodiscard]] std::uint64_t asked_since_reset() const { return asked_ - asked_at_reset_; }
  [[nodiscard]] std::int64_t trace_mask() const { return trace_mask_; }

 private:
  [[nodiscard]] bool allowed(net::FourLetterWord word) const;
  std::string execute(net::FourLetterWord word, ConnectionId asker, std::span<const std::byte> rest,
                      const Moment& now);
  [[nodiscard]] Entries conf() const;
  [[nodiscard]] DumpFacts dump(const Moment& now) const;
  std::string set_trace_mask(std::span<const std::byte> rest);
  void reset_statistics(const Moment& now);

  const config::Config& config_;
  const Inspection& inspection_;
  replica::Replica& replica_;
  NodeStats& node_;
  std::function<std::string(const Moment&)> mntr_;
  std::vector<net::FourLetterWord> allowed_;
  std::uint64_t asked_ = 0;
  std::uint64_t asked_at_reset_ = 0;
  /// Apache's trace mask: kept for tools that set and get it; nothing is traced by it. Source: ZooTrace.java.
  std::int64_t trace_mask_ = 306;
};

/// "3.9.5-watchkeeper-…, built on 11/22/2026 05:36 GMT": release whose behaviour is ours, our own version,
/// and the date in the form of 3.6 and older, the only one that all clients' parsers read.
std::string version_text();

}  // namespace wk::node
