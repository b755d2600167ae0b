#include <gtest/gtest.h>

#include "source/test_support.h"

namespace beaconry {
namespace {

std::string log(std::string_view path, std::string_view columns, std::string_view rows) {
  return "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" +
         std::string(path) + "\n#fields\t" + std::string(columns) + '\n' + std::string(rows);
}

constexpr std::string_view kId = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t";
const std::string kConn = std::string(kId) + "proto\tduration\torig_bytes\tresp_bytes";
const std::string kSsl = std::string(kId) + "server_name\tcipher";
const std::string kHttp =
    std::string(kId) + "trans_depth\tmethod\thost\turi\trequest_body_len\tresponse_body_len";
const std::string kDns = std::string(kId) + "proto\tquery\tqtype\tanswers";

std::string ends(const char* time, const char* uid, const char* port) {
  return std::string(time) + '\t' + uid + "\t10.0.0.5\t50000\t203.0.113.9\t" + port + '\t';
}

TEST(Join, ConnectBeatsSniBeatsHostBeatsDns) {
  struct Case {
    const char *file, *row, *name;
    NameKind kind;
  };
  const TestFolder folder;
  folder.write("conn.log",
               log("conn", kConn,
                   ends("1.0", "C1", "443") + "tcp\t1.0\t10\t20\n" + ends("2.0", "C2", "443") +
                       "tcp\t1.0\t10\t20\n" + ends("3.0", "C3", "80") + "tcp\t1.0\t10\t20\n" +
                       ends("4.0", "C4", "53") + "udp\t1.0\t10\t20\n" + ends("5.0", "C5", "443") +
                       "tcp\t1.0\t10\t20\n"));
  folder.write("ssl.log",
               log("ssl", kSsl,
                   ends("1.1", "C1", "443") + "inner.example\tx\n" + ends("2.1", "C2", "443") +
                       "SNI.Example.\tx\n" + ends("5.1", "C5", "443") + "-\tx\n"));
  folder.write("http.log",
               log("http", kHttp,
                   ends("1.0", "C1", "443") + "1\tCONNECT\tproxy\ttunnel.example:443\t0\t0\n" +
                       ends("2.0", "C2", "443") + "1\tGET\thost.example\t/\t0\t0\n" +
                       ends("3.0", "C3", "80") + "1\tGET\thost.example:80\t/\t0\t0\n"));
  folder.write("dns.log",
               log("dns", kDns, ends("4.0", "C4", "53") + "udp\ta.b.example.co.uk\t1\t-\n"));
  Kept kept;
  read_paths({folder.path()}, kept);
  const std::pair<const char*, NameKind> expected[] = {{"tunnel.example", NameKind::connect_target},
                                                       {"sni.example", NameKind::tls_sni},
                                                       {"host.example", NameKind::http_host},
                                                       {"example.co.uk", NameKind::dns_domain},
                                                       {"", NameKind::none}};
  ASSERT_EQ(kept.events.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(kept.events[i].name, expected[i].first);
    EXPECT_EQ(kept.events[i].name_kind, expected[i].second);
  }
  EXPECT_EQ(kept.report.refused(), 0U);
  EXPECT_EQ(kept.report.records(), 5U);
}

TEST(Join, LaterRequestsOfAConnectionAreBurstsAndTheBytesAddUp) {
  const TestFolder folder;
  folder.write("conn.log",
               log("conn", kConn, ends("10.0", "C1", "80") + "tcp\t90.0\t5000\t9000\n"));
  folder.write("http.log", log("http", kHttp,
                               ends("10.1", "C1", "80") + "1\tGET\ta.example\t/\t0\t100\n" +
                                   ends("10.2", "C1", "80") + "2\tGET\ta.example\t/\t0\t100\n" +
                                   ends("40.2", "C1", "80") + "3\tPOST\ta.example\t/\t70\t200\n" +
                                   ends("40.3", "C1", "80") + "4\tGET\tb.example\t/\t0\t300\n"));
  Kept kept;
  read_paths({folder.path()}, kept);
  ASSERT_EQ(kept.events.size(), 3U);
  EXPECT_EQ(kept.events[0].kind, FlowEventKind::close);
  EXPECT_EQ(kept.events[0].name, "a.example");
  EXPECT_EQ(kept.events[1].kind, FlowEventKind::burst);
  EXPECT_EQ(kept.events[1].micros, 40'200'000);
  EXPECT_EQ(kept.events[1].bytes_out, 70U);
  EXPECT_EQ(kept.events[2].name, "b.example");  // another server, though at once
  std::uint64_t out = 0, in = 0;
  for (const auto& event : kept.events)
    out += event.bytes_out, in += event.bytes_in;
  EXPECT_EQ(out, 5000U);
  EXPECT_EQ(in, 9000U);
  EXPECT_EQ(kept.report.records(), 1U);
}

TEST(Join, AnswersNameAddressesAndDhcpNamesHosts) {
  const TestFolder folder;
  folder.write("dns.log",
               log("dns", kDns,
                   ends("1.0", "C1", "53") +
                       "udp\tWWW.example.com\t1\tcdn.example.net,203.0.113.7,2001:db8::7\n" +
                       ends("2.0", "C2", "5353") + "udp\tprinter.local\t1\t10.0.0.9\n"));
  folder.write("dhcp.log", log("dhcp", "ts\tuids\tclient_addr\tmac\thost_name\tassigned_addr",
                               "1.0\tC3\t-\t00:11\tpc7\t10.0.0.7\n1.0\tC4\t10.0.0.8\t-\tpc8\t-\n"
                               "1.0\tC5\t-\t-\tnobody\t-\n"));
  folder.write("old/dhcp.log",
               log("dhcp", std::string(kId) + "mac\tassigned_ip\tlease_time\ttrans_id",
                   "1.0\tC6\t10.0.0.6\t68\t10.0.0.1\t67\t00:22\t10.0.0.6\t60.0\t1\n"));
  Kept kept;
  read_paths({folder.path()}, kept);
  EXPECT_EQ(kept.names,
            (std::vector<std::string>{"10.0.0.7=pc7", "10.0.0.8=pc8", "2001:db8::7~www.example.com",
                                      "203.0.113.7~www.example.com"}));
  EXPECT_EQ(kept.report.refused(), 0U);
}

TEST(Join, AFlowInOpenAndFinishedLogsCountsOnce) {
  const TestFolder folder;
  const auto open =
      folder.write("open_conn.log", log("open_conn", kConn,
                                        ends("1.0", "C1", "443") + "tcp\t60.0\t10\t20\n" +
                                            ends("1.0", "C2", "443") + "tcp\t60.0\t10\t20\n" +
                                            ends("1.0", "C2", "443") + "tcp\t900.0\t11\t21\n"));
  const auto conn = folder.write(
      "conn.log", log("conn", kConn, ends("1.0", "C1", "443") + "tcp\t99.0\t500\t600\n"));
  const auto ssl =
      folder.write("ssl.log", log("ssl", kSsl, ends("1.1", "C2", "443") + "long.example\tx\n"));
  Kept kept;
  read_paths({open, conn, ssl}, kept);
  ASSERT_EQ(kept.events.size(), 2U);
  EXPECT_EQ(kept.events[0].kind, FlowEventKind::close);
  EXPECT_EQ(kept.events[0].bytes_out, 500U);
  EXPECT_EQ(kept.events[1].kind, FlowEventKind::alive);
  EXPECT_EQ(kept.events[1].bytes_out, 11U);
  EXPECT_EQ(kept.events[1].duration, 900'000'000);
  EXPECT_EQ(kept.events[1].name, "long.example");
  EXPECT_EQ(kept.report.records(), 2U);
}

TEST(Join, WithoutAConnLogTheOtherLogsStandForTheFlows) {
  const TestFolder folder;
  folder.write("a_ssl.log", log("ssl", kSsl,
                                ends("1.5", "C1", "443") + "inner.example\tx\n" +
                                    ends("3.0", "C2", "443") + "two.example\tx\n"));
  folder.write(
      "http.log",
      log("http", kHttp, ends("1.0", "C1", "443") + "1\tCONNECT\tp\ttunnel.example:443\t5\t6\n"));
  Kept kept;
  read_paths({folder.path()}, kept);
  ASSERT_EQ(kept.events.size(), 2U);
  EXPECT_EQ(kept.events[0].kind, FlowEventKind::open);
  EXPECT_EQ(kept.events[0].name, "tunnel.example");
  EXPECT_EQ(kept.events[0].bytes_out, 5U);
  EXPECT_EQ(kept.events[1].name, "two.example");
  EXPECT_EQ(kept.events[1].bytes_out, kUnknownBytes);
  EXPECT_EQ(kept.report.records(), 2U);
}

TEST(Join, WhatTheMemoryLimitForbidsIsCounted) {
  const TestFolder folder;
  std::string conn_rows, ssl_rows;
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i), uid = 'C' + number;
    conn_rows += ends("1.0", uid.c_str(), "443") + "tcp\t1.0\t1\t1\n";
    ssl_rows += ends("1.0", uid.c_str(), "443") + 'a' + number + ".example\tx\n";
  }
  ReadOptions options;
  options.paths = {folder.write("conn.log", log("conn", kConn, conn_rows)),
                   folder.write("ssl.log", log("ssl", kSsl, ssl_rows))};
  options.memory_limit = 4000;
  Kept kept;
  read_all(options, kept);
  EXPECT_EQ(kept.events.size(), 100U);
  const auto named = static_cast<std::uint64_t>(
      std::count_if(kept.events.begin(), kept.events.end(),
                    [](const KeptEvent& event) { return !event.name.empty(); }));
  EXPECT_GT(named, 0U);
  ASSERT_EQ(kept.report.refusals().size(), 1U);
  EXPECT_EQ(kept.report.refusals()[0].reason, "name not joined: memory limit");
  EXPECT_EQ(kept.report.refusals()[0].count + named, 100U);
}

TEST(Join, TheOrderOfFilesDoesNotMatter) {
  const TestFolder folder;
  const auto conn =
      folder.write("z", log("conn", kConn, ends("1.0", "C1", "443") + "tcp\t1.0\t10\t20\n"));
  const auto ssl = folder.write("a", log("ssl", kSsl, ends("1.0", "C1", "443") + "x.example\tx\n"));
  Kept first, second;
  read_paths({conn, ssl}, first);
  read_paths({ssl, conn}, second);
  ASSERT_EQ(first.events.size(), 1U);
  EXPECT_EQ(first.events[0].name, "x.example");
  EXPECT_EQ(first.events, second.events);
}

}  // namespace
}  // namespace beaconry
