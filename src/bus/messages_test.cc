#include "bus/messages.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;

const std::string kUuid = "0190b8f2-7b1c-4c3a-9d55-3f1e2a4b5c6d";
const std::string kOther = "11111111-2222-4333-8444-555555555555";
const std::string kSum(64, 'a');
const Timestamp kWhen = *parse_rfc3339("2026-11-21T18:00:00.125Z");

// What decoding of an instrument's words complains about.
std::string complaint(std::string_view json) {
  const auto message = decode_from_instrument(json);
  return message ? "" : message.error().message();
}

template <class Message>
Message there_and_back(const ToInstrument& message) {
  const auto decoded = decode_to_instrument(encode(message));
  if (!decoded) {
    ADD_FAILURE() << decoded.error().message();
    return {};
  }
  EXPECT_EQ(encode(*decoded), encode(message));
  return std::get<Message>(*decoded);
}

template <class Message>
Message there_and_back(const FromInstrument& message) {
  const auto decoded = decode_from_instrument(encode(message));
  if (!decoded) {
    ADD_FAILURE() << decoded.error().message();
    return {};
  }
  EXPECT_EQ(encode(*decoded), encode(message));
  return std::get<Message>(*decoded);
}

Health nested(unsigned depth) {
  Health health{"part", HealthState::healthy, "", "", "", Timestamp{}, {}};
  if (depth > 1) health.parts.push_back(nested(depth - 1));
  return health;
}

TEST(MessagesTest, EveryKindToTheInstrumentComesBack) {
  const auto configure = there_and_back<to_instrument::Configure>(
      to_instrument::Configure{{"beacon_0@sensor001", 7, kUuid, kWhen, "", "{\"a\":[1,2]}"}});
  EXPECT_EQ(configure.document.version, 7U);
  EXPECT_EQ(configure.document.timestamp, kWhen);
  EXPECT_EQ(configure.document.config_json, "{\"a\":[1,2]}");
  EXPECT_EQ(there_and_back<to_instrument::AskHealth>(to_instrument::AskHealth{kUuid}).uuid, kUuid);
  EXPECT_EQ(there_and_back<to_instrument::Retain>(to_instrument::Retain{kUuid, kWhen}).before,
            kWhen);
  EXPECT_EQ(there_and_back<to_instrument::Acknowledge>(to_instrument::Acknowledge{{kUuid, kOther}})
                .events,
            (std::vector<std::string>{kUuid, kOther}));
  EXPECT_EQ(
      there_and_back<to_instrument::Refuse>(to_instrument::Refuse{{kUuid}, "too many"}).reason,
      "too many");
  const auto found = there_and_back<to_instrument::Found>(
      to_instrument::Found{kUuid, {{"beacon_0", "beacon", "1.0", "RUNNING", {"alert"}}}});
  ASSERT_EQ(found.instruments.size(), 1U);
  EXPECT_EQ(found.instruments[0].event_types, std::vector<std::string>{"alert"});
  EXPECT_EQ(there_and_back<to_instrument::ResourceState>(
                to_instrument::ResourceState{"beacon", "FAILED", "it is unsigned", kSum})
                .state,
            "FAILED");
  EXPECT_EQ(there_and_back<to_instrument::Fetch>(
                to_instrument::Fetch{{kUuid, "http://h/x", "\"e\"", 1000, ""}})
                .order.url,
            "http://h/x");
  there_and_back<to_instrument::Stop>(to_instrument::Stop{});
}

