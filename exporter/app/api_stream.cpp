#include "exporter/app/api_stream.h"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <deque>
#include <utility>

#include "base/check.h"
#include "exporter/app/api_events.h"
#include "exporter/app/api_status.h"
#include "exporter/app/api_tables.h"
#include "exporter/app/json_text.h"
#include "exporter/app/member_lookup.h"
#include "exporter/app/query.h"

namespace wk::exporter {
namespace {

constexpr std::chrono::seconds kFramesLifetime{1};

using Text = std::shared_ptr<const std::string>;

Text text_of(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

Text event_of(std::string_view name, const Json& document, std::string_view id = {}) {
  return text_of(server_sent_event(name, json_line(document), id));
}

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::int64_t process_of(const Snapshot& snapshot) {
  return std::chrono::floor<std::chrono::milliseconds>(snapshot.exporter.started.wall.time_since_epoch())
      .count();
}

class Stream final : public BodyStream {
 public:
  /// \param ensemble  empty = the status alone
  /// \param place     absent = the client has no events yet
  Stream(std::shared_ptr<StreamFeed> feed, std::string ensemble, std::optional<StreamPlace> place)
      : feed_(std::move(feed)), ensemble_(std::move(ensemble)), resumed_(place.has_value()) {
    if (place) last_event_ = place->event;
    waiting_.push_back(text_of(fmt::format("retry: {}\n\n", kStreamRetry.count())));
  }

  Text next() override {
    if (waiting_.empty()) {
      feed_->sources().publication->wait_for_newer(sequence_, ended_, feed_->silence());
      if (!ended_) render();
    }
    if (ended_) return nullptr;
    Text piece = std::move(waiting_.front());
    waiting_.pop_front();
    return piece;
  }

  void end() override {
    ended_ = true;
    feed_->sources().publication->wake();
  }

 private:
  /// Adds at least one piece.
  void render() {
    const auto frames = feed_->frames();
    const Snapshot& snapshot = frames->snapshot();
    if (snapshot.sequence == sequence_) {
      waiting_.push_back(text_of(": no new snapshot\n\n"));
      waiting_.push_back(frames->status());
      return;
    }
    sequence_ = snapshot.sequence;
    waiting_.push_back(frames->status());
    if (ensemble_.empty()) return;
    const auto ensemble = find_ensemble(snapshot, ensemble_);
    WK_CHECK(ensemble.has_value(), "an ensemble left the snapshot");
    const StreamFrames::OfEnsemble own = frames->of_ensemble(**ensemble);
    waiting_.push_back(own.members);
    if (own.row_at && own.row_at != row_at_) {
      waiting_.push_back(own.row);
      row_at_ = own.row_at;
    }
    add_events(snapshot);
  }

  void add_events(const Snapshot& snapshot) {
    EventsQuery query;
    query.after = last_event_;
    query.ensemble = ensemble_;
    // A page that just opened gets what /api/v1/events would show; one that comes back misses nothing.
    if (resumed_ || events_sent_) query.limit = EventsQuery::kLimitMax;
    const std::vector<Event> events = feed_->sources().events(last_event_, EventsQuery::kLimitMax);
    if (!events.empty()) last_event_ = events.back().id;
    Json document = events_document(query, events, snapshot);
    if (events_sent_ && document["events"].empty()) return;
    document["ensemble"] = ensemble_;
    document["resumed"] = resumed_ || events_sent_;
    events_sent_ = true;
    waiting_.push_back(event_of("events", document, stream_id({last_event_, process_of(snapshot)})));
  }

  const std::shared_ptr<StreamFeed> feed_;
  const std::string ensemble_;
  const bool resumed_;
  std::atomic<bool> ended_{false};
  std::deque<Text> waiting_;  ///< rendered, not yet sent
  std::uint64_t sequence_ = 0;
  std::optional<std::chrono::system_clock::time_point> row_at_;  ///< of the row that was sent last
  std::uint64_t last_event_ = 0;
  bool events_sent_ = false;
};

}  // namespace

std::string stream_id(const StreamPlace& place) {
  return place.process ? fmt::format("{}-{}", place.event, *place.process) : fmt::format("{}", place.event);
}

std::optional<StreamPlace> parse_stream_id(std::string_view text) {
  StreamPlace place;
  if (!take_number(text, place.event)) return std::nullopt;
  if (text.empty()) return place;
  if (text.front() != '-') return std::nullopt;
  text.remove_prefix(1);
  std::int64_t process = 0;
  if (!take_number(text, process) || !text.empty()) return std::nullopt;
  place.process = process;
  return place;
}

std::string server_sent_event(std::string_view name, std::string_view data, std::string_view id) {
  WK_CHECK(data.find_first_of("\r\n") == std::string_view::npos, "an event's data would end early");
  return fmt::format("event: {}\n{}{}{}data: {}\n\n", name, id.empty() ? "" : "id: ", id,
                     id.empty() ? "" : "\n", data);
}

StreamFrames::StreamFrames(std::shared_ptr<const Snapshot> snapshot, const StreamSources& sources, Moment now)
    : snapshot_(std::move(snapshot)), sources_(sources), now_(now) {}

Text StreamFrames::status() {
  const std::lock_guard lock(mutex_);
  if (!status_)
    status_ =
        event_of("status", status_document(*snapshot_, sources_.build, sources_.longest_interval, now_));
  return status_;
}

StreamFrames::OfEnsemble StreamFrames::of_ensemble(const EnsembleView& ensemble) {
  const std::lock_guard lock(mutex_);
  if (const auto found = ensembles_.find(ensemble.name); found != ensembles_.end()) return found->second;
  OfEnsemble own;
  const auto row = sources_.latest_row(ensemble.name);
  own.members =
      event_of("members", members_table(ensemble, row, status_lifetime(sources_.longest_interval), now_));
  if (row) {
    own.row_at = row->at;
    own.row = event_of("row", history_row_document(ensemble, *row));
  }
  return ensembles_.emplace(ensemble.name, std::move(own)).first->second;
}

StreamFeed::StreamFeed(StreamSources sources, std::chrono::milliseconds silence)
    : sources_(std::move(sources)), silence_(silence) {}

std::shared_ptr<StreamFrames> StreamFeed::frames() {
  const Moment now = sources_.now();
  const std::lock_guard lock(mutex_);
  auto newest = sources_.publication->current();
  if (!frames_ || frames_->snapshot().sequence != newest->sequence ||
      now - frames_->rendered() >= kFramesLifetime)
    frames_ = std::make_shared<StreamFrames>(std::move(newest), sources_, now);
  return frames_;
}

Response StreamFeed::open(const Request& request) {
  const auto refused = [](const Error& error) { return json_error(http_status_of(error), error.message); };
  const auto ensemble = query_text(request.query, "ensemble");
  if (!ensemble) return refused(ensemble.error());
  const auto snapshot = sources_.publication->current();
  if (!ensemble->empty())
    if (const auto found = find_ensemble(*snapshot, *ensemble); !found) return refused(found.error());

  // An id of another process, or one that was never given, tells nothing about what the client has.
  auto place = parse_stream_id(request.header("Last-Event-ID"));
  if (place && place->process && place->process != process_of(*snapshot)) place.reset();
  if (place && place->event > 0 && sources_.events(place->event - 1, 1).empty()) place.reset();

  Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.body = std::shared_ptr<BodyStream>(std::make_shared<Stream>(shared_from_this(), *ensemble, place));
  return response;
}

}  // namespace wk::exporter
