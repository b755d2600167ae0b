#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "source/flow_join.h"
#include "source/inputs.h"
#include "source/log_reader.h"
#include "source/test_support.h"

namespace beaconry {
namespace {

constexpr std::string_view kConnColumns =
    "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\t"
    "resp_bytes\tconn_state\thistory\torig_pkts\tresp_pkts\tip_proto";

std::string log(std::string_view path, std::string_view columns, std::string_view rows) {
  return "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" +
         std::string(path) + "\n#fields\t" + std::string(columns) + '\n' + std::string(rows);
}
std::string conn(std::string_view rows) {
  return log("conn", kConnColumns, rows);
}

KeptEvent only(const Kept& kept) {
  EXPECT_EQ(kept.events.size(), 1U);
  return kept.events.empty() ? KeptEvent{} : kept.events.front();
}

KeptEvent event_of(const std::string& row) {
  const TestFolder folder;
  Kept kept;
  read_paths({folder.write("conn.log", conn(row + "\n"))}, kept);
  EXPECT_EQ(kept.report.refused(), 0U) << row;
  return only(kept);
}

TEST(ZeekConn, AFlowIsOneClose) {
  const auto event = event_of(
      "1591367999.305988\tCuid1\t10.0.0.5\t49152\t203.0.113.9\t443\ttcp\tssl\t1.5\t420\t1300\tSF\t"
      "ShADadFf\t7\t6\t6");
  EXPECT_EQ(event.kind, FlowEventKind::close);
  EXPECT_EQ(event.pair, "10.0.0.5->203.0.113.9:443/TCP");
  EXPECT_EQ(event.source_port, 49152);
  EXPECT_EQ(event.micros, 1591367999305988);
  EXPECT_EQ(event.duration, 1'500'000);
  EXPECT_EQ(event.bytes_out, 420U);
  EXPECT_EQ(event.bytes_in, 1300U);
  EXPECT_EQ(event.id, "Cuid1");
}

TEST(ZeekConn, TellsUnknownSizesFromZero) {
  struct Case {
    const char* what;
    const char* values;  // proto service duration orig_bytes resp_bytes state history pkts pkts
    std::uint64_t out, in;
  };
  const Case cases[] = {
      {"unset", "tcp\t-\t-\t-\t-\tS0\tS\t1\t0", kUnknownBytes, kUnknownBytes},
      {"unanswered SYN", "tcp\t-\t-\t0\t0\tS0\tS\t3\t0", 0, 0},
      {"unanswered request", "udp\t-\t-\t60\t0\tS0\tD\t1\t0", 60, 0},
      {"originator unseen", "tcp\t-\t0.1\t0\t258\tSHR\t^hadf\t0\t5", kUnknownBytes, 258},
      {"originator unseen, no counts", "tcp\t-\t0.1\t0\t258\tSHR\t^hadf\t-\t-", kUnknownBytes, 258},
      {"bad checksums out", "tcp\t-\t0.1\t0\t258\tSF\tShCadf\t3\t5", kUnknownBytes, 258},
      {"bad checksums in", "tcp\t-\t0.1\t80\t0\tSF\tShADcF\t3\t5", 80, kUnknownBytes},
      {"responder unseen", "tcp\t-\t0.1\t80\t0\tOTH\tSADF\t4\t0", 80, kUnknownBytes},
      {"handshake only", "tcp\t-\t0.1\t0\t0\tSF\tShAfFa\t4\t3", 0, 0},
      {"not numbers", "tcp\t-\t0.1\t-5\tx\tSF\tShAfFa\t4\t3", kUnknownBytes, kUnknownBytes},
  };
  for (const auto& c : cases) {
    const auto event =
        event_of(std::string("1.0\tC1\t10.0.0.5\t49152\t203.0.113.9\t443\t") + c.values + "\t-");
    EXPECT_EQ(event.bytes_out, c.out) << c.what;
    EXPECT_EQ(event.bytes_in, c.in) << c.what;
  }
}

TEST(ZeekConn, FindsWhoOpened) {
  struct Case {
    const char *ends, *rest, *pair;
  };
  const Case cases[] = {
      {"203.0.113.9\t443\t10.0.0.5\t49152", "tcp\t-\t-\t7\t9\tOTH\tDadA\t1\t1\t6",
       "10.0.0.5->203.0.113.9:443/TCP"},
      {"203.0.113.9\t443\t10.0.0.5\t49152", "tcp\t-\t-\t7\t9\tOTH\t^DadA\t1\t1\t6",
       "203.0.113.9->10.0.0.5:49152/TCP"},  // Zeek decided already
      {"203.0.113.9\t443\t10.0.0.5\t49152", "tcp\t-\t-\t7\t9\tSF\tShDadA\t1\t1\t6",
       "203.0.113.9->10.0.0.5:49152/TCP"},  // it saw the handshake
      {"10.0.0.5\t8\t10.0.0.6\t0", "icmp\t-\t-\t7\t9\tOTH\t-\t1\t1\t1",
       "10.0.0.5->10.0.0.6:0/ICMP"},
      {"fe80::1\t133\tff02::2\t134", "icmp\t-\t-\t-\t-\tOTH\t-\t1\t0\t58",
       "[fe80::1]->[ff02::2]:0/ICMPV6"},
      {"10.0.0.5\t0\t10.0.0.6\t0", "unknown_transport\t-\t-\t-\t-\tOTH\t-\t1\t0\t47",
       "10.0.0.5->10.0.0.6:0/IP-47"},
  };
  for (const auto& c : cases) {
    const auto event = event_of(std::string("1.0\tC1\t") + c.ends + '\t' + c.rest);
    EXPECT_EQ(event.pair, c.pair);
  }
}

TEST(ZeekConn, RefusesBadLinesWithReasonAndPlace) {
  struct Case {
    const char *row, *reason;
  };
  const Case cases[] = {
      {"1.0\tC\t10.0.0.5", "too few columns"},
      {"now\tC\t10.0.0.5\t1\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-",
       "timestamp is not a time between 1970 and 2200"},
      {"-1.0\tC\t10.0.0.5\t1\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-",
       "timestamp is not a time between 1970 and 2200"},
      {"1.0\tC\t10.0.0.500\t1\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-",
       "address does not parse"},
      {"1.0\tC\t10.0.0.5\t1\t10.0.0.6\t65536\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-",
       "port is not a number up to 65535"},
      {"1.0\tC\t10.0.0.5\tx\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-",
       "port is not a number up to 65535"},
      {"1.0\tC\t10.0.0.5\t1\t10.0.0.6\t2\tquux\t-\t-\t-\t-\t-\t-\t-\t-\t-", "unknown protocol"},
  };
  const std::string good = "1.0\tC\t10.0.0.5\t1\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-\n";
  for (const auto& c : cases) {
    const TestFolder folder;
    Kept kept;
    read_paths({folder.write("conn.log", conn(good + c.row + "\n" + good))}, kept);
    EXPECT_EQ(kept.events.size(), 2U) << c.row;
    EXPECT_TRUE(kept.refused(c.reason, "conn.log line 8")) << c.row;
  }
}

TEST(ZeekConn, TakesLinesAsTheyComeFromWindowsAndFromARunningZeek) {
  const TestFolder folder;
  const std::string good = "1.0\tC\t10.0.0.5\t1\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-";
  Kept crlf;
  read_paths({folder.write("a/conn.log", conn(good + "\r\n\r\n" + good + "\r\n"))}, crlf);
  EXPECT_EQ(crlf.events.size(), 2U);
  EXPECT_EQ(crlf.report.refused(), 0U);
  Kept whole;
  read_paths({folder.write("b/conn.log", conn(good + "\n" + good))}, whole);
  EXPECT_EQ(whole.events.size(), 2U);
  Kept partial;
  read_paths({folder.write("c/conn.log", conn(good + "\n1.0\tC\t10."))}, partial);
  EXPECT_EQ(partial.events.size(), 1U);
  EXPECT_TRUE(partial.refused("incomplete last line (still being written?)", "conn.log line 8"));
}

TEST(ZeekConn, RefusesAHugeLineAndGoesOnBehindIt) {
  const TestFolder folder;
  const std::string good = "1.0\tC\t10.0.0.5\t1\t10.0.0.6\t2\ttcp\t-\t-\t-\t-\t-\t-\t-\t-\t-\n";
  const std::string text =
      conn(good + std::string(std::size_t{5} << 20, 'x') + "\n" + good + "bad\n");
  for (const auto& stored : {text, gzip(text)}) {
    Kept kept;
    read_paths({folder.write("conn.log", stored)}, kept);
    EXPECT_EQ(kept.events.size(), 2U);
    EXPECT_TRUE(kept.refused("line longer than 1 MiB", "conn.log line 8"));
    EXPECT_TRUE(kept.refused("too few columns", "conn.log line 10"));
  }
}

TEST(ZeekConn, NamesTheColumnThatIsMissing) {
  const TestFolder folder;
  Kept kept;
  read_paths({folder.write("conn.log", log("conn", "ts\tuid\tid.orig_h\tid.resp_p\tproto",
                                           "1.0\tC\t10.0.0.5\t1\ttcp\n"))},
             kept);
  ASSERT_EQ(kept.report.failed_inputs().size(), 1U);
  EXPECT_NE(kept.report.failed_inputs()[0].second.find("id.resp_h"), std::string::npos);
}

TEST(ZeekConn, FollowsHeadersThatChangeInTheMiddle) {
  const TestFolder folder;
  Kept kept;
  read_paths(
      {folder.write("conn.log", log("conn", "ts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\tuid",
                                    "1.0\t10.0.0.5\t10.0.0.6\t80\ttcp\tC1\n") +
                                    "#close\t2026-11-20-00-00-00\n" +
                                    log("conn", "uid\tproto\tid.resp_p\tid.resp_h\tid.orig_h\tts",
                                        "C2\tudp\t53\t10.0.0.8\t10.0.0.7\t2.0\n"))},
      kept);
  ASSERT_EQ(kept.events.size(), 2U);
  EXPECT_EQ(kept.events[0].pair, "10.0.0.5->10.0.0.6:80/TCP");
  EXPECT_EQ(kept.events[1].pair, "10.0.0.7->10.0.0.8:53/UDP");
}

TEST(ZeekConn, ReadsOtherSeparatorsAndPackedColumns) {
  const TestFolder folder;
  Kept kept;
  read_paths({folder.write("conn.log",
                           "#separator ,\n#unset_field,?\n#path,conn\n#fields,ts,uid,id.orig_h,"
                           "id.resp_h,id.resp_p,proto,orig_bytes\n1.0,C,10.0.0.5,10.0.0.6,80,tcp,"
                           "?\n"),
              folder.write("labelled.log",
                           log("conn",
                               "ts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\torig_bytes   "
                               "label   detailed-label",
                               "2.0\t10.0.0.5\t10.0.0.6\t80\ttcp\t77   Malicious   C&C\n"))},
             kept);
  ASSERT_EQ(kept.events.size(), 2U);
  EXPECT_EQ(kept.events[0].bytes_out, kUnknownBytes);
  EXPECT_EQ(kept.events[1].bytes_out, 77U);
}

std::vector<KeptEvent> read_in_chunks(const std::string& path, std::size_t chunk_bytes) {
  std::vector<KeepingSink> sinks(2);
  FlowSink* const pointers[] = {&sinks[0], &sinks[1]};
  ReadOptions options;
  options.paths = {path};
  Kept kept;
  auto inputs = find_inputs(options.paths, kept.report);
  std::vector<Input*> chosen;
  for (auto& input : inputs)
    chosen.push_back(&input);
  FlowJoin join(options.burst_gap, options.memory_limit);
  read_logs(LogReading{options, pointers, kept.report, join, chunk_bytes}, LogPass::flows, false,
            chosen);
  keep(sinks, kept);
  EXPECT_EQ(kept.report.refused(), 0U);
  return kept.events;
}

RC_GTEST_PROP(ZeekProperty, ChunkBordersAnywhereGiveTheSameEvents, ()) {
  std::string rows;
  const int count = *rc::gen::inRange(1, 30);
  for (int i = 0; i < count; ++i) {
    rows += std::to_string(i + 1) + ".5\t" +
            *rc::gen::container<std::string>(rc::gen::inRange('a', 'z')) + "\t10.0.0." +
            std::to_string(i) + "\t1\t10.0.0.6\t2\ttcp\t-\t-\t5\t-\t-\t-\t-\t-\t-\n";
    if (i % 7 == 3) rows += conn("");
  }
  if (*rc::gen::arbitrary<bool>()) rows.pop_back();
  const TestFolder folder;
  const std::string plain = folder.write("a.log", conn(rows));
  const std::string zipped = folder.write("b.log", gzip(conn(rows)));
  const auto chunk = static_cast<std::size_t>(*rc::gen::inRange(1, 400));
  const auto expected = read_in_chunks(plain, std::size_t{1} << 20);
  RC_ASSERT(expected.size() == static_cast<std::size_t>(count));
  RC_ASSERT(read_in_chunks(plain, chunk) == expected);
  RC_ASSERT(read_in_chunks(zipped, chunk) == expected);
}

RC_GTEST_PROP(ZeekProperty, ColumnsInAnyOrderGiveTheSameEvents, ()) {
  struct Column {
    std::string name;
    std::vector<std::string> values;
  };
  std::vector<Column> columns{{"ts", {"1.25", "2.5"}},
                              {"uid", {"C1", "C2"}},
                              {"id.orig_h", {"10.0.0.5", "2001:db8::1"}},
                              {"id.orig_p", {"50000", "50001"}},
                              {"id.resp_h", {"203.0.113.9", "2001:db8::2"}},
                              {"id.resp_p", {"443", "53"}},
                              {"proto", {"tcp", "udp"}},
                              {"duration", {"0.5", "-"}},
                              {"orig_bytes", {"1", "-"}},
                              {"resp_bytes", {"2", "0"}},
                              {"conn_state", {"SF", "S0"}},
                              {"history", {"ShADadFf", "D"}},
                              {"surplus", {"x", "(empty)"}},
                              {"another", {"-", "y"}}};
  const auto write = [](const TestFolder& folder, const std::vector<Column>& order) {
    std::string names, rows;
    for (const auto& column : order)
      names += (names.empty() ? "" : "\t") + column.name;
    for (std::size_t row = 0; row < 2; ++row) {
      std::string line;
      for (const auto& column : order)
        line += (line.empty() ? "" : "\t") + column.values[row];
      rows += line + '\n';
    }
    return folder.write("conn.log", log("conn", names, rows));
  };
  const TestFolder a, b;
  const auto expected = read_in_chunks(write(a, columns), 4096);
  RC_ASSERT(expected.size() == 2U);
  for (std::size_t i = columns.size() - 1; i > 0; --i) {
    std::swap(columns[i],
              columns[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(i) + 1))]);
  }
  RC_ASSERT(read_in_chunks(write(b, columns), 4096) == expected);
}

}  // namespace
}  // namespace beaconry
