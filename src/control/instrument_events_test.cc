#include "control/instrument_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "config/keys.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

const Timestamp kStart{std::chrono::seconds{1'800'000'000}};
const std::string kSensor(64, 'a');

// What reaches the sinks.
class Queue final : public AlertQueue {
 public:
  Result<void> push(const Alert& alert) override {
    if (fails) return fail(ErrorKind::limit, "queue", "an alert", "the disk is full");
    pushed.push_back(alert);
    return {};
  }
  void set_sinks(NamedSinks) override {}
  double fill_percent() const override { return 0; }
  std::uint64_t drops() const override { return 0; }
  std::vector<SinkStatus> sinks() const override { return {}; }

  bool fails = false;
  std::vector<Alert> pushed;
};

std::string uuid(unsigned n) {
  std::string text = "00000000-0000-4000-8000-000000000000";
  const std::string digits = std::to_string(n);
  return text.replace(text.size() - digits.size(), digits.size(), digits);
}

class InstrumentEventsTest : public testing::Test {
 protected:
  InstrumentEventsTest() {
    std::string pattern = testing::TempDir() + "events-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    open();
  }
  ~InstrumentEventsTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }
  void close() {
    events_.reset();
    leaks_.reset();
    triage_.reset();
    alerts_.reset();
    probes_.reset();
    database_.reset();
  }
  // As a restart does it.
  void open() {
    close();
    database_ = std::move(Database::open(folder_ + "/db").value());
    probes_ = std::move(Probes::open(*database_).value());
    alerts_ = std::move(Alerts::open(*database_).value());
    triage_ = std::move(Triage::open(*database_).value());
    const Leaks::Parts parts{*database_, *probes_, *triage_, *alerts_, queue_, hub_};
    leaks_ = std::move(Leaks::open(parts, {}, kStart).value());
    events_ = std::move(InstrumentEvents::open({*database_, *triage_, *leaks_, hub_}).value());
  }

  static InstrumentEvent event(unsigned n, std::string type = "instruments.beacon.ev.status") {
    InstrumentEvent event;
    event.instance = "beacon_0";
    event.uuid = uuid(n);
    event.time = kStart - 1h;
    event.type = std::move(type);
    event.message = "word " + std::to_string(n);
    event.data_json = R"({"n": 1})";
    return event;
  }
  static InstrumentEvent alert(unsigned n) { return event(n, "instruments.beacon.ev.alert"); }
  bool take(std::uint64_t sequence, std::vector<InstrumentEvent> events, bool replayed = false,
            Timestamp now = kStart) {
    const auto taken = events_->take(
        {kSensor, "sensor001", "incarnation", sequence, std::move(events), replayed}, now);
    EXPECT_TRUE(taken) << taken.error().message();
    return taken.value_or(false);
  }
  std::vector<std::string> messages(const InstrumentEvents::Query& query = {}) const {
    std::vector<std::string> all;
    const auto page = events_->page(query);
    EXPECT_TRUE(page) << page.error().message();
    if (page) {
      for (const auto& kept : page->events)
        all.push_back(kept.event.message);
    }
    return all;
  }

  std::string folder_;
  Queue queue_;
  EventHub hub_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Probes> probes_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<Triage> triage_;
  std::unique_ptr<Leaks> leaks_;
  std::unique_ptr<InstrumentEvents> events_;
};

TEST_F(InstrumentEventsTest, KeepsEachUuidOnceInWhicheverBatchItComes) {
  EXPECT_TRUE(take(1, {event(1), event(2), event(2)}));
  EXPECT_FALSE(take(1, {event(1), event(2)}));  // the batch again
  EXPECT_TRUE(take(2, {event(2), event(3)}));   // the event again
  open();
  EXPECT_FALSE(take(2, {event(2), event(3)}, true));
  EXPECT_THAT(messages(), ElementsAre("word 3", "word 2", "word 1"));
  const auto totals = events_->totals();
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->stored, 3U);
  EXPECT_EQ(totals->repeated, 2U);
}

