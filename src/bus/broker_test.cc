#include "bus/broker.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

#include "base/fd.h"
#include "base/file.h"
#include "bus/dynamic_security.h"
#include "bus/test_broker.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Messages = std::vector<MqttClient::Message>;

class BrokerTest : public TestBroker {
 protected:
  bool platform_heard(const std::string& topic, const std::string& payload) {
    return std::any_of(heard_.begin(), heard_.end(), [&](const MqttClient::Message& message) {
      return message.topic == topic && message.payload == payload;
    });
  }

  // The client's connection ends.
  bool is_lost(MqttClient& client) {
    return until([&] { return !client.work(others_); });
  }

  // One that comes anew where it must, and says it until the platform has heard it.
  bool says_well(const std::string& name) {
    if (!well_) {
      auto client = connect(account(name));
      if (!client) return false;
      well_ = std::move(*client);
    }
    if (well_->unacknowledged() == 0 && !well_->publish(topics::from_instrument(name), "well")) {
      well_.reset();
    }
    if (well_ && !well_->work(others_)) well_.reset();
    return platform_heard(topics::from_instrument(name), "well");
  }

  Messages others_;
  std::unique_ptr<MqttClient> well_;
};

TEST(DynamicSecurityTest, PasswordHashIsTheStandards) {
  // PBKDF2-HMAC-SHA512 of "password", "salt": the widely published vectors.
  EXPECT_EQ(
      dynamic_security::hash_password("password", "salt", 1),
      "hn9wzxreAs/zdSWZo6U9xK80x6ZpgVrl1RNVThyM8lLALUcKKFoFAbrZmb/pQ8CPBQI119aLHaVeY/c7YKV/zg==");
  EXPECT_EQ(
      dynamic_security::hash_password("password", "salt", 2),
      "4dnBaqaBcIpF9cfE4hXOtm4BGi6fAEBxPxiu/bhm1Tz3bKsoaKObn3hA7c5P71qCvmczXHemBo4EESdU8nzPTg==");
}

TEST(DynamicSecurityTest, AnswersAreReadWithCare) {
  using dynamic_security::read_answer;
  const auto answer = [](const std::string& command, const std::string& error) {
    return read_answer(R"({"responses":[{"command":")" + command + R"(","correlationData":"t")" +
                           (error.empty() ? "" : R"(,"error":")" + error + "\"") + "}]}",
                       "t");
  };
  EXPECT_TRUE(answer("createRole", "").is_ours);
  EXPECT_EQ(answer("createRole", "Internal error").complaint, "createRole: Internal error");
  EXPECT_EQ(answer("deleteRole", "Role not found").complaint, "");
  EXPECT_FALSE(read_answer(R"({"responses":[{"correlationData":"other"}]})", "t").is_ours);
  for (const char* json : {"", "[]", "{}", R"({"responses":1})", R"({"responses":[1]})"})
    EXPECT_FALSE(read_answer(json, "t").is_ours) << json;
}

TEST(DynamicSecurityTest, PasswordsDiffer) {
  EXPECT_NE(make_bus_password(), make_bus_password());
  EXPECT_GE(make_bus_password().size(), 32U);
}

TEST_F(BrokerTest, AccountsThatAreNoneAreRefusedAndTheOthersWork) {
  BusAccount greedy = account("greedy_0");
  for (int n = 0; n < 300; ++n)
    greedy.may_subscribe.push_back("events/a" + std::to_string(n) + "/+");
  std::vector<BusAccount> all{account("beacon_0"), greedy};
  for (const BusAccount& bad :
       {account("platform"), account("beacon"), account("Beacon_0"),
        BusAccount{"beacon_0", "", {}, {}}, BusAccount{"beacon_0", "p", {"$CONTROL/#"}, {}},
        BusAccount{"beacon_0", "p", {}, {"a b"}}}) {
    EXPECT_FALSE(dynamic_security::check(bad)) << bad.instance;
    if (bad.instance != "beacon_0") all.push_back(bad);
  }
  start(all);
  if (!broker_) return;
  EXPECT_TRUE(connect(account("beacon_0")));
  EXPECT_FALSE(connect(greedy));
  EXPECT_FALSE(connect(account("platform")));
  EXPECT_FALSE(broker_->set_account(greedy));
  EXPECT_TRUE(connect(account("beacon_0")));
  EXPECT_EQ(broker_->restarts(), 0U);
}

