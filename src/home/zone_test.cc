#include "home/zone.h"

#include <gtest/gtest.h>

#include <cctype>

#include "base/text.h"
#include "home/test_desk.h"
#include "packet/dns_message.h"
#include "packet/test_messages.h"
#include "ping/proof_addresses.h"

namespace beaconry {
namespace {

using Transport = Zone::Transport;

constexpr const char* kZone = "z.example.net";

// A question with EDNS, and what may be wrong with it.
struct Asked {
  std::string name;
  std::uint16_t type = kRecordTxt;
  std::uint16_t flags = 0x0100;
  std::uint16_t klass = 1;
  bool has_edns = true;
  std::uint8_t edns_version = 0;
  std::uint16_t udp_size = 1232;
};
Bytes bytes_of(const Asked& asked) {
  using test_messages::put;
  Bytes out;
  put(out, 0x1234, 2);
  put(out, asked.flags, 2);
  put(out, 0x0001'0000'0000, 6);
  put(out, asked.has_edns ? 1 : 0, 2);
  test_messages::put_dns_name(out, asked.name);
  put(out, asked.type, 2);
  put(out, asked.klass, 2);
  if (asked.has_edns) {
    put(out, 0, 1);
    put(out, kRecordOpt, 2);
    put(out, asked.udp_size, 2);
    put(out, std::uint64_t{asked.edns_version} << 16 | 0x8000, 4);  // with DO
    put(out, 0, 2);
  }
  return out;
}

struct Record {
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  Bytes data;
  std::string owner;
};
struct Answer {
  std::uint16_t flags = 0;
  unsigned code = 0;
  std::vector<Record> answers, authorities;
  bool has_edns = false;
};

// An answer as a resolver would read it, compression and all.
std::string read_name(ByteView message, std::size_t& at) {
  std::string name;
  std::size_t next = 0;
  for (int i = 0; i < 128; ++i) {
    const std::uint8_t length = message[at];
    if (length >= 0xc0) {
      if (next == 0) next = at + 2;
      at = (length & 0x3fU) << 8 | message[at + 1];
      continue;
    }
    ++at;
    if (length == 0) break;
    if (!name.empty()) name += '.';
    name += as_text(message.subspan(at, length));
    at += length;
  }
  if (next != 0) at = next;
  return name;
}

Answer read(ByteView message, const Asked& asked) {
  Answer answer;
  ByteCursor head(message);
  EXPECT_EQ(head.u16(), 0x1234);
  answer.flags = head.u16();
  answer.code = answer.flags & 15U;
  const std::size_t counts[] = {head.u16(), head.u16(), head.u16(), head.u16()};
  std::size_t at = kDnsHeader;
  if (counts[0] == 1) {
    EXPECT_EQ(read_name(message, at), asked.name) << "in the case of the question";
    at += 4;
  }
  for (std::size_t section = 1; section < 4; ++section) {
    for (std::size_t i = 0; i < counts[section]; ++i) {
      Record record;
      record.owner = read_name(message, at);
      ByteCursor cursor(message.subspan(at));
      record.type = cursor.u16();
      cursor.u16();
      record.ttl = cursor.u32();
      const ByteView data = cursor.take(cursor.u16());
      EXPECT_TRUE(cursor.ok());
      record.data.assign(data.begin(), data.end());
      at = message.size() - cursor.left();
      if (section == 1) answer.answers.push_back(record);
      if (section == 2) answer.authorities.push_back(record);
      if (section == 3) answer.has_edns = record.type == kRecordOpt;
    }
  }
  EXPECT_EQ(at, message.size());
  return answer;
}

class ZoneTest : public testing::Test {
 protected:
  std::optional<Bytes> ask_bytes(ByteView message, Transport transport = Transport::udp,
                                 const char* source = "198.51.100.53") {
    Observation seen;
    seen.source = *IpAddress::parse(source);
    seen.source_port = 40'000;
    seen.protocol = 17;
    return zone_.answer(message, transport, seen, desk_);
  }
  Answer ask(const Asked& asked, Transport transport = Transport::udp) {
    const auto answer = ask_bytes(bytes_of(asked), transport);
    EXPECT_TRUE(answer.has_value());
    return answer ? read(*answer, asked) : Answer{};
  }
  std::string name_of(ByteView sealed) { return *ping_name(sealed, kZone); }