TEST_F(InstrumentEventsTest, TellsWhatItGot) {
  InstrumentEvent whole = event(1);
  whole.context_uuid = uuid(7);
  take(1, {whole});
  const auto page = events_->page({});
  ASSERT_EQ(page.value().events.size(), 1U);
  const InstrumentEvents::Kept& kept = page->events[0];
  EXPECT_EQ(kept.event, whole);
  EXPECT_EQ(kept.source(), "beacon_0@sensor001");
  EXPECT_EQ(kept.edge, kSensor);
  EXPECT_EQ(kept.accepted, kStart);
}

TEST_F(InstrumentEventsTest, AlertsByTheirTypeUnderAnIdOfTheUuid) {
  InstrumentEvent broken = event(2, "sensor.ev.broken");
  broken.instance.clear();
  broken.message.clear();
  take(1, {alert(1), broken, event(3)});
  ASSERT_EQ(queue_.pushed.size(), 2U);
  const Alert first = queue_.pushed[0];
  EXPECT_EQ(first.subject, "beacon_0@sensor001");
  EXPECT_EQ(first.title, "beacon_0@sensor001: word 1");
  EXPECT_EQ(first.kind, "instruments.beacon.ev.alert");
  EXPECT_EQ(first.severity, Severity::high);
  EXPECT_THAT(first.details, HasSubstr(uuid(1)));
  EXPECT_EQ(queue_.pushed[1].subject, "sensor001");
  EXPECT_EQ(queue_.pushed[1].title, "sensor001: sensor.ev.broken");
  EXPECT_EQ(events_->page({}).value().events[2].alert, first.id);
  EXPECT_TRUE(alerts_->find(first.id).value().has_value());

  // A database that was lost, and the journal brings the batch again.
  close();
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  open();
  take(1, {alert(1)});
  EXPECT_EQ(queue_.pushed.back().id, first.id);
}

TEST_F(InstrumentEventsTest, SendsAlertsThatWaitedOnceTheSinksTakeThem) {
  queue_.fails = true;
  EXPECT_TRUE(take(1, {alert(1)}));
  EXPECT_TRUE(take(2, {alert(2)}, true));  // of the journal
  EXPECT_TRUE(queue_.pushed.empty());
  queue_.fails = false;
  open();
  ASSERT_TRUE(leaks_->tick(kStart));
  EXPECT_EQ(queue_.pushed.size(), 2U);
  ASSERT_TRUE(leaks_->tick(kStart));
  EXPECT_EQ(queue_.pushed.size(), 2U);
}

TEST_F(InstrumentEventsTest, AFloodOfAlertsIsCutOffAndSaysSo) {
  std::vector<InstrumentEvent> many;
  for (unsigned n = 0; n < InstrumentEvents::kMostAlertsAnHour + 20; ++n)
    many.push_back(alert(n));
  take(1, many);
  EXPECT_EQ(queue_.pushed.size(), InstrumentEvents::kMostAlertsAnHour);
  EXPECT_THAT(queue_.pushed.back().description, HasSubstr("without alerts"));
  EXPECT_EQ(events_->totals()->limited, 20U);
  EXPECT_EQ(events_->totals()->stored, many.size());
  take(2, {alert(1000)}, false, kStart + 61min);
  EXPECT_EQ(queue_.pushed.size(), InstrumentEvents::kMostAlertsAnHour + 1);
}