TEST_F(BrokerTest, AllDescriptorsOfAContainerLeaveTheBusToOthers) {
  constexpr std::size_t kOfAContainer = 8192;
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < kOfAContainer + 512) GTEST_SKIP() << "RLIMIT_NOFILE allows too few";
  limit.rlim_cur = limit.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  start({account("beacon_0")});
  if (!broker_) return;
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  socket().copy(at.sun_path, sizeof at.sun_path - 1);
  std::vector<Fd> silent;
  for (std::size_t i = 0; i < kOfAContainer; ++i) {
    silent.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(silent.back().get(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0) << i;
    if (i % 64 == 0) broker_->work(heard_);  // it reads what the broker logs
  }
  const auto beacon = connect(account("beacon_0"));
  EXPECT_TRUE(beacon) << beacon.error().message();
  EXPECT_TRUE(broker_->is_up());
  EXPECT_EQ(broker_->restarts(), 0U);
}

TEST_F(BrokerTest, CarriesMessagesBothWays) {
  start({account("beacon_0")});
  if (!broker_) return;
  auto beacon = connect(account("beacon_0"));
  ASSERT_TRUE(beacon) << beacon.error().message();
  ASSERT_TRUE((*beacon)->subscribe("i/beacon_0/in"));
  ASSERT_TRUE((*beacon)->publish("i/beacon_0/out", "hello"));
  EXPECT_TRUE(until([&] { return platform_heard("i/beacon_0/out", "hello"); }));
  const std::string large(300'000, 'x');
  ASSERT_TRUE(broker_->publish("i/beacon_0/in", large));
  EXPECT_TRUE(until([&] {
    EXPECT_TRUE((*beacon)->work(others_));
    return !others_.empty() && (*beacon)->unacknowledged() == 0;
  }));
  EXPECT_EQ(others_.at(0).topic, "i/beacon_0/in");
  EXPECT_EQ(others_.at(0).payload, large);
}

TEST_F(BrokerTest, LetsNobodyInWithoutItsPasswordOrUnderAnothersName) {
  start({account("beacon_0"), account("recorder_0")});
  if (!broker_) return;
  EXPECT_FALSE(connect({"beacon_0", "guessed", {}, {}}));
  EXPECT_FALSE(connect({"", "", {}, {}}, "beacon_0"));
  EXPECT_FALSE(connect({"platform", "guessed", {}, {}}));
  auto beacon = connect(account("beacon_0"));
  ASSERT_TRUE(beacon) << beacon.error().message();
  EXPECT_FALSE(connect(account("recorder_0"), "beacon_0"));
  EXPECT_FALSE(connect(account("recorder_0"), "platform"));
  // Neither was thrown out by one who wanted to be it.
  ASSERT_TRUE((*beacon)->publish("i/beacon_0/out", "still here"));
  EXPECT_TRUE(until([&] { return platform_heard("i/beacon_0/out", "still here"); }));
  EXPECT_EQ(broker_->restarts(), 0U);
}

TEST_F(BrokerTest, NeitherReadsNorWritesWhatIsAnothers) {
  start({account("beacon_0"), account("recorder_0")});
  if (!broker_) return;
  auto beacon = connect(account("beacon_0"));
  auto recorder = connect(account("recorder_0"));
  ASSERT_TRUE(beacon && recorder);
  ASSERT_TRUE((*recorder)->subscribe("i/recorder_0/in"));
  ASSERT_TRUE((*recorder)->subscribe("direct/recorder_0/+"));
  for (const char* filter :
       {"i/recorder_0/in", "i/recorder_0/out", "i/+/in", "#", "+/+/+", "direct/recorder_0/+",
        "direct/+/+", "events/recorder/+", "$CONTROL/#", "$SYS/#", "$CONTROL/dynamic-security/v1",
        "$CONTROL/dynamic-security/v1/response", "$share/g/i/recorder_0/in"}) {
    EXPECT_FALSE((*beacon)->subscribe(filter)) << filter;
  }
  const std::string command = dynamic_security::remove_command("recorder_0", "t");
  for (const char* topic : {"i/recorder_0/in", "i/recorder_0/out", "direct/recorder_0/beacon_0",
                            "events/beacon/beacon_0", "i/beacon_0/in"}) {
    ASSERT_TRUE((*beacon)->publish(topic, "forged"));
  }
  ASSERT_TRUE((*beacon)->publish("$CONTROL/dynamic-security/v1", command));
  // Whatever got through would be there before what is sent after it.
  ASSERT_TRUE((*beacon)->publish("i/beacon_0/out", "last"));
  ASSERT_TRUE(until([&] {
    EXPECT_TRUE((*beacon)->work(others_));
    return platform_heard("i/beacon_0/out", "last");
  }));
  ASSERT_TRUE(broker_->publish("i/recorder_0/in", "last"));
  ASSERT_TRUE(until([&] {
    EXPECT_TRUE((*recorder)->work(others_));
    return !others_.empty();
  }));
  ASSERT_EQ(others_.size(), 1U);
  EXPECT_EQ(others_[0].payload, "last");
  ASSERT_EQ(heard_.size(), 1U);
}

TEST_F(BrokerTest, RelationsAllowWhatTheyNameAndNoMore) {
  BusAccount beacon_account = account("beacon_0");
  beacon_account.may_publish = {topics::direct("recorder_0", "beacon_0")};
  BusAccount recorder_account = account("recorder_0");
  recorder_account.may_subscribe = {topics::events_filter("beacon")};
  start({beacon_account, recorder_account});
  if (!broker_) return;
  auto beacon = connect(beacon_account);
  auto recorder = connect(recorder_account);
  ASSERT_TRUE(beacon && recorder);
  ASSERT_TRUE((*recorder)->subscribe("direct/recorder_0/+"));
  ASSERT_TRUE((*recorder)->subscribe("events/beacon/+"));
  EXPECT_FALSE((*recorder)->subscribe("events/+/+"));
  ASSERT_TRUE((*beacon)->publish("direct/recorder_0/other_0", "as another"));
  ASSERT_TRUE((*beacon)->publish("direct/recorder_0/beacon_0", "as oneself"));
  ASSERT_TRUE(until([&] { return (*recorder)->work(others_) && !others_.empty(); }));
  EXPECT_EQ(others_[0].payload, "as oneself");
  ASSERT_TRUE(broker_->publish("events/beacon/beacon_0", "event"));
  ASSERT_TRUE(until([&] { return (*recorder)->work(others_) && others_.size() > 1; }));
  EXPECT_EQ(others_[1].topic, "events/beacon/beacon_0");
}

TEST_F(BrokerTest, AccountsComeAndGoWhileItRuns) {
  start({});
  if (!broker_) return;
  EXPECT_FALSE(connect(account("beacon_0")));
  ASSERT_TRUE(broker_->set_account(account("beacon_0")));
  auto beacon = connect(account("beacon_0"));
  ASSERT_TRUE(beacon) << beacon.error().message();
  ASSERT_TRUE(broker_->set_account(account("beacon_0")));  // the same: nothing happens
  ASSERT_TRUE((*beacon)->publish("i/beacon_0/out", "still here"));
  ASSERT_TRUE(until([&] { return platform_heard("i/beacon_0/out", "still here"); }));
  BusAccount renewed = account("beacon_0");
  renewed.password = "another";
  ASSERT_TRUE(broker_->set_account(renewed));
  EXPECT_TRUE(is_lost(**beacon));
  EXPECT_FALSE(connect(account("beacon_0")));
  beacon = connect(renewed);
  ASSERT_TRUE(beacon) << beacon.error().message();
  ASSERT_TRUE(broker_->remove_account("beacon_0"));
  EXPECT_TRUE(is_lost(**beacon));
  EXPECT_FALSE(connect(renewed));
  ASSERT_TRUE(broker_->remove_account("beacon_0"));
  EXPECT_EQ(broker_->restarts(), 0U);
}

TEST_F(BrokerTest, ComesBackWithAllAccountsAfterItWasKilled) {
  start({account("beacon_0")});
  if (!broker_) return;
  ASSERT_TRUE(broker_->set_account(account("recorder_0")));
  auto beacon = connect(account("beacon_0"));
  ASSERT_TRUE(beacon);
  const int before = broker_->process();
  ASSERT_EQ(::kill(before, SIGKILL), 0);
  EXPECT_TRUE(is_lost(**beacon));
  ASSERT_TRUE(until([&] { return broker_->is_up() && broker_->process() != before; }));
  EXPECT_EQ(broker_->restarts(), 1U);
  EXPECT_EQ(broker_->fault(), "");
  for (const char* name : {"beacon_0", "recorder_0"})
    EXPECT_TRUE(connect(account(name))) << name;
  ASSERT_EQ(::kill(broker_->process(), SIGKILL), 0);
  ASSERT_TRUE(until([&] { return !broker_->is_up(); }));
  EXPECT_NE(broker_->fault(), "");
  EXPECT_FALSE(broker_->publish("i/beacon_0/in", "nobody hears"));
  // What is asked of it meanwhile holds once it is back.
  ASSERT_TRUE(broker_->remove_account("recorder_0"));
  ASSERT_TRUE(until([&] { return broker_->is_up(); }));
  EXPECT_TRUE(connect(account("beacon_0")));
  EXPECT_FALSE(connect(account("recorder_0")));
}

TEST_F(BrokerTest, TheBrokerOfAKilledDaemonIsReplaced) {
  start({account("beacon_0")});
  if (!broker_) return;
  // As after kill -9: nobody tells the child to end, and its parent forgets it.
  auto forgotten = std::move(broker_);
  const int before = forgotten->process();
  start({account("recorder_0")});
  ASSERT_TRUE(broker_);
  EXPECT_NE(broker_->process(), before);
  EXPECT_FALSE(connect(account("beacon_0")));
  EXPECT_TRUE(connect(account("recorder_0")));
  forgotten.reset();  // finds that its child was killed
  EXPECT_TRUE(connect(account("recorder_0")));
}

TEST_F(BrokerTest, TooLongAPacketEndsItsSenderAlone) {
  start({account("beacon_0"), account("recorder_0")});
  if (!broker_) return;
  auto client = client_options(account("beacon_0"));
  client.longest_packet = 4 << 20;
  auto beacon = MqttClient::connect(client);
  auto recorder = connect(account("recorder_0"));
  ASSERT_TRUE(beacon && recorder);
  // Perhaps it is refused while it is written.
  [[maybe_unused]] const auto said =
      (*beacon)->publish("i/beacon_0/out", std::string(2 << 20, 'x'));
  EXPECT_TRUE(is_lost(**beacon));
  ASSERT_TRUE((*recorder)->publish("i/recorder_0/out", "well"));
  EXPECT_TRUE(until([&] { return platform_heard("i/recorder_0/out", "well"); }));
  EXPECT_EQ(heard_.size(), 1U);
  EXPECT_FALSE((*recorder)->publish("i/recorder_0/out", std::string(2 << 20, 'x')));
}

TEST_F(BrokerTest, LinksThatABrokerLeftAreNotFollowed) {
  const std::string state = folder_ + "/state", target = folder_ + "/target";
  std::filesystem::create_directories(state);
  std::filesystem::create_directories(folder_ + "/bus");
  ASSERT_TRUE(replace_file(target, "untouched"));
  ASSERT_EQ(::chmod(target.c_str(), 0600), 0);
  for (const std::string& link : {state + "/mosquitto.conf", state + "/mosquitto.conf.new",
                                  state + "/accounts.json", state + "/accounts.json.new", socket()})
    std::filesystem::create_symlink(target, link);
  start({account("beacon_0")});
  if (!broker_) return;
  EXPECT_TRUE(connect(account("beacon_0")));
  EXPECT_EQ(*read_small_file(target, 1 << 10), "untouched");
  struct stat status {};
  ASSERT_EQ(::stat(target.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST_F(BrokerTest, TheBrokerHasNoWayToMorePrivilegesOrMemory) {
  start({});
  if (!broker_) return;
  const std::string process = "/proc/" + std::to_string(broker_->process());
  EXPECT_THAT(*read_small_file(process + "/status", 1 << 16), testing::HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(*read_small_file(process + "/limits", 1 << 16),
              testing::ContainsRegex("Max address space +268435456"));
}

TEST_F(BrokerTest, ABrokerThatHangsIsReplaced) {
  probe_every_ = 500ms;
  probe_patience_ = 1s;
  start({account("beacon_0")});
  if (!broker_) return;
  ASSERT_EQ(::kill(broker_->process(), SIGSTOP), 0);
  ASSERT_TRUE(until([&] { return broker_->restarts() > 0 && broker_->is_up(); }));
  EXPECT_TRUE(until([&] { return says_well("beacon_0"); }));
}

TEST_F(BrokerTest, WhoDoesNotReadCostsABoundedAmountOfMemoryAndTheBusGoesOn) {
  most_memory_ = 64 << 20;
  probe_every_ = 500ms;
  probe_patience_ = 2s;
  BusAccount talker = account("talker_0");
  talker.may_publish = {topics::direct("deaf_0", "talker_0")};
  start({talker, account("deaf_0"), account("beacon_0")});
  if (!broker_) return;
  // It stays for longer than this test.
  auto patient = client_options(account("deaf_0"));
  patient.keep_alive = 1h;
  auto deaf = MqttClient::connect(patient);
  ASSERT_TRUE(deaf);
  ASSERT_TRUE((*deaf)->subscribe(topics::direct_filter("deaf_0")));
  std::unique_ptr<MqttClient> client;
  std::string words(500 << 10, 'x');
  std::size_t most = 0;  // KiB of the broker's memory
  EXPECT_TRUE(until([&] {
    heard_.clear();
    if (!client) {
      if (auto again = MqttClient::begin(client_options(talker))) client = std::move(*again);
    }
    const std::string topic = topics::direct("deaf_0", "talker_0");
    const bool lives = client && (client->wants_write() || client->publish(topic, words, true)) &&
                       client->work(others_);
    if (!lives) {  // there is no room for so much any more
      client.reset();
      words.resize(std::max<std::size_t>(words.size() / 2, 1 << 10));
    }
    const auto status =
        read_small_file("/proc/" + std::to_string(broker_->process()) + "/status", 1 << 16);
    // Before it is Mosquitto, a new one is a copy of this program.
    const bool is_it = status && status->starts_with("Name:\tmosquitto");
    const auto at = is_it ? status->find("VmRSS:") : std::string::npos;
    if (at != std::string::npos) most = std::max(most, std::stoul(status->substr(at + 6)));
    return broker_->restarts() > 0 && broker_->is_up();
  })) << most
      << " KiB, " << words.size();
  EXPECT_GT(most, 32U << 10);
  EXPECT_LT(most, 64U << 10);
  client.reset();
  EXPECT_TRUE(until([&] { return says_well("beacon_0"); }));
  EXPECT_TRUE(broker_->is_up());
}

TEST_F(BrokerTest, SocketIsForEverybodyAndItsFolderForNobodyElseToWrite) {
  start({});
  if (!broker_) return;
  struct stat status {};
  ASSERT_EQ(::stat(socket().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0666U);
  ASSERT_EQ(::stat((folder_ + "/bus").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0755U);
  ASSERT_EQ(::stat((folder_ + "/state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0750U);
  EXPECT_EQ(status.st_uid, ::geteuid());
  const int process = broker_->process();
  broker_.reset();
  EXPECT_EQ(::kill(process, 0), -1);
}

}  // namespace
}  // namespace beaconry
