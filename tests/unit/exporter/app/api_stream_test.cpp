#include "exporter/app/api_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "exporter/app/json_text.h"
#include "tests/unit/exporter/app/sample_snapshot.h"

namespace wk::exporter {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::StartsWith;

/// So long that a test which waits for it would be noticed.
constexpr std::chrono::hours kForEver{24};
/// sample::snapshot()'s exporter started then.
constexpr const char* kProcess = "1795300701250";

struct Received {
  std::string event, id, comment, retry;
  Json data;
};

/// One piece as a browser reads it.
Received parsed(const std::string& piece) {
  Received received;
  EXPECT_TRUE(piece.ends_with("\n\n")) << piece;
  std::size_t begin = 0;
  while (begin < piece.size()) {
    const std::size_t end = piece.find('\n', begin);
    const std::string line = piece.substr(begin, end - begin);
    begin = end + 1;
    if (line.starts_with("event: ")) received.event = line.substr(7);
    if (line.starts_with("id: ")) received.id = line.substr(4);
    if (line.starts_with("data: ")) received.data = Json::parse(line.substr(6));
    if (line.starts_with("retry: ")) received.retry = line.substr(7);
    if (line.starts_with(":")) received.comment = line;
  }
  return received;
}

class StreamTest : public ::testing::Test {
 protected:
  void publish(std::vector<EnsembleView> ensembles) {
    auto snapshot = std::make_shared<Snapshot>(sample::snapshot(std::move(ensembles)));
    snapshot->sequence = ++sequence_;
    publication_->publish(std::move(snapshot));
  }
  void publish() { publish({sample::healthy_ensemble("a"), sample::dead_ensemble("b")}); }

  void add_event(const std::string& ensemble) {
    log_.push_back({.id = log_.size() + 1,
                    .at = sample::now(),
                    .type = EventType::kLeaderLost,
                    .severity = Severity::kCritical,
                    .ensemble = ensemble,
                    .member = "",
                    .text = "gone",
                    .duration = std::nullopt});
  }

  void make_feed(std::chrono::milliseconds silence = kForEver) {
    StreamSources sources;
    sources.publication = publication_;
    sources.events = [this](std::uint64_t after, std::size_t limit) {
      std::vector<Event> found;
      for (const Event& event : log_)
        if (event.id > after) found.push_back(event);
      if (found.size() > limit) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limit));
      return found;
    };
    sources.latest_row = [this](const std::string&) {
      ++rows_read_;
      return row_;
    };
    sources.now = [this] { return now_; };
    feed_ = std::make_shared<StreamFeed>(std::move(sources), silence);
  }

  std::shared_ptr<BodyStream> open(std::multimap<std::string, std::string> query,
                                   std::vector<std::pair<std::string, std::string>> headers = {}) {
    const Response response =
        feed_->open({"GET", "/api/v1/stream", std::move(query), std::move(headers), "127.0.0.1", {}});
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "text/event-stream");
    return response.body_stream();
  }

  static Received receive(BodyStream& stream) {
    const auto piece = stream.next();
    return piece ? parsed(*piece) : Received{"ended", "", "", "", {}};
  }

  static std::vector<std::string> names(BodyStream& stream, std::size_t count) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < count; ++i) found.push_back(receive(stream).event);
    return found;
  }

  static std::vector<std::uint64_t> ids_of(const Json& events) {
    std::vector<std::uint64_t> ids;
    for (const Json& event : events["events"]) ids.push_back(event["id"]);
    return ids;
  }

  std::shared_ptr<Publication> publication_ = std::make_shared<Publication>();
  std::uint64_t sequence_ = 0;
  std::vector<Event> log_;
  std::optional<HistoryRow> row_;
  int rows_read_ = 0;
  Moment now_ = sample::now();
  std::shared_ptr<StreamFeed> feed_;
};

TEST_F(StreamTest, WithoutAnEnsembleTheStatusAlone) {
  publish();
  make_feed();
  const auto stream = open({});
  EXPECT_EQ(receive(*stream).retry, "1000");
  const Received first = receive(*stream);
  EXPECT_EQ(first.event, "status");
  EXPECT_EQ(first.id, "");
  EXPECT_EQ(first.data["ensembles"].size(), 2u);
  EXPECT_EQ(first.data["snapshot"]["sequence"], 1);
  publish();
  const Received second = receive(*stream);
  EXPECT_EQ(second.event, "status");
  EXPECT_EQ(second.data["snapshot"]["sequence"], 2);
}