TEST_F(InstrumentEventsTest, ADecisionAboutAnInstrumentKeepsItsAlertsBack) {
  take(1, {event(1)});
  EXPECT_TRUE(events_->knows_source("beacon_0@sensor001").value());
  EXPECT_FALSE(events_->knows_source("beacon_0@sensor002").value());
  Triage::Entry entry;
  entry.subject = "beacon_0@sensor001";
  entry.decision = Triage::Decision::benign;
  entry.reason = "a test";
  entry.author = "anna";
  entry.made = kStart;
  entry.expires = kStart + 1h;
  ASSERT_TRUE(triage_->decide(entry));
  take(2, {alert(2)});
  EXPECT_TRUE(queue_.pushed.empty());
  EXPECT_EQ(events_->totals()->muted, 1U);
  take(3, {alert(3)}, false, kStart + 2h);
  EXPECT_EQ(queue_.pushed.size(), 1U);
}

TEST_F(InstrumentEventsTest, ListsByTypeInstanceSensorContextAndTime) {
  InstrumentEvent other = event(2, "instruments.detector.ev.alert");
  other.instance = "detector_0";
  other.context_uuid = uuid(1);
  take(1, {alert(1), other});
  take(2, {event(3)}, false, kStart + 1h);
  InstrumentEvents::Query query;
  query.type = "*.ev.alert";
  EXPECT_THAT(messages(query), ElementsAre("word 2", "word 1"));
  query.instance = "beacon_0";
  EXPECT_THAT(messages(query), ElementsAre("word 1"));
  query = {};
  query.sensor = "sensor001";
  EXPECT_EQ(messages(query).size(), 3U);
  query.sensor = kSensor;
  EXPECT_EQ(messages(query).size(), 3U);
  query.sensor = "other";
  EXPECT_TRUE(messages(query).empty());
  query = {};
  query.context = uuid(1);
  EXPECT_THAT(messages(query), ElementsAre("word 2", "word 1"));
  query = {};
  query.since = kStart + 1min;
  EXPECT_THAT(messages(query), ElementsAre("word 3"));
}

TEST_F(InstrumentEventsTest, ListsPageByPage) {
  take(1, {event(1), event(2), event(3)});
  InstrumentEvents::Query query;
  query.limit = 2;
  const auto first = events_->page(query).value();
  EXPECT_EQ(first.events.size(), 2U);
  query.before = first.next;
  const auto second = events_->page(query).value();
  ASSERT_EQ(second.events.size(), 1U);
  EXPECT_EQ(second.events[0].event.message, "word 1");
  EXPECT_EQ(second.next, 0U);
}

TEST_F(InstrumentEventsTest, ForgetsTheOldestByNumberAndAge) {
  InstrumentEvents::Settings settings;
  settings.most = 2;
  settings.retention = 24h;
  events_->set_settings(settings);
  take(1, {event(1), event(2), event(3)});
  EXPECT_EQ(events_->prune(kStart).value(), 1U);
  EXPECT_THAT(messages(), ElementsAre("word 3", "word 2"));
  EXPECT_EQ(events_->prune(kStart + 25h).value(), 2U);
  EXPECT_EQ(events_->count().value(), 0U);
  EXPECT_FALSE(take(1, {event(1)}));  // the batch is known all the same
}

TEST(InstrumentRules, TakesTheFirstThatFits) {
  const auto document = ConfigDocument::parse(
      "alerting:\n  instrument_events:\n    'a.*': none\n    'a.ev.alert': low\n"
      "    'sensor.ev.started': critical\n",
      "test.yaml");
  ASSERT_TRUE(document) << document.error().message();
  const auto values = ConfigValues::read(config_schema(), *document);
  ASSERT_TRUE(values) << values.error().message();
  const auto rules = InstrumentRules::from(*values);
  ASSERT_TRUE(rules) << rules.error().message();
  EXPECT_EQ(rules->severity_of("a.ev.alert"), std::nullopt);
  EXPECT_EQ(rules->severity_of("b.ev.alert"), Severity::high);
  EXPECT_EQ(rules->severity_of("sensor.ev.started"), Severity::critical);
  EXPECT_EQ(rules->severity_of("sensor.ev.tried_to_transmit"), Severity::critical);
  EXPECT_EQ(rules->severity_of("sensor.ev.stopped"), std::nullopt);
}

