// GET /api/v1/stream: server-sent events that keep a page up to date without asking. Reference:
// docs/EXPORTER.md, "/api/v1/stream".
//
// All streams share the texts: a snapshot is rendered once, by the first stream that sends it. A stream that
// does not keep up leaves snapshots out and never gets an old one. Thread: open() and next() on HTTP threads,
// end() on any; a StreamFeed must be owned by a shared_ptr. Source: the HTML standard, 9.2 (server-sent
// events).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "exporter/app/history_row.h"
#include "exporter/app/publication.h"
#include "exporter/catalogue/catalogue.h"
#include "exporter/model/event.h"
#include "exporter/web/http.h"

namespace wk::exporter {

/// A comment and the status once more are sent after this long without a new snapshot: the watcher hangs, and
/// the client must learn that its data are old.
inline constexpr std::chrono::seconds kStreamSilence{10};
/// How long a browser waits before it comes back.
inline constexpr std::chrono::milliseconds kStreamRetry{1000};

/// Place of a client in the events: the id of the last one it has, and the process that gave it.
struct StreamPlace {
  std::uint64_t event = 0;
  std::optional<std::int64_t> process;  ///< when it started, milliseconds since 1970; absent = not told
};

/// The value of `id:` and of the header Last-Event-ID: "17-1795300801250" or "17".
std::string stream_id(const StreamPlace& place);
/// Nothing when `text` is no such id.
std::optional<StreamPlace> parse_stream_id(std::string_view text);

/// One server-sent event; `data` without line breaks.
std::string server_sent_event(std::string_view name, std::string_view data, std::string_view id = {});

/// What streams read.
struct StreamSources {
  std::shared_ptr<const Publication> publication;  ///< with a snapshot
  std::function<std::vector<Event>(std::uint64_t after, std::size_t limit)> events;
  std::function<std::optional<HistoryRow>(const std::string& ensemble)> latest_row;
  std::function<Moment()> now;
  BuildInfo build;
  std::chrono::nanoseconds longest_interval{0};  ///< of all ensembles
};

/// The texts of one snapshot, rendered when they are first asked for. Any thread.
class StreamFrames {
 public:
  StreamFrames(std::shared_ptr<const Snapshot> snapshot, const StreamSources& sources, Moment now);

  struct OfEnsemble {
    std::shared_ptr<const std::string> members;
    std::optional<std::chrono::system_clock::time_point> row_at;
    std::shared_ptr<const std::string> row;  ///< null exactly when there is no `row_at`
  };

  [[nodiscard]] const Snapshot& snapshot() const { return *snapshot_; }
  [[nodiscard]] Moment rendered() const { return now_; }
  std::shared_ptr<const std::string> status();
  /// \param ensemble  one of the snapshot
  OfEnsemble of_ensemble(const EnsembleView& ensemble);

 private:
  const std::shared_ptr<const Snapshot> snapshot_;
  const StreamSources& sources_;
  const Moment now_;
  std::mutex mutex_;
  std::shared_ptr<const std::string> status_;
  std::map<std::string, OfEnsemble, std::less<>> ensembles_;
};

class StreamFeed : public std::enable_shared_from_this<StreamFeed> {
 public:
  /// \param silence  see kStreamSilence
  explicit StreamFeed(StreamSources sources, std::chrono::milliseconds silence = kStreamSilence);

  /// The response to `request`: 200 with a stream, or 400 or 404 in JSON.
  Response open(const Request& request);

  [[nodiscard]] const StreamSources& sources() const { return sources_; }
  [[nodiscard]] std::chrono::milliseconds silence() const { return silence_; }
  /// The newest snapshot's texts. The same snapshot is rendered anew when its texts are a second old.
  std::shared_ptr<StreamFrames> frames();

 private:
  const StreamSources sources_;
  const std::chrono::milliseconds silence_;
  std::mutex mutex_;
  std::shared_ptr<StreamFrames> frames_;
};

}  // namespace wk::exporter
