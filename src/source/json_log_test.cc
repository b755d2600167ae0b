#include <gtest/gtest.h>

#include "source/json_record.h"
#include "source/test_support.h"

namespace beaconry {
namespace {

TEST(JsonRecord, FlattensAndUnescapes) {
  std::string text =
      R"({"ts":1.5,"id":{"orig_h":"10.0.0.1"},"n":null,"a":["x","y\u0041"],"b":true,"d":{"e":[{"f":7}]}})";
  JsonRecord record;
  ASSERT_TRUE(record.parse(text.data(), text.size()));
  EXPECT_EQ(record.find("ts"), "1.5");
  EXPECT_EQ(record.find("id", "orig_h"), "10.0.0.1");
  EXPECT_EQ(record.find("b"), "true");
  EXPECT_TRUE(record.has("n"));
  EXPECT_EQ(record.find("n"), "");
  EXPECT_EQ(record.members()[3].value, "yA");
  EXPECT_EQ(record.members().back().parent, "e");
  EXPECT_EQ(record.members().back().value, "7");
}

TEST(JsonRecord, RefusesWhatIsNotOneObject) {
  for (const std::string text : {"", "[1]", "1", "{\"a\":1", "{\"a\":1}x", "{\"a\":1}{\"b\":2}",
                                 "{a:1}", "null", "\"x\"", "{\"a\":01}"}) {
    std::string copy = text;
    JsonRecord record;
    EXPECT_FALSE(record.parse(copy.data(), copy.size())) << text;
  }
  std::string deep = "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  JsonRecord record;
  EXPECT_FALSE(record.parse(deep.data(), deep.size()));
  std::string nul("{\"a\":1}\0x", 9);
  EXPECT_FALSE(record.parse(nul.data(), nul.size()));
}

TEST(ZeekJson, ReadsEveryShape) {
  const TestFolder folder;
  const std::string rest = R"("uid":"C1","proto":"tcp","orig_bytes":42,"conn_state":"SF"})";
  const std::string rows[] = {
      R"({"ts":1588205199.25,"id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"10.0.0.6","id.resp_p":80,)",
      R"({"ts":"2020-04-30T00:06:39.250000Z","id_orig_h":"10.0.0.5","id_orig_p":5,"id_resp_h":"10.0.0.6","id_resp_p":80,)",
      R"({"ts":1588205199250,"id":{"orig_h":"10.0.0.5","orig_p":5,"resp_h":"10.0.0.6","resp_p":80},)",
      R"({"ts":1.58820519925e9,"_path":"conn","id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"10.0.0.6","id.resp_p":80,)"};
  for (const auto& row : rows) {
    Kept kept;
    read_paths({folder.write("records.json", row + rest + "\n")}, kept);
    ASSERT_EQ(kept.events.size(), 1U) << row;
    EXPECT_EQ(kept.events[0].pair, "10.0.0.5->10.0.0.6:80/TCP");
    EXPECT_EQ(kept.events[0].micros, 1588205199250000);
    EXPECT_EQ(kept.events[0].bytes_out, 42U);
    EXPECT_EQ(kept.events[0].bytes_in, kUnknownBytes);
  }
}

TEST(ZeekJson, JoinsKindsMixedInOneFileAndRefusesBadLinesOnce) {
  const TestFolder folder;
  const std::string ends =
      R"("id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"10.0.0.6","id.resp_p":443)";
  Kept kept;
  read_paths(
      {folder.write(
          "all.json",
          R"({"_path":"conn","ts":1.0,"uid":"C1","proto":"tcp",)" + ends + "}\n" +
              "{\"_path\":\"conn\",\n" +
              R"({"_path":"ssl","ts":1.0,"uid":"C1","server_name":"x.example",)" + ends + "}\n" +
              R"({"_path":"weird","ts":1.0,"name":"odd"})" + "\n" +
              R"({"_path":"conn","ts":2.0,"uid":"C2","proto":"tcp","id.orig_h":"10.0.0.5"})" +
              "\n")},
      kept);
  ASSERT_EQ(kept.events.size(), 1U);
  EXPECT_EQ(kept.events[0].name, "x.example");
  EXPECT_TRUE(kept.refused("not valid JSON", "all.json line 2"));
  EXPECT_TRUE(kept.refused("no id.resp_h (or dest_ip)", "all.json line 5"));
  EXPECT_EQ(kept.report.refused(), 2U);
}

