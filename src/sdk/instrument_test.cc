#include "sdk/instrument.h"

#include <signal.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "bus/test_broker.h"
#include "bus/topics.h"

namespace beaconry::sdk {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const Timestamp kWhen = *parse_rfc3339("2026-11-21T18:00:00Z");

// The test is the platform: a real broker, and instruments in threads or processes of their own.
class InstrumentTest : public TestBroker {
 protected:
  void TearDown() override {
    stop_all();
    TestBroker::TearDown();
  }

  // To be called while what the handlers refer to is still there.
  void stop_all() {
    for (auto& one : running_) {
      EXPECT_TRUE(until([&] {
        say(one.first, to_instrument::Stop{});
        return one.second->ended.load();
      })) << one.first;
      one.second->thread.join();
    }
    running_.clear();
  }

  Places places(const std::string& instance) {
    Places places;
    places.run = folder_ + "/" + instance;
    places.persistent = places.run + "/persistent";
    places.transient = places.run + "/transient";
    places.bus = socket();
    return places;
  }

  void prepare(const BusAccount& account) {
    const Places own = places(account.instance);
    std::filesystem::create_directories(own.persistent);
    const auto name = InstanceName::parse(account.instance);
    std::ofstream(own.run + "/identity.json") << json{{"instance", account.instance},
                                                      {"sensor", "sensor001"},
                                                      {"instrument", name->instrument},
                                                      {"version", "1.0"},
                                                      {"bus",
                                                       {{"socket", "/run/bus/bus.sock"},
                                                        {"user", account.instance},
                                                        {"password", account.password}}},
                                                      {"interfaces", {"probe"}}};
  }

  struct Running {
    Handlers handlers;
    std::thread thread;
    std::atomic<bool> ended{false};
    int status = -1;
  };

  Running& launch(const BusAccount& account, Handlers handlers) {
    prepare(account);
    auto& one = running_[account.instance] = std::make_unique<Running>();
    one->handlers = std::move(handlers);
    one->handlers.tick_every = 5ms;
    one->thread = std::thread([&running = *one, places = places(account.instance)] {
      running.status = run(running.handlers, places);
      running.ended = true;
    });
    return *one;
  }

  void say(const std::string& instance, const ToInstrument& message) {
    [[maybe_unused]] const auto said =
        broker_->publish(topics::to_instrument(instance), encode(message));
  }

  // Messages of a kind that came from the instance.
  template <class Kind>
  std::vector<Kind> from(const std::string& instance) const {
    std::vector<Kind> found;
    for (const MqttClient::Message& message : heard_) {
      if (topics::instance_of(message.topic) != instance) continue;
      const auto decoded = decode_from_instrument(message.payload);
      EXPECT_TRUE(decoded) << message.payload;
      if (!decoded) continue;
      if (const auto* one = std::get_if<Kind>(&*decoded)) found.push_back(*one);
    }
    return found;
  }

  bool said_hello(const std::string& instance, std::size_t times = 1) {
    return until([&] { return from<from_instrument::Hello>(instance).size() >= times; });
  }

  // Stores each event once, as the platform's spool does, and acknowledges all that came.
  void acknowledge(const std::string& instance) {
    std::vector<std::string> uuids;
    for (; stored_up_to_ < heard_.size(); ++stored_up_to_) {
      const auto decoded = decode_from_instrument(heard_[stored_up_to_].payload);
      const auto* publish = decoded ? std::get_if<from_instrument::Publish>(&*decoded) : nullptr;
      if (publish == nullptr) continue;
      if (known_.insert(publish->event.uuid).second) stored_.push_back(publish->event.message);
      uuids.push_back(publish->event.uuid);
    }
    if (!uuids.empty()) say(instance, to_instrument::Acknowledge{uuids});
  }