TEST(MessagesTest, EveryKindFromTheInstrumentComesBack) {
  EXPECT_EQ(there_and_back<from_instrument::Hello>(from_instrument::Hello{"1.0", "c++"}).sdk,
            "c++");
  const auto configured = there_and_back<from_instrument::Configured>(
      from_instrument::Configured{3, ConfigState::failed, "no such interface"});
  EXPECT_EQ(configured.state, ConfigState::failed);
  EXPECT_EQ(configured.reason, "no such interface");
  Health health = nested(4);
  health.since = kWhen;
  health.state = HealthState::degraded;
  health.fix = "plug it in";
  const auto answer =
      there_and_back<from_instrument::HealthAnswer>(from_instrument::HealthAnswer{kUuid, health});
  EXPECT_EQ(answer.health.since, kWhen);
  EXPECT_EQ(answer.health.state, HealthState::degraded);
  const auto receipt = there_and_back<from_instrument::Receipt>(
      from_instrument::Receipt{{kUuid, kWhen, 5, 1000, kWhen + 1h, ""}});
  EXPECT_EQ(receipt.receipt.oldest, kWhen + 1h);
  EXPECT_FALSE(there_and_back<from_instrument::Receipt>(
                   from_instrument::Receipt{{kUuid, kWhen, 0, 0, std::nullopt, ""}})
                   .receipt.oldest);
  const auto publish = there_and_back<from_instrument::Publish>(from_instrument::Publish{
      {kUuid, "", kWhen, "instruments.beacon.ev.alert", "It leaks", "{\"path\":\"dns\"}"}});
  EXPECT_EQ(publish.event.data_json, "{\"path\":\"dns\"}");
  EXPECT_EQ(
      there_and_back<from_instrument::Find>(from_instrument::Find{kUuid, "beacon"}).instrument,
      "beacon");
  ResourceWish wish;
  wish.name = "beaconry-escape";
  wish.url = "https://updates.example/beaconry-escape";
  wish.executable = true;
  wish.restart = false;
  const auto want = there_and_back<from_instrument::Want>(from_instrument::Want{wish});
  EXPECT_TRUE(want.wish.executable);
  EXPECT_FALSE(want.wish.restart);
  EXPECT_EQ(want.wish.every, 3600s);
  there_and_back<from_instrument::Fetched>(from_instrument::Fetched{
      {kUuid, "fetched", "", "\"e\"", kSum, "/transient-data/a", "/transient-data/a.minisig", 12}});
}

TEST(MessagesTest, DirectMessagesAndEventsComeBack) {
  const auto reply =
      decode_direct(encode(DirectMessage{DirectMessage::Kind::reply, kUuid, kOther, "[1,\"x\"]"}));
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(reply->kind, DirectMessage::Kind::reply);
  EXPECT_EQ(reply->context_uuid, kOther);
  EXPECT_EQ(reply->body_json, "[1,\"x\"]");
  EXPECT_FALSE(decode_direct(encode(DirectMessage{DirectMessage::Kind::reply, kUuid, "", "{}"})));
  const auto event = decode_event(encode(Event{kUuid, kOther, kWhen, "a.b", "words", "{}"}));
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(event->context_uuid, kOther);
}

TEST(MessagesTest, ComplaintsNameTheirPlace) {
  EXPECT_EQ(complaint("{"), "read JSON: it is none");
  EXPECT_EQ(complaint("[]"), "read message: it is no JSON object");
  EXPECT_EQ(complaint("{}"), "read message.kind: it is missing");
  EXPECT_EQ(complaint(R"({"kind":"dance"})"), "read message.kind: the platform does not know it");
  EXPECT_EQ(complaint(R"({"kind":"publish","event":{"uuid":"X"}})"),
            "read message.event.uuid: it is no UUID in lower case");
  EXPECT_EQ(complaint(R"({"kind":"configured","version":-1,"state":"APPLIED"})"),
            "read message.version: it is no whole number from 0 on");
  EXPECT_EQ(complaint(R"({"kind":"configured","version":1,"state":"UNSET"})"),
            "read message.state: it is none of APPLYING, APPLIED, FAILED");
}

TEST(MessagesTest, TimesAreWholeAndHaveAZone) {
  const auto receipt = [](const std::string& time) {
    return complaint(R"({"kind":"receipt","uuid":")" + kUuid + R"(","before":")" + time +
                     R"(","items":0,"bytes":0})");
  };
  EXPECT_EQ(receipt("2026-11-21T18:00:00.125Z"), "");
  EXPECT_EQ(receipt("2026-11-21T20:00:00+02:00"), "");
  for (const char* time : {"2026-11-21", "2026-11-21 18:00:00Z", "2026-11-21T18:00:00", "now",
                           "2026-13-21T18:00:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_NE(receipt(time), "") << time;
  }
}

TEST(MessagesTest, HealthIsBoundedInDepthAndNumber) {
  EXPECT_TRUE(parse_health(health_json(nested(4))));
  EXPECT_FALSE(parse_health(health_json(nested(5))));
  EXPECT_FALSE(parse_health(health_json(nested(2000))));
  Health wide = nested(1);
  wide.parts.assign(32, nested(2));  // 64 in all
  EXPECT_TRUE(parse_health(health_json(wide)));
  wide.parts.push_back(nested(1));
  EXPECT_FALSE(parse_health(health_json(wide)));
}