TEST_F(StreamTest, AnEnsembleBringsMembersRowAndEvents) {
  row_.emplace();
  row_->at = std::chrono::floor<std::chrono::seconds>(now_.wall);
  row_->members.resize(3);
  add_event("a");
  add_event("b");
  publish();
  make_feed();
  const auto stream = open({{"ensemble", "a"}});
  receive(*stream);
  EXPECT_EQ(receive(*stream).event, "status");
  const Received members = receive(*stream);
  EXPECT_EQ(members.event, "members");
  EXPECT_EQ(members.data["ensemble"], "a");
  EXPECT_EQ(members.data["members"][1]["role"], "leader");
  const Received row = receive(*stream);
  EXPECT_EQ(row.event, "row");
  EXPECT_EQ(row.data["time"], 1'795'300'801);
  EXPECT_EQ(row.data["members"]["zk1:2181"]["znodes"], nullptr);
  const Received events = receive(*stream);
  EXPECT_EQ(events.event, "events");
  EXPECT_EQ(events.id, std::string("2-") + kProcess) << "the newest of all ensembles: it was looked at";
  EXPECT_EQ(ids_of(events.data), std::vector<std::uint64_t>{1});
  EXPECT_EQ(events.data["resumed"], false);
  EXPECT_EQ(events.data["ensemble"], "a");

  // Neither the same row nor no events again.
  publish();
  EXPECT_THAT(names(*stream, 2), ElementsAre("status", "members"));
  row_->at += 1s;
  add_event("b");
  publish();
  EXPECT_THAT(names(*stream, 3), ElementsAre("status", "members", "row"));
  add_event("a");
  publish();
  EXPECT_THAT(names(*stream, 2), ElementsAre("status", "members"));
  const Received more = receive(*stream);
  EXPECT_EQ(ids_of(more.data), std::vector<std::uint64_t>{4});
  EXPECT_EQ(more.id, std::string("4-") + kProcess);
  EXPECT_EQ(more.data["resumed"], true);
}

TEST_F(StreamTest, AnEmptyPastIsToldOnce) {
  publish();
  make_feed();
  const auto stream = open({{"ensemble", "a"}});
  EXPECT_THAT(names(*stream, 3), ElementsAre("", "status", "members"));
  const Received events = receive(*stream);
  EXPECT_EQ(events.data["events"], Json::array());
  EXPECT_EQ(events.id, std::string("0-") + kProcess);
}

TEST_F(StreamTest, ANewPageGetsTheNewestHundred) {
  for (int i = 0; i < 250; ++i) add_event(i % 2 ? "a" : "b");
  publish();
  make_feed();
  const auto stream = open({{"ensemble", "a"}});
  names(*stream, 3);
  const Received events = receive(*stream);
  ASSERT_EQ(events.data["events"].size(), 100u);
  EXPECT_EQ(events.data["events"][99]["id"], 250);
  EXPECT_EQ(events.data["events"][0]["id"], 52);
  EXPECT_EQ(events.data["skipped"], 25);
}

TEST_F(StreamTest, WhoComesBackGetsExactlyWhatItMissed) {
  for (int i = 0; i < 300; ++i) add_event("a");
  publish();
  make_feed();
  for (const std::string& id : {std::string("110-") + kProcess, std::string("110")}) {
    const auto stream = open({{"ensemble", "a"}}, {{"Last-Event-ID", id}});
    names(*stream, 3);
    const Received events = receive(*stream);
    ASSERT_EQ(events.data["events"].size(), 190u) << id;
    EXPECT_EQ(events.data["events"][0]["id"], 111);
    EXPECT_EQ(events.data["events"][189]["id"], 300);
    EXPECT_EQ(events.data["resumed"], true);
  }
  const auto current = open({{"ensemble", "a"}}, {{"Last-Event-ID", std::string("300-") + kProcess}});
  names(*current, 3);
  const Received none = receive(*current);
  EXPECT_EQ(none.data["events"], Json::array());
  EXPECT_EQ(none.data["resumed"], true);
}

TEST_F(StreamTest, AnIdOfAnotherProcessOrOfNothingBeginsAnew) {
  for (int i = 0; i < 3; ++i) add_event("a");
  publish();
  make_feed();
  for (const char* id : {"1-17", "4-1795300701250", "4", "18446744073709551615", "18446744073709551616", "-1",
                         "x", "1-", "1-1795300701250x", "1 2", "\xff", ""}) {
    const auto stream = open({{"ensemble", "a"}}, {{"Last-Event-ID", id}});
    names(*stream, 3);
    const Received events = receive(*stream);
    EXPECT_EQ(ids_of(events.data), (std::vector<std::uint64_t>{1, 2, 3})) << id;
    EXPECT_EQ(events.data["resumed"], false) << id;
  }
}

TEST_F(StreamTest, AllStreamsShareOneText) {
  row_.emplace();
  row_->members.resize(3);
  publish();
  make_feed();
  const auto first = open({{"ensemble", "a"}});
  const auto second = open({{"ensemble", "a"}});
  first->next();
  second->next();
  for (int i = 0; i < 3; ++i) {
    const auto one = first->next();
    EXPECT_EQ(one.get(), second->next().get()) << *one;
  }
  EXPECT_EQ(rows_read_, 1);
}

TEST_F(StreamTest, ASlowReaderLeavesSnapshotsOut) {
  publish();
  make_feed();
  const auto stream = open({});
  names(*stream, 2);
  for (int i = 0; i < 5; ++i) publish();
  EXPECT_EQ(receive(*stream).data["snapshot"]["sequence"], 6);
}

TEST_F(StreamTest, SilenceIsToldWithTheAgeOfWhatIsKnown) {
  publish();
  make_feed(0ms);
  const auto stream = open({});
  names(*stream, 2);
  now_ = sample::now() + 30s;
  EXPECT_EQ(receive(*stream).comment, ": no new snapshot");
  const Received status = receive(*stream);
  EXPECT_EQ(status.event, "status");
  EXPECT_EQ(status.data["snapshot"]["sequence"], 1);
  EXPECT_EQ(status.data["snapshot"]["age_seconds"], 30.5);
  EXPECT_EQ(status.data["snapshot"]["stale"], true);
  EXPECT_EQ(status.data["status"], "critical");
}

TEST_F(StreamTest, EndWakesAStreamThatWaits) {
  publish();
  make_feed();
  const auto stream = open({});
  names(*stream, 2);
  auto waiting = std::async(std::launch::async, [&] { return stream->next(); });
  stream->end();
  EXPECT_EQ(waiting.get(), nullptr);
  EXPECT_EQ(stream->next(), nullptr);
}

TEST_F(StreamTest, APublicationWakesAStreamThatWaits) {
  publish();
  make_feed();
  const auto stream = open({});
  names(*stream, 2);
  auto waiting = std::async(std::launch::async, [&] { return receive(*stream).event; });
  publish();
  EXPECT_EQ(waiting.get(), "status");
}

TEST_F(StreamTest, AnEndedStreamSendsNothingThatWasRendered) {
  publish();
  make_feed();
  const auto stream = open({});
  stream->end();
  EXPECT_EQ(stream->next(), nullptr);
}

TEST_F(StreamTest, AnUnknownEnsembleIsRefused) {
  publish();
  make_feed();
  const Response unknown =
      feed_->open({"GET", "/api/v1/stream", {{"ensemble", "nope"}}, {}, "127.0.0.1", {}});
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(Json::parse(unknown.body_text())["error"], "no ensemble is called \"nope\"; known ones: a, b");
  EXPECT_EQ(feed_->open({"GET", "/", {{"ensemble", "a"}, {"ensemble", "b"}}, {}, "127.0.0.1", {}}).status,
            400);
}

TEST_F(StreamTest, HostileTextCannotEndAnEvent) {
  EnsembleView ensemble = sample::healthy_ensemble("a");
  ensemble.verdict = "line\nevent: forged\r\ndata: 1\n\n\xff";
  publish({ensemble});
  make_feed();
  const auto stream = open({});
  names(*stream, 1);
  const auto piece = stream->next();
  EXPECT_EQ(std::count(piece->begin(), piece->end(), '\n'), 3);
  EXPECT_EQ(std::count(piece->begin(), piece->end(), '\r'), 0);
  EXPECT_EQ(parsed(*piece).data["verdict"], "line\nevent: forged\r\ndata: 1\n\n\xEF\xBF\xBD");
}

TEST(StreamId, ReadsBack) {
  EXPECT_EQ(stream_id({17, 42}), "17-42");
  EXPECT_EQ(stream_id({17, std::nullopt}), "17");
  EXPECT_EQ(parse_stream_id("17-42")->event, 17u);
  EXPECT_EQ(parse_stream_id("17-42")->process, 42);
  EXPECT_EQ(parse_stream_id("17")->process, std::nullopt);
}

}  // namespace
}  // namespace wk::exporter