TEST(InstrumentRules, RefuseASeverityThatIsNone) {
  const auto document =
      ConfigDocument::parse("alerting:\n  instrument_events:\n    'a.*': loud\n", "test.yaml");
  const auto values = ConfigValues::read(config_schema(), *document);
  ASSERT_TRUE(values) << values.error().message();
  const auto rules = InstrumentRules::from(*values);
  ASSERT_FALSE(rules);
  EXPECT_THAT(rules.error().message(), HasSubstr("'a.*' must be a type"));
}

TEST(MatchesPattern, StarStandsForAnything) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*.ev.alert", "instruments.beacon.ev.alert"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a1b2b3c"));
  EXPECT_TRUE(matches_pattern("a**", "a"));
  EXPECT_FALSE(matches_pattern("*.ev.alert", "instruments.beacon.ev.alerts"));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_FALSE(matches_pattern("a*b", "a"));
}

TEST_F(InstrumentEventsTest, TypesAreKeptForTheirOwnTimes) {
  const auto document = ConfigDocument::parse(
      "instrument_events:\n  retention_of:\n    '*.ev.status': 1h\n    '*.ev.alert': 30d\n",
      "test");
  ASSERT_TRUE(document);
  const auto values = ConfigValues::read(config_schema(), *document);
  ASSERT_TRUE(values) << values.error().message();
  InstrumentEvents::Settings settings;
  settings.retention = 24h;
  settings.retention_of = EventRetention::from(*values).value();
  events_->set_settings(settings);
  take(1, {event(1), alert(2), event(3, "instruments.beacon.ev.started")});
  take(2, {event(4)}, false, kStart + 90min);
  EXPECT_EQ(events_->prune(kStart + 2h).value(), 1U);
  EXPECT_THAT(messages(), ElementsAre("word 4", "word 3", "word 2"));
  EXPECT_EQ(events_->prune(kStart + 48h).value(), 2U);
  EXPECT_THAT(messages(), ElementsAre("word 2"));
  take(3, {event(1)}, false, kStart + 48h);  // what is forgotten is news
  EXPECT_THAT(messages(), ElementsAre("word 1", "word 2"));
}

TEST_F(InstrumentEventsTest, IsSearchedByTimesAndWords) {
  take(1, {event(1)});
  take(2, {event(2)}, false, kStart + 1h);
  take(3, {event(3)}, false, kStart + 2h);
  InstrumentEvents::Query query;
  query.until = kStart + 2h;
  EXPECT_THAT(messages(query), ElementsAre("word 2", "word 1"));
  query.since = kStart + 1h;
  EXPECT_THAT(messages(query), ElementsAre("word 2"));
  query = {};
  query.words = "WORD beacon  3";
  EXPECT_THAT(messages(query), ElementsAre("word 3"));
  query.words = "\"n\":";  // in its data
  EXPECT_EQ(messages(query).size(), 3U);
  query.words = "nowhere";
  EXPECT_TRUE(messages(query).empty());
}

TEST_F(InstrumentEventsTest, BatchesOfManyThreadsAreKeptOnceEach) {
  constexpr unsigned kThreads = 8, kBatches = 20, kEvents = 5;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned b = 0; b < kBatches; ++b) {
        std::vector<InstrumentEvent> events;
        for (unsigned e = 0; e < kEvents; ++e)
          events.push_back(event(b * kEvents + e));  // of all threads the same
        const std::string life = "incarnation" + std::to_string(t);
        EXPECT_TRUE(events_->take({kSensor, "sensor001", life, b + 1, events, false}, kStart));
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  const auto totals = events_->totals();
  ASSERT_TRUE(totals);
  EXPECT_EQ(totals->stored, kBatches * kEvents);
  EXPECT_EQ(totals->repeated, (kThreads - 1) * kBatches * kEvents);
  EXPECT_EQ(events_->count().value(), kBatches * kEvents);
}

}  // namespace
}  // namespace beaconry