  std::map<std::string, std::unique_ptr<Running>> running_;
  std::size_t stored_up_to_ = 0;
  std::set<std::string> known_;
  std::vector<std::string> stored_;
};

Handlers emit_numbers(int most, std::atomic<int>& emitted) {
  Handlers handlers;
  handlers.tick = [most, &emitted](Instrument& instrument) {
    if (emitted >= most) return;
    const auto put =
        instrument.emit("alert", std::to_string(emitted.load()), {{"number", emitted.load()}});
    EXPECT_TRUE(put) << put.error().message();
    ++emitted;
  };
  return handlers;
}

TEST_F(InstrumentTest, SaysHelloTakesItsConfigurationAndStops) {
  start({account("beacon_0")});
  if (!broker_) return;
  std::atomic<bool> stopped{false};
  Handlers handlers;
  handlers.configure = [](Instrument& instrument, const json& config) -> Result<void> {
    EXPECT_EQ(instrument.identity().full_name(), "beacon_0@sensor001");
    EXPECT_EQ(instrument.identity().interfaces, std::vector<std::string>{"probe"});
    if (config.at("interface") == "probe") return {};
    return fail(ErrorKind::not_found, "use", "interface", "it is not there");
  };
  handlers.stop = [&](Instrument&) { stopped = true; };
  auto& running = launch(account("beacon_0"), handlers);
  ASSERT_TRUE(said_hello("beacon_0"));
  EXPECT_EQ(from<from_instrument::Hello>("beacon_0")[0].version, "1.0");
  const auto configure = [&](std::uint64_t version, const std::string& config) {
    say("beacon_0",
        to_instrument::Configure{{"beacon_0@sensor001", version, make_uuid(), kWhen, "", config}});
  };
  configure(1, R"({"interface":"probe"})");
  configure(2, R"({"interface":"other"})");
  configure(3, R"({})");
  ASSERT_TRUE(until([&] { return from<from_instrument::Configured>("beacon_0").size() == 6; }));
  const auto configured = from<from_instrument::Configured>("beacon_0");
  for (const std::size_t at : {0U, 2U, 4U})
    EXPECT_EQ(configured[at].state, ConfigState::applying);
  EXPECT_EQ(configured[1].state, ConfigState::applied);
  EXPECT_EQ(configured[3].state, ConfigState::failed);
  EXPECT_EQ(configured[3].reason, "use interface: it is not there");
  EXPECT_EQ(configured[5].state, ConfigState::failed);  // at() threw
  EXPECT_EQ(configured[5].version, 3U);
  say("beacon_0", to_instrument::Stop{});
  ASSERT_TRUE(until([&] { return running.ended.load(); }));
  EXPECT_TRUE(stopped);
  EXPECT_EQ(running.status, 0);
  stop_all();
}

TEST_F(InstrumentTest, AConfigurationHandedInTwiceIsTakenOnce) {
  start({account("beacon_0")});
  if (!broker_) return;
  std::atomic<int> taken{0};
  Handlers handlers;
  handlers.configure = [&](Instrument&, const json&) -> Result<void> {
    ++taken;
    return {};
  };
  launch(account("beacon_0"), handlers);
  ASSERT_TRUE(said_hello("beacon_0"));
  const to_instrument::Configure document{{"beacon_0", 1, make_uuid(), kWhen, "", "{}"}};
  say("beacon_0", document);
  say("beacon_0", document);
  ASSERT_TRUE(until([&] { return from<from_instrument::Configured>("beacon_0").size() == 3; }));
  EXPECT_EQ(from<from_instrument::Configured>("beacon_0")[2].state, ConfigState::applied);
  EXPECT_EQ(taken, 1);
  stop_all();
}

TEST_F(InstrumentTest, AnswersHealthAndRetention) {
  start({account("beacon_0"), account("recorder_0")});
  if (!broker_) return;
  launch(account("beacon_0"), {});
  Handlers handlers;
  handlers.health = [](Instrument&) {
    Health health;
    health.parts.resize(1);
    health.parts[0].name = "disk";
    health.parts[0].state = HealthState::degraded;
    health.parts[0].cause = "disk almost full";
    return health;
  };
  handlers.retain = [](Instrument&, Timestamp before) {
    RetentionReceipt receipt;
    receipt.items = 3;
    receipt.bytes = 1000;
    receipt.oldest = before + 1h;
    return receipt;
  };
  launch(account("recorder_0"), handlers);
  ASSERT_TRUE(said_hello("beacon_0") && said_hello("recorder_0"));
  const std::string uuid = make_uuid();
  for (const char* name : {"beacon_0", "recorder_0"}) {
    say(name, to_instrument::AskHealth{uuid});
    say(name, to_instrument::Retain{uuid, kWhen});
    ASSERT_TRUE(until([&] {
      return !from<from_instrument::HealthAnswer>(name).empty() &&
             !from<from_instrument::Receipt>(name).empty();
    }));
  }
  const auto plain = from<from_instrument::HealthAnswer>("beacon_0")[0];
  EXPECT_EQ(plain.uuid, uuid);
  EXPECT_EQ(plain.health.name, "beacon_0");
  EXPECT_EQ(plain.health.state, HealthState::healthy);
  EXPECT_NE(plain.health.since, Timestamp{});
  EXPECT_EQ(from<from_instrument::Receipt>("beacon_0")[0].receipt.items, 0U);
  const auto health = from<from_instrument::HealthAnswer>("recorder_0")[0].health;
  EXPECT_EQ(health.state, HealthState::degraded);
  EXPECT_EQ(health.cause, "disk almost full");
  const auto receipt = from<from_instrument::Receipt>("recorder_0")[0].receipt;
  EXPECT_EQ(receipt.uuid, uuid);
  EXPECT_EQ(receipt.before, kWhen);
  EXPECT_EQ(receipt.items, 3U);
  EXPECT_EQ(receipt.oldest, kWhen + 1h);
  stop_all();
}

TEST_F(InstrumentTest, QuestionsThatCameDuringASlowAnswerCostOneLook) {
  start({account("beacon_0"), account("recorder_0")});
  if (!broker_) return;
  std::atomic<int> looks{0};
  std::atomic<bool> slow{true};
  Handlers handlers;
  handlers.health = [&](Instrument&) {
    ++looks;
    while (slow)
      std::this_thread::sleep_for(1ms);
    Health health;
    health.state = HealthState::healthy;
    return health;
  };
  launch(account("beacon_0"), handlers);
  launch(account("recorder_0"), {});
  ASSERT_TRUE(said_hello("beacon_0") && said_hello("recorder_0"));
  std::set<std::string> asked;
  const auto ask = [&] {
    say("beacon_0", to_instrument::AskHealth{*asked.insert(make_uuid()).first});
  };
  ask();
  ASSERT_TRUE(until([&] { return looks == 1; }));
  for (int n = 0; n < 5; ++n)
    ask();
  // The broker has handed over what it was given before that.
  say("recorder_0", to_instrument::AskHealth{make_uuid()});
  ASSERT_TRUE(until([&] { return from<from_instrument::HealthAnswer>("recorder_0").size() == 1; }));
  slow = false;
  ASSERT_TRUE(until([&] { return from<from_instrument::HealthAnswer>("beacon_0").size() == 6; }));
  std::set<std::string> answered;
  for (const auto& one : from<from_instrument::HealthAnswer>("beacon_0"))
    answered.insert(one.uuid);
  EXPECT_EQ(answered, asked);
  EXPECT_EQ(looks, 2);
  stop_all();
}

TEST_F(InstrumentTest, EventsSurviveTheBrokersDeathOnceAndInOrder) {
  start({account("beacon_0")});
  if (!broker_) return;
  std::atomic<int> emitted{0};
  launch(account("beacon_0"), emit_numbers(60, emitted));
  ASSERT_TRUE(until([&] {
    acknowledge("beacon_0");
    return stored_.size() >= 10;
  }));
  ASSERT_EQ(::kill(broker_->process(), SIGKILL), 0);
  ASSERT_TRUE(until([&] {
    acknowledge("beacon_0");
    return stored_.size() == 60;
  }));
  for (std::size_t at = 0; at < stored_.size(); ++at)
    EXPECT_EQ(stored_[at], std::to_string(at));
  EXPECT_GE(from<from_instrument::Hello>("beacon_0").size(), 2U);
  stop_all();
}

TEST_F(InstrumentTest, EventsSurviveTheInstrumentsDeathOnce) {
  start({account("beacon_0")});
  if (!broker_) return;
  prepare(account("beacon_0"));
  const std::string marks = folder_ + "/marks";
  const auto child = [&] {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    // The names of those that emit() took are written down, as an author may count on them.
    std::ofstream out(marks, std::ios::app);
    int number = 0;
    Handlers handlers;
    handlers.tick_every = 1ms;
    handlers.tick = [&](Instrument& instrument) {
      const auto uuid = instrument.emit("alert", std::to_string(number++), json::object());
      if (uuid) out << *uuid << std::endl;
    };
    ::_exit(run(handlers, places("beacon_0")));
  };
  pid_t pid = child();
  ASSERT_TRUE(until([&] {  // nothing is acknowledged: all must be said again
    return from<from_instrument::Publish>("beacon_0").size() >= 30;
  }));
  ::kill(pid, SIGKILL);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  std::vector<std::string> promised;
  std::ifstream in(marks);
  for (std::string line; std::getline(in, line);)
    promised.push_back(line);
  ASSERT_GE(promised.size(), 29U);
  heard_.clear();
  pid = child();
  EXPECT_TRUE(until([&] {
    acknowledge("beacon_0");
    return std::all_of(promised.begin(), promised.end(),
                       [&](const std::string& uuid) { return known_.contains(uuid); });
  }));
  ::kill(pid, SIGTERM);
  int status = -1;
  EXPECT_TRUE(until([&] {
    acknowledge("beacon_0");
    return ::waitpid(pid, &status, WNOHANG) == pid;
  }));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(stored_.size(), known_.size());
}

TEST_F(InstrumentTest, RefusedEventsAreForgotten) {
  start({account("beacon_0")});
  if (!broker_) return;
  std::atomic<int> emitted{0};
  auto& running = launch(account("beacon_0"), emit_numbers(1, emitted));
  ASSERT_TRUE(until([&] { return !from<from_instrument::Publish>("beacon_0").empty(); }));
  const auto event = from<from_instrument::Publish>("beacon_0")[0].event;
  EXPECT_EQ(event.type, "instruments.beacon.ev.alert");
  EXPECT_EQ(event.data_json, R"({"number":0})");
  say("beacon_0", to_instrument::Refuse{{event.uuid}, "it is none of its types"});
  say("beacon_0", to_instrument::Stop{});
  ASSERT_TRUE(until([&] { return running.ended.load(); }));
  const auto left = read_small_file(places("beacon_0").persistent + "/.outbox", 1 << 20);
  ASSERT_TRUE(left);
  EXPECT_NE(left->find("-" + event.uuid), std::string::npos);
  stop_all();
}

TEST_F(InstrumentTest, TalksToOthersAndHearsTheirEvents) {
  BusAccount asker = account("beacon_0"), answerer = account("recorder_0");
  asker.may_publish = {topics::direct("recorder_0", "beacon_0")};
  answerer.may_publish = {topics::direct("beacon_0", "recorder_0")};
  asker.may_subscribe = {topics::events_filter("recorder")};
  start({asker, answerer});
  if (!broker_) return;
  Handlers answering;
  answering.request = [](Instrument&, const std::string& from, const json& body) -> json {
    return {{"sum", body.at("a").get<int>() + body.at("b").get<int>()}, {"for", from}};
  };
  launch(answerer, answering);
  ASSERT_TRUE(said_hello("recorder_0"));
  std::atomic<bool> asked{false};
  std::atomic<int> replies{0}, refusals{0}, timeouts{0}, found_none{0}, found{0}, events{0};
  Handlers asking;
  asking.tick = [&](Instrument& instrument) {
    if (asked) return;
    const auto reply = [&](const Result<json>& value) {
      if (!value) {
        ++timeouts;
      } else if (value->contains("error")) {
        ++refusals;
      } else {
        EXPECT_EQ(*value, (json{{"sum", 5}, {"for", "beacon_0"}}));
        ++replies;
      }
    };
    // Not before there is a connection.
    if (!instrument.request("recorder_0", {{"a", 2}, {"b", 3}}, reply, 60s)) return;
    asked = true;
    EXPECT_TRUE(instrument.request("recorder_0@sensor001", {{"a", 2}}, reply, 60s));
    EXPECT_TRUE(instrument.request("nobody_0", {}, reply, 0s));
    EXPECT_FALSE(instrument.request("nobody", {}, reply, 1s));
    EXPECT_TRUE(instrument.subscribe("recorder"));
    EXPECT_FALSE(instrument.subscribe("stranger"));  // no relation
    EXPECT_TRUE(instrument.find("recorder", [&](const std::vector<FoundInstrument>& list) {
      ++(list.empty() ? found_none : found);
    }));
  };
  asking.event = [&](Instrument&, const std::string& from, const Event& event) {
    EXPECT_EQ(from, "recorder_0");
    EXPECT_EQ(event.message, "recorded");
    ++events;
  };
  launch(asker, asking);
  EXPECT_TRUE(until([&] { return replies == 1 && refusals == 1 && timeouts == 1; }));
  ASSERT_TRUE(until([&] { return !from<from_instrument::Find>("beacon_0").empty(); }));
  const auto search = from<from_instrument::Find>("beacon_0")[0];
  EXPECT_EQ(search.instrument, "recorder");
  say("beacon_0",
      to_instrument::Found{search.uuid, {{"recorder_0", "recorder", "1.0", "RUNNING", {"file"}}}});
  EXPECT_TRUE(until([&] { return found == 1; }));
  ASSERT_TRUE(broker_->publish(topics::events("recorder_0"),
                               encode(Event{make_uuid(), "", kWhen, "a.b", "recorded", "{}"})));
  EXPECT_TRUE(until([&] { return events == 1; }));
  stop_all();
}

TEST_F(InstrumentTest, WishesAreSaidAgainAndOrdersGoToTheDownloader) {
  start({account("beacon_0"), account("downloader_0")});
  if (!broker_) return;
  Handlers wishing;
  std::atomic<bool> installed{false};
  wishing.resource = [&](Instrument&, const to_instrument::ResourceState& state) {
    installed = state.state == "INSTALLED";
  };
  bool wished = false;
  wishing.tick = [&](Instrument& instrument) {
    if (wished) return;
    wished = true;
    ResourceWish wish;
    wish.name = "beaconry-escape";
    wish.url = "http://updates.example/beaconry-escape";
    EXPECT_TRUE(instrument.want(wish));
    wish.name = "../escape";
    EXPECT_FALSE(instrument.want(wish));
  };
  launch(account("beacon_0"), wishing);
  Handlers downloading;
  downloading.fetch = [](Instrument& instrument, const FetchOrder& order) {
    instrument.fetched({order.uuid, "fetched", "", "", "", "/transient-data/x", "", 5});
  };
  launch(account("downloader_0"), downloading);
  ASSERT_TRUE(until([&] { return !from<from_instrument::Want>("beacon_0").empty(); }));
  say("beacon_0", to_instrument::ResourceState{"beaconry-escape", "INSTALLED", "", ""});
  EXPECT_TRUE(until([&] { return installed.load(); }));
  ASSERT_TRUE(said_hello("downloader_0"));
  const FetchOrder order{make_uuid(), "http://updates.example/x", "", 1000, ""};
  say("downloader_0", to_instrument::Fetch{order});
  say("beacon_0", to_instrument::Fetch{order});  // who has no handler says so
  ASSERT_TRUE(until([&] {
    return !from<from_instrument::Fetched>("downloader_0").empty() &&
           !from<from_instrument::Fetched>("beacon_0").empty();
  }));
  EXPECT_EQ(from<from_instrument::Fetched>("downloader_0")[0].result.path, "/transient-data/x");
  EXPECT_EQ(from<from_instrument::Fetched>("beacon_0")[0].result.state, "failed");
  ASSERT_EQ(::kill(broker_->process(), SIGKILL), 0);
  EXPECT_TRUE(until([&] { return from<from_instrument::Want>("beacon_0").size() >= 2; }));
  stop_all();
}

TEST_F(InstrumentTest, WithoutAnIdentityItEndsWithStatusOne) {
  Places nowhere;
  nowhere.run = folder_;
  EXPECT_EQ(run({}, nowhere), 1);
}

TEST_F(InstrumentTest, WithoutABusItGoesOnWorkingAndEndsWhenItWants) {
  prepare(account("beacon_0"));
  int ticks = 0;
  Handlers handlers;
  handlers.tick_every = 1ms;
  handlers.tick = [&](Instrument& instrument) {
    EXPECT_TRUE(instrument.emit("alert", "nobody hears", json::object()));
    EXPECT_FALSE(instrument.send("recorder_0", {}));
    if (++ticks == 20) instrument.end(7);
    if (ticks == 5) throw std::runtime_error("a handler's fault ends nothing");
  };
  EXPECT_EQ(run(handlers, places("beacon_0")), 7);
}

}  // namespace
}  // namespace beaconry::sdk