  TestDesk desk_;
  Zone zone_{kZone, {*IpAddress::parse("203.0.113.10"), *IpAddress::parse("2001:db8::10")}};
};

TEST_F(ZoneTest, AnswersTxtWithTheReply) {
  const Answer answer = ask({name_of(desk_.sealed(1)), kRecordTxt});
  EXPECT_EQ(answer.code, 0U);
  EXPECT_EQ(answer.flags & 0x8700, 0x8500);  // an authoritative response, recursion was desired
  EXPECT_TRUE(answer.has_edns);
  ASSERT_EQ(answer.answers.size(), 1U);
  EXPECT_EQ(answer.answers[0].ttl, 0U);
  const auto found = find_ping(answer.answers[0].data);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(open_sealed(found->sealed, desk_.key)->leg, Leg::reply);
  ASSERT_EQ(desk_.seen.size(), 1U);
  EXPECT_EQ(desk_.seen[0].receiver, "dns");
  EXPECT_EQ(desk_.seen[0].carrier, Carrier::dns_question);
  EXPECT_EQ(desk_.seen[0].source.to_string(), "198.51.100.53");
  EXPECT_FALSE(desk_.seen[0].raw.empty());
}

TEST_F(ZoneTest, AnswersAddressesWithTheProof) {
  const Bytes first = desk_.sealed(1), second = desk_.sealed(2);
  const Answer v6 = ask({name_of(first), kRecordAaaa});
  ASSERT_EQ(v6.answers.size(), 2U);
  EXPECT_EQ(IpAddress::v6_bytes(v6.answers[0].data.data()).to_string(), "2001:db8::10");
  const ReplyProof proof = reply_proof(desk_.key, nonce_in(first));
  EXPECT_TRUE(std::equal(proof.begin(), proof.end(), v6.answers[1].data.begin()));

  const Answer v4 = ask({name_of(second), kRecordA});
  ASSERT_EQ(v4.answers.size(), 7U);
  std::vector<IpAddress> addresses;
  for (const Record& record : v4.answers)
    addresses.push_back(IpAddress::v4_bytes(record.data.data()));
  EXPECT_EQ(addresses[0].to_string(), "203.0.113.10");
  EXPECT_EQ(proof_in_addresses(addresses), reply_proof(desk_.key, nonce_in(second)));
}

TEST_F(ZoneTest, AnswersCnameWithANameThatIsTheReply) {
  const Asked asked{name_of(desk_.sealed(1)), kRecordCname};
  const auto bytes = ask_bytes(bytes_of(asked));
  const Answer answer = read(*bytes, asked);
  ASSERT_EQ(answer.answers.size(), 1U);
  std::size_t at = bytes->size() - 11 - answer.answers[0].data.size();  // before OPT
  const std::string target = read_name(*bytes, at);
  EXPECT_TRUE(target.ends_with(std::string(".") + kZone)) << target;
  EXPECT_EQ(open_sealed(find_ping(as_bytes(target))->sealed, desk_.key)->leg, Leg::reply);
}

TEST_F(ZoneTest, EchoesTheCaseOfTheQuestion) {
  std::string name = name_of(desk_.sealed(1));
  for (std::size_t i = 0; i < name.size(); i += 3)
    name[i] = static_cast<char>(std::toupper(name[i]));
  EXPECT_EQ(ask({name, kRecordTxt}).answers.size(), 1U);
}

TEST_F(ZoneTest, GivesTheSameAnswerAgainForAWhile) {
  const Bytes question = bytes_of({name_of(desk_.sealed(1)), kRecordTxt});
  const auto first = ask_bytes(question);
  EXPECT_EQ(ask_bytes(question, Transport::udp, "198.51.100.54"), first);
  EXPECT_EQ(ask_bytes(question, Transport::tcp), first);
  EXPECT_EQ(desk_.seen.size(), 3U) << "the desk sees each";
  EXPECT_EQ(zone_.counts().again, 2U);
  desk_.pass(Zone::kAgain + Duration{1});
  EXPECT_NE(ask_bytes(question), first);
}

TEST_F(ZoneTest, GivesNobodyElseMoreThanASoaRecord) {
  const auto strange = *SharedKey::make(party(7), party(0).box_public());
  const std::size_t kSoaRecord = 50;
  for (const std::string& name :
       {name_of(seal(sample_ping(), strange)), name_of(desk_.sealed(9, Leg::confirmed)),
        std::string("ns.") + kZone, std::string(kZone), std::string("no-such.") + kZone,
        std::string("example.org")}) {
    for (const unsigned type : {1U, 2U, 5U, 6U, 13U, 16U, 28U, 41U, 43U, 251U, 252U, 255U}) {
      for (const bool has_edns : {true, false}) {
        desk_.pass(std::chrono::seconds{1});
        const Bytes question =
            bytes_of({name, static_cast<std::uint16_t>(type), 0x0100, 1, has_edns});
        const auto answer = ask_bytes(question);
        ASSERT_TRUE(answer.has_value());
        EXPECT_LE(answer->size(), question.size() + kSoaRecord) << name << " " << type;
      }
    }
  }
}

TEST_F(ZoneTest, ResolvesPingsThatItDoesNotAnswerToHome) {
  const std::string name = name_of(desk_.sealed(1, Leg::confirmed));
  const Answer v4 = ask({name, kRecordA});
  ASSERT_EQ(v4.answers.size(), 1U);
  EXPECT_EQ(IpAddress::v4_bytes(v4.answers[0].data.data()).to_string(), "203.0.113.10");
  EXPECT_EQ(ask({name, kRecordAaaa}).answers.size(), 1U);
  EXPECT_TRUE(ask({name, kRecordTxt}).answers.empty());
}

TEST_F(ZoneTest, HasTheNamesBetweenItselfAndAPing) {
  std::string name = name_of(desk_.sealed(1));
  for (auto dot = name.find('.'); name.size() > std::string(kZone).size(); dot = name.find('.')) {
    name = name.substr(dot + 1);
    const Answer answer = ask({name, kRecordA});
    EXPECT_EQ(answer.code, 0U) << name;
    EXPECT_TRUE(answer.answers.empty());
    ASSERT_EQ(answer.authorities.size(), 1U);
    EXPECT_EQ(answer.authorities[0].type, kRecordSoa);
    EXPECT_EQ(answer.authorities[0].owner, kZone);
  }
  EXPECT_EQ(ask({std::string("no-such.") + kZone, kRecordA}).code, 3U);
  EXPECT_EQ(ask({std::string("bcn1.no-such.") + kZone, kRecordA}).code, 3U);
}

TEST_F(ZoneTest, SpeaksForItself) {
  const Answer soa = ask({kZone, kRecordSoa});
  ASSERT_EQ(soa.answers.size(), 1U);
  EXPECT_EQ(soa.answers[0].type, kRecordSoa);
  ASSERT_EQ(ask({kZone, kRecordNs}).answers.size(), 1U);
  EXPECT_EQ(ask({std::string("ns.") + kZone, kRecordA}).answers.size(), 1U);
  EXPECT_EQ(ask({std::string("NS.") + kZone, kRecordAaaa}).answers.size(), 1U);
  EXPECT_EQ(ask({kZone, kRecordAny}).answers.size(), 1U);
  EXPECT_EQ(ask({std::string("ns.") + kZone, kRecordAny}).answers.at(0).type, kRecordHinfo);
}

TEST_F(ZoneTest, RefusesWhatIsNotItsOwn) {
  EXPECT_EQ(ask({"example.org", kRecordA}).code, 5U);
  EXPECT_EQ(ask({"", kRecordNs}).code, 5U);
  EXPECT_EQ(ask({"xz.example.net", kRecordA}).code, 5U);
  EXPECT_EQ(ask({kZone, kRecordTxt, 0x0100, 3}).code, 5U);  // class CHAOS
  EXPECT_TRUE(ask({"example.org", kRecordA}).authorities.empty());
  // A ping of ours under another name is seen all the same.
  EXPECT_EQ(ask({*ping_name(desk_.sealed(1), "example.org"), kRecordTxt}).code, 5U);
  EXPECT_EQ(desk_.seen.size(), 1U);
}

TEST_F(ZoneTest, SaysWhatItCannotRead) {
  EXPECT_EQ(ask({kZone, kRecordA, 0x0100, 1, true, 1}).code, 0U);  // BADVERS: 16, its rest in OPT
  EXPECT_TRUE(ask({kZone, kRecordA, 0x0100, 1, true, 1}).authorities.empty());
  const Bytes good = bytes_of({kZone, kRecordA});
  Bytes update = good;
  update[2] = 0x28;
  EXPECT_EQ((*ask_bytes(update))[3] & 15, 4);
  Bytes two = good;
  two[5] = 2;
  EXPECT_EQ((*ask_bytes(two))[3] & 15, 1);
  Bytes pointer = good;
  pointer[12] = 0xc0;
  EXPECT_EQ((*ask_bytes(pointer))[3] & 15, 1);
  for (std::size_t size = kDnsHeader; size < good.size(); ++size) {
    desk_.pass(std::chrono::seconds{1});
    EXPECT_EQ((*ask_bytes(ByteView(good).first(size)))[3] & 15, 1) << size;
  }
}

TEST_F(ZoneTest, IsSilentToAnswersAndScraps) {
  Bytes response = bytes_of({kZone, kRecordA});
  response[2] = 0x80;
  EXPECT_FALSE(ask_bytes(response).has_value()) << "or two servers would talk for ever";
  for (std::size_t size = 0; size < kDnsHeader; ++size)
    EXPECT_FALSE(ask_bytes(Bytes(size, 0)).has_value());
}

TEST_F(ZoneTest, KeepsToTheSizeThatIsTaken) {
  Ping ping = sample_ping();
  ping.source = ping.destination = ping.via = *IpAddress::parse("2001:db8::1");
  const Asked asked{name_of(seal(ping, desk_.key)), kRecordTxt, 0x0100, 1, false};
  const auto answer = ask_bytes(bytes_of(asked));
  ASSERT_TRUE(answer.has_value());
  EXPECT_LE(answer->size(), 512U);
  EXPECT_EQ(read(*answer, asked).answers.size(), 1U) << "a whole reply fits without EDNS";
}

TEST_F(ZoneTest, LimitsWhatANetworkGets) {
  const Asked asked{"example.org", kRecordA};
  unsigned whole = 0, truncated = 0, none = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto source = "198.51.100." + std::to_string(i % 200);
    const auto answer = ask_bytes(bytes_of(asked), Transport::udp, source.c_str());
    if (!answer) {
      ++none;
    } else {
      ++((read(*answer, asked).flags & 0x0200) != 0 ? truncated : whole);
    }
  }
  EXPECT_EQ(whole, static_cast<unsigned>(Zone::kASecond));
  EXPECT_EQ(truncated, none);
  EXPECT_TRUE(ask_bytes(bytes_of(asked), Transport::udp, "192.0.2.1").has_value());
  EXPECT_EQ(ask({name_of(desk_.sealed(1)), kRecordTxt}).answers.size(), 1U)
      << "who is authentic has a limit of the desk's";
  EXPECT_EQ(ask(asked, Transport::tcp).code, 5U);
  desk_.pass(std::chrono::seconds{1});
  EXPECT_EQ(ask(asked).code, 5U);
}

}  // namespace
}  // namespace beaconry