TEST(MessagesTest, NestingAndLengthAreBounded) {
  const std::string deep =
      R"({"kind":"publish","event":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(complaint(deep), "read JSON: nested deeper than 32");
  EXPECT_NE(complaint(std::string(600'000, ' ')), "");
  Event event{kUuid, "", kWhen, "a", std::string(4096, 'm'), "{}"};
  EXPECT_TRUE(decode_event(encode(event)));
  event.message += 'm';
  EXPECT_FALSE(decode_event(encode(event)));
  event.message = "brackets in texts are none: " + std::string(100, '[') + "\"\\";
  EXPECT_TRUE(decode_event(encode(event)));
  event.data_json = "{\"x\":\"" + std::string(64 << 10, 'd') + "\"}";
  EXPECT_FALSE(decode_event(encode(event)));
  event.data_json = "no json";  // becomes a text, which is no object
  EXPECT_FALSE(decode_event(encode(event)));
}

TEST(MessagesTest, PathsAndNamesThatLeadElsewhereAreRefused) {
  const auto want = [](const std::string& name, const std::string& url) {
    return complaint(R"({"kind":"want","name":")" + name + R"(","url":")" + url +
                     R"(","every_seconds":60,"most_bytes":1000})");
  };
  EXPECT_EQ(want("rules.txt", "http://h/rules"), "");
  for (const char* name : {"", "..", ".hidden", "a/b", "a b"})
    EXPECT_NE(want(name, "http://h/"), "") << name;
  for (const char* url : {"", "ftp://h/", "file:///etc/passwd", "http://h/ x"})
    EXPECT_NE(want("a", url), "") << url;
  FetchResult result{kUuid, "fetched", "", "", "", "/transient-data/x", "", 1};
  EXPECT_EQ(complaint(encode(FromInstrument{from_instrument::Fetched{result}})), "");
  for (const char* path :
       {"", "/etc/passwd", "/transient-data/../etc/passwd", "transient-data/x"}) {
    result.path = path;
    EXPECT_NE(complaint(encode(FromInstrument{from_instrument::Fetched{result}})), "") << path;
  }
}

TEST(MessagesTest, BytesThatAreNoTextAreReplacedNotSent) {
  const auto event = decode_event(encode(Event{kUuid, "", kWhen, "a", "\xff!", "{}"}));
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(event->message, "\xef\xbf\xbd!");
}

// What every example of a part of the protocol's document is, one after the other.
template <class Message>
std::set<std::size_t> kinds_in(std::string_view part, Result<Message> (*decode)(std::string_view)) {
  std::set<std::size_t> kinds;
  constexpr std::string_view kBegin = "```json\n", kEnd = "```";
  for (auto at = part.find(kBegin); at != std::string_view::npos; at = part.find(kBegin)) {
    part.remove_prefix(at + kBegin.size());
    const std::string_view example = part.substr(0, part.find(kEnd));
    const auto message = decode(example);
    EXPECT_TRUE(message) << message.error().message() << "\n" << example;
    if (message) kinds.insert(message->index());
  }
  return kinds;
}

TEST(MessagesTest, TheDocumentHasAGoodExampleOfEveryKind) {
  const auto document = read_small_file(BEACONRY_SOURCE_DIR "/docs/formats/instrument.md", 1 << 20);
  ASSERT_TRUE(document);
  const std::string_view text = *document;
  const auto to = text.find("### Platform to instrument");
  const auto from = text.find("### Instrument to platform");
  const auto direct = text.find("### Instrument to instrument");
  ASSERT_TRUE(to < from && from < direct && direct != std::string::npos);
  EXPECT_EQ(kinds_in(text.substr(to, from - to), decode_to_instrument).size(),
            std::variant_size_v<ToInstrument>);
  EXPECT_EQ(kinds_in(text.substr(from, direct - from), decode_from_instrument).size(),
            std::variant_size_v<FromInstrument>);
}

TEST(MessagesTest, UuidsAreOfVersionFourAndDiffer) {
  std::set<std::string> uuids;
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = make_uuid();
    EXPECT_TRUE(is_uuid(uuid)) << uuid;
    EXPECT_EQ(uuid[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
    uuids.insert(uuid);
  }
  EXPECT_EQ(uuids.size(), 100U);
  EXPECT_FALSE(is_uuid("0190B8F2-7b1c-4c3a-9d55-3f1e2a4b5c6d"));
  EXPECT_FALSE(is_uuid("0190b8f2-7b1c-4c3a-9d55-3f1e2a4b5c6"));
}

}  // namespace
}  // namespace beaconry