constexpr std::string_view kEve =
    R"({"timestamp":"2026-11-20T08:00:02.000000+0000","flow_id":1,"event_type":"tls","src_ip":"10.0.0.5","src_port":50000,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","tls":{"sni":"Tls.Example","version":"TLS 1.3"}}
{"timestamp":"2026-11-20T08:00:03.000000+0000","flow_id":2,"event_type":"http","src_ip":"10.0.0.5","src_port":50001,"dest_ip":"203.0.113.8","dest_port":3128,"proto":"TCP","tx_id":0,"http":{"hostname":"proxy","http_method":"CONNECT","url":"tunnel.example:443","length":10}}
{"timestamp":"2026-11-20T08:00:04.000000+0000","flow_id":3,"event_type":"dns","src_ip":"10.0.0.5","src_port":50002,"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","dns":{"type":"query","id":1,"rrname":"www.example.com","rrtype":"A","tx_id":0}}
{"timestamp":"2026-11-20T08:00:04.100000+0000","flow_id":3,"event_type":"dns","src_ip":"10.0.0.5","src_port":50002,"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","dns":{"version":2,"type":"answer","rrname":"www.example.com","answers":[{"rrname":"www.example.com","rrtype":"A","rdata":"203.0.113.1"}],"grouped":{"AAAA":["2001:db8::1"]}}}
{"timestamp":"2026-11-20T08:00:04.200000+0000","flow_id":4,"event_type":"dns","src_ip":"10.0.0.5","src_port":50003,"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","dns":{"version":3,"type":"request","tx_id":0,"queries":[{"rrname":"v3.example.org","rrtype":"A"}]}}
{"timestamp":"2026-11-20T08:00:05.000000+0000","event_type":"dhcp","src_ip":"10.0.0.1","dest_ip":"10.0.0.5","proto":"UDP","dhcp":{"type":"reply","hostname":"pc5","assigned_ip":"10.0.0.5"}}
not json
{"timestamp":"2026-11-20T08:01:00.000000+0000","flow_id":1,"event_type":"flow","src_ip":"10.0.0.5","src_port":50000,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","app_proto":"tls","flow":{"pkts_toserver":5,"bytes_toserver":900,"bytes_toclient":1800,"start":"2026-11-20T08:00:01.500000+0000","end":"2026-11-20T08:00:31.500000+0000"}}
{"timestamp":"2026-11-20T08:01:00.000000+0000","flow_id":2,"event_type":"flow","src_ip":"10.0.0.5","src_port":50001,"dest_ip":"203.0.113.8","dest_port":3128,"proto":"TCP","flow":{"bytes_toserver":1,"bytes_toclient":2,"start":"2026-11-20T08:00:03.000000+0000","end":"2026-11-20T08:00:03.000000+0000"}}
{"timestamp":"2026-11-20T08:01:00.000000+0000","flow_id":3,"event_type":"flow","src_ip":"10.0.0.5","src_port":50002,"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","flow":{"start":"2026-11-20T08:00:04.000000+0000"}}
{"timestamp":"2026-11-20T08:01:00.000000+0000","flow_id":4,"event_type":"flow","src_ip":"10.0.0.5","src_port":50003,"dest_ip":"10.0.0.1","dest_port":53,"proto":"UDP","flow":{"start":"2026-11-20T08:00:04.200000+0000"}}
{"timestamp":"2026-11-20T08:01:00.000000+0000","flow_id":5,"event_type":"flow","src_ip":"10.0.0.5","dest_ip":"10.0.0.1","proto":"ICMP","icmp_type":8,"flow":{"start":"2026-11-20T08:00:09.000000+0000"}}
{"timestamp":"2026-11-20T08:01:00.000000+0000","flow_id":6,"event_type":"flow","src_ip":"10.0.0.x","dest_ip":"10.0.0.1","proto":"TCP"}
{"timestamp":"2026-11-20T08:01:00.000000+0000","event_type":"stats","stats":{"uptime":7}}
)";

void expect_eve(const Kept& kept) {
  ASSERT_EQ(kept.events.size(), 5U);
  EXPECT_EQ(kept.events[0].pair, "10.0.0.5->203.0.113.9:443/TCP");
  EXPECT_EQ(kept.events[0].name, "tls.example");
  EXPECT_EQ(kept.events[0].name_kind, NameKind::tls_sni);
  EXPECT_EQ(kept.events[0].micros, 1795161601500000);
  EXPECT_EQ(kept.events[0].duration, 30'000'000);
  EXPECT_EQ(kept.events[0].bytes_out, 900U);
  EXPECT_EQ(kept.events[0].bytes_in, 1800U);
  EXPECT_EQ(kept.events[0].id, "1");
  EXPECT_EQ(kept.events[1].name, "tunnel.example");
  EXPECT_EQ(kept.events[1].name_kind, NameKind::connect_target);
  EXPECT_EQ(kept.events[2].name, "example.com");
  EXPECT_EQ(kept.events[3].name, "example.org");
  EXPECT_EQ(kept.events[4].pair, "10.0.0.5->10.0.0.1:0/ICMP");
  EXPECT_EQ(kept.events[4].bytes_out, kUnknownBytes);
  EXPECT_EQ(kept.names, (std::vector<std::string>{"10.0.0.5=pc5", "2001:db8::1~www.example.com",
                                                  "203.0.113.1~www.example.com"}));
  EXPECT_EQ(kept.report.refused(), 2U);
  EXPECT_EQ(kept.report.records(), 5U);
}

TEST(Suricata, ReadsFlowsAndJoinsTheirNames) {
  const TestFolder folder;
  for (const auto& stored : {std::string(kEve), gzip(kEve)}) {
    Kept kept;
    read_paths({folder.write("eve.json", stored)}, kept);
    expect_eve(kept);
    EXPECT_TRUE(kept.refused("not valid JSON", "eve.json line 7"));
    EXPECT_TRUE(kept.refused("address does not parse", "eve.json line 13"));
  }
}

TEST(Suricata, LaterRequestsOfAFlowAreBursts) {
  const TestFolder folder;
  const auto request = [](const char* second, const char* transaction) {
    return std::string(R"({"timestamp":"2026-11-20T08:00:)") + second +
           R"(.000000+0000","flow_id":2,"event_type":"http","src_ip":"10.0.0.5","src_port":5,)"
           R"("dest_ip":"203.0.113.8","dest_port":80,"proto":"TCP","tx_id":)" +
           transaction + R"(,"http":{"hostname":"a.example","http_method":"GET","length":10}})" +
           "\n";
  };
  Kept kept;
  read_paths(
      {folder.write("eve.json", request("01", "0") + request("31", "1") + request("31", "2"))},
      kept);
  ASSERT_EQ(kept.events.size(), 1U);
  EXPECT_EQ(kept.events[0].kind, FlowEventKind::burst);
  EXPECT_EQ(kept.events[0].bytes_in, 10U);
  EXPECT_EQ(kept.events[0].name, "a.example");
}

}  // namespace
}  // namespace beaconry
