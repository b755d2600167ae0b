// What `beaconry hunt` takes, and that the way it is given does not change what is found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "cli/folder.h"
#include "cli/program.h"
#include "cli/traffic.h"

namespace beaconry::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// conn.log without names: one address pair for each of the rotating implant's hosts.
const std::string& network_log() {
  static const std::string log = conn_log(small_network());
  return log;
}

TEST(HuntInput, FindsTheImplantsAndNoPerson) {
  const TestFolder folder;
  const auto found = hunt_all({folder.write("conn.log", network_log())}).beacons();
  EXPECT_THAT(found, Contains(kImplant));
  EXPECT_THAT(found, Contains(kQuickImplant));
  for (const std::string& key : found)
    EXPECT_THAT(key, Not(HasSubstr("10.0.0.2"))) << "a person";
}

TEST(HuntInput, IsTheSamePlainCompressedOrPipedInUnderAnyName) {
  const TestFolder folder;
  const std::string plain = hunt_all({folder.write("conn.log", network_log())}).text();
  EXPECT_EQ(plain, hunt_all({folder.write("a.bin", network_log())}).text());
  EXPECT_EQ(plain, hunt_all({folder.write("conn.log.gz", gzip(network_log()))}).text());
  EXPECT_EQ(plain, hunt_all({folder.write("zipped", gzip(network_log()))}).text());
  EXPECT_EQ(plain, hunt_all({folder.write("conn.log.zst", zstd(network_log()))}).text());
  EXPECT_EQ(plain, hunt_all({"-"}, {network_log(), {}, {}, {}}).text());
  EXPECT_EQ(plain, hunt_all({"-"}, {gzip(network_log()), {}, {}, {}}).text());
  EXPECT_EQ(plain, hunt_all({"-"}, {zstd(network_log()), {}, {}, {}}).text());
}

TEST(HuntInput, IsTheSameAsJson) {
  const TestFolder folder;
  const auto network = small_network();
  EXPECT_EQ(hunt_all({folder.write("conn.log", network_log())}).text(),
            hunt_all({folder.write("conn.json", conn_json(network))}).text());
}

TEST(HuntInput, IsTheSameWithExtraReorderedAndWithoutOptionalColumns) {
  const TestFolder folder;
  const auto network = small_network();
  std::string reordered = zeek_header(
      "conn",
      "proto\tnovel\tid.resp_p\tid.resp_h\tuid\tid.orig_p\tid.orig_h\tresp_bytes\torig_bytes\tts");
  std::string least = zeek_header("conn", "ts\tid.orig_h\tid.resp_h\tid.resp_p\tproto");
  for (const Connection& c : network) {
    const std::string time = conn_row(c).substr(0, 17), port = std::to_string(c.port);
    reordered += c.protocol + "\t(empty)\t" + port + '\t' + c.destination + '\t' + c.uid + '\t' +
                 std::to_string(c.source_port) + '\t' + c.source + '\t' + c.bytes_in + '\t' +
                 c.bytes_out + '\t' + time + '\n';
    least += time + '\t' + c.source + '\t' + c.destination + '\t' + port + '\t' + c.protocol + '\n';
  }
  const auto whole = hunt_all({folder.write("conn.log", network_log())});
  EXPECT_EQ(whole.beacons(), hunt_all({folder.write("reordered.log", reordered)}).beacons());
  const auto without = hunt_all({folder.write("least.log", least)});
  EXPECT_THAT(without.beacons(), Contains(kImplant));
  const auto& pair = without.pair(kImplant);
  EXPECT_TRUE(pair.at("bytes_out").is_null()) << "unknown, not zero";
  EXPECT_TRUE(pair.at("bytes_in").is_null());
  EXPECT_THAT(pair.at("uids"), testing::IsEmpty());
}

TEST(HuntInput, SaysWhichColumnIsMissing) {
  const TestFolder folder;
  std::string log = zeek_header("conn", "ts\tid.orig_h\tid.resp_h\tproto");
  log += "1795168800.0\t10.0.0.5\t203.0.113.9\ttcp\n";
  const Ran ran = beaconry({"hunt", folder.write("conn.log", log)});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("no id.resp_p"));
  EXPECT_THAT(ran.err, HasSubstr("conn.log line 7"));
}

// stratosphere's labelled logs: the last column's name packs three, and so do the values.
TEST(HuntInput, TakesLabelledLogsWithAPackedLastColumn) {
  const TestFolder folder;
  std::string log = network_log();
  std::string labelled;
  for (std::size_t at = 0; at < log.size();) {
    const std::size_t end = log.find('\n', at);
    const std::string line = log.substr(at, end - at);
    labelled += line;
    if (line.rfind("#fields", 0) == 0) labelled += "\ttunnel_parents   label   detailed-label";
    if (line[0] != '#') labelled += "\t-   Malicious   C&C-HeartBeat";
    labelled += '\n';
    at = end + 1;
  }
  EXPECT_EQ(hunt_all({folder.write("conn.log", log)}).text(),
            hunt_all({folder.write("conn.log.labeled", labelled)}).text());
}

TEST(HuntInput, JoinsTheLogsOfAFolder) {
  const TestFolder folder;
  const auto network = small_network();
  folder.write("day/conn.log", network_log());
  folder.write("day/ssl.log", ssl_log(network));
  folder.write("day/weird.log", zeek_header("weird", "ts\tname") + "1795168800.0\tbad_checksum\n");
  folder.write("day/dhcp.log",
               zeek_header("dhcp", "ts\tuids\tclient_addr\tassigned_addr\thost_name") +
                   "1795168700.0\tCd1\t10.0.0.13\t10.0.0.13\tpc7\n");
  folder.write(
      "day/http.log",
      zeek_header("http",
                  "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_depth\t"
                  "method\thost\turi") +
          [&] {
            std::string rows;
            for (const Connection& c : network) {
              if (c.port != 8443) continue;
              rows += conn_row(c).substr(0, 17) + '\t' + c.uid + '\t' + c.source + '\t' +
                      std::to_string(c.source_port) + '\t' + c.destination +
                      "\t8443\t1\tCONNECT\tproxy.example\tc2.tunnel.example:443\n";
            }
            return rows;
          }());
  folder.write("day/dns.log",
               zeek_header("dns",
                           "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\t"
                           "query\tqtype_name\tanswers") +
                   "1795168790.0\tCq1\t10.0.0.13\t5353\t10.0.0.1\t53\tudp\t7\tcdn.evil.example\tA\t"
                   "203.0.113.50\n");
  const Hunted hunted = hunt_all({folder / "day"});
  EXPECT_THAT(hunted.beacons(), Contains(kNamedImplant));
  const auto& implant = hunted.pair(kImplant);
  EXPECT_EQ(implant.at("src_name"), "pc7");
  EXPECT_EQ(implant.at("dst_name"), "cdn.evil.example");
  EXPECT_TRUE(implant.at("server_name").is_null()) << "DNS only says what it may have been";
  EXPECT_THAT(hunted.beacons(), Contains("10.0.0.14->c2.tunnel.example:8443/TCP"));
  EXPECT_FALSE(hunted.ran.told("Refused")) << hunted.ran.err;
}

TEST(HuntInput, MergesRotatedLogsAndFoldersOfDays) {
  const TestFolder folder;
  const auto network = small_network();
  const std::string whole = hunt_all({folder.write("one/conn.log", network_log())}).text();
  const auto half = network.begin() + static_cast<std::ptrdiff_t>(network.size() / 2);
  const std::string first = conn_log({network.begin(), half});
  const std::string second = conn_log({half, network.end()});
  folder.write("rotated/conn.10:00:00-11:00:00.log.gz", gzip(first));
  folder.write("rotated/conn.11:00:00-12:00:00.log.gz", gzip(second));
  EXPECT_EQ(whole, hunt_all({folder / "rotated"}).text());
  folder.write("2026-11-20/conn.log", first);
  folder.write("2026-11-21/conn.log", second);
  EXPECT_EQ(whole, hunt_all({folder / "2026-11-20", folder / "2026-11-21"}).text());
  EXPECT_EQ(whole, hunt_all({folder / "2026-11-21", folder / "2026-11-20"}).text());
}

TEST(HuntInput, ReadsAFileOnceHoweverOftenItIsNamed) {
  const TestFolder folder;
  const std::string log = folder.write("day/conn.log", network_log());
  std::filesystem::create_symlink("conn.log", folder / "day/current.log");
  const std::string once = hunt_all({log}).text();
  const Hunted twice = hunt_all({log, folder / "day", folder / "./day/../day/conn.log"});
  EXPECT_EQ(once, twice.text());
  EXPECT_THAT(twice.ran.err, HasSubstr("the same file as an earlier input"));
}

TEST(HuntInput, ReadsStandardInputOnceHoweverOftenItIsNamed) {
  const Surroundings piped{network_log(), {}, {}, {}};
  const Hunted twice = hunt_all({"-", "-"}, piped);
  EXPECT_EQ(hunt_all({"-"}, piped).text(), twice.text());
  EXPECT_THAT(twice.ran.err, HasSubstr("the same file as an earlier input"));
}

TEST(HuntInput, EndsInALoopOfFolders) {
  const TestFolder folder;
  const std::string log = folder.write("day/conn.log", network_log());
  std::filesystem::create_directory_symlink("..", folder / "day/up");
  EXPECT_EQ(hunt_all({log}).text(), hunt_all({folder / "day"}).text());
}

TEST(HuntInput, TakesSuricatasEveLog) {
  const TestFolder folder;
  const auto network = small_network();
  folder.write("zeek/conn.log", network_log());
  folder.write("zeek/ssl.log", ssl_log(network));
  const Hunted zeek = hunt_all({folder / "zeek"});
  const Hunted eve = hunt_all({folder.write("eve.json", eve_json(network))});
  EXPECT_EQ(zeek.beacons(), eve.beacons());
  EXPECT_EQ(eve.pair(kNamedImplant).at("dst_ips").size(), 5U);
  EXPECT_EQ(eve.pair(kImplant).at("bytes_out"), zeek.pair(kImplant).at("bytes_out"));
}

TEST(HuntInput, CountsAnOpenConnectionThatLaterClosedOnce) {
  const TestFolder folder;
  const auto network = small_network();
  Connections open = network;
  for (Connection& c : open)
    c.duration = 0.1;
  const auto& half = network.begin() + static_cast<std::ptrdiff_t>(network.size() / 2);
  folder.write("both/conn.log", conn_log({network.begin(), half}));
  folder.write("both/open_conn.log", conn_log(open, "open_conn"));
  const std::string log = folder.write("conn.log", network_log());
  EXPECT_EQ(hunt_all({log}).pair(kImplant).at("check_ins"),
            hunt_all({folder / "both"}).pair(kImplant).at("check_ins"));
}

// The simulator writes one traffic in all formats. A capture tells packets, a log connections;
// nothing in this traffic makes that a difference, so all agree to the last beacon.
TEST(HuntInput, FindsTheSameBeaconsInLogJsonPcapAndPcapng) {
  const TestFolder folder;
  for (const char* format : {"zeek", "zeek-json", "pcap"}) {
    const Ran ran = beaconry({"simulate", "--preset", "demo", "--seed", "7", "--hours", "0.25",
                              "--format", format, "--out", folder / format});
    ASSERT_EQ(ran.status, 0) << ran.err;
  }
  const std::string capture = read_file(folder / "pcap/traffic.pcap");
  folder.write("traffic.pcapng", pcapng_of(capture));
  const Hunted zeek = hunt_all({folder / "zeek"});
  const auto beacons = zeek.beacons();
  EXPECT_GE(beacons.size(), 2U);
  EXPECT_EQ(zeek.text(), hunt_all({folder / "zeek-json"}).text());
  const Hunted pcap = hunt_all({folder / "pcap/traffic.pcap"});
  EXPECT_EQ(beacons, pcap.beacons());
  EXPECT_EQ(pcap.text(), hunt_all({folder / "traffic.pcapng"}).text());
  EXPECT_EQ(pcap.text(), hunt_all({"-"}, {capture, {}, {}, {}}).text());
  // What the truth calls malicious is among them.
  const auto truth = nlohmann::json::parse(read_file(folder / "zeek/truth.json"));
  for (const auto& pair : truth.at("pairs")) {
    if (pair.at("label") != "malicious") continue;
    const auto key = pair.at("pair_key").get<std::string>();
    EXPECT_TRUE(zeek.pair(key).at("is_beacon").get<bool>()) << key;
    EXPECT_TRUE(pcap.pair(key).at("is_beacon").get<bool>()) << key;
  }
}

TEST(HuntInput, CountsTheConnectionsOfACapture) {
  const TestFolder folder;
  ASSERT_EQ(beaconry({"simulate", "--preset", "demo", "--hours", "0.05", "--format", "pcap",
                      "--out", folder.path()})
                .status,
            0);
  const Ran ran = beaconry({"hunt", folder / "traffic.pcap"});
  EXPECT_THAT(ran.out, Not(HasSubstr(" 0 connections")));
}

TEST(HuntInput, FindsAnInboundBeaconAndTakesInternalNetworksFromTheUser) {
  const TestFolder folder;
  Connection c{};
  c.source = "203.0.113.99", c.destination = "10.0.0.30", c.port = 4444;
  const std::string log = folder.write("conn.log", conn_log(merged({every(50, 60, 100, c)})));
  const std::string key = "203.0.113.99->10.0.0.30:4444/TCP";
  EXPECT_EQ(hunt_all({log}).pair(key).at("inbound"), true);
  EXPECT_EQ(hunt_all({log, "--internal", "203.0.113.0/24"}).pair(key).at("inbound"), false);
  EXPECT_EQ(beaconry({"hunt", log, "--internal", "203.0.113.0/99"}).status, 2);
}

TEST(Simulate, GivesTheSameTrafficForTheSameSeedOnly) {
  const TestFolder folder;
  const auto simulated = [&](const char* seed, const char* name) {
    EXPECT_EQ(beaconry({"simulate", "--preset", "demo", "--hours", "0.1", "--seed", seed, "--out",
                        folder / name})
                  .status,
              0);
    return read_file(folder / std::string(name) + "/conn.log");
  };
  const std::string first = simulated("3", "a");
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(first, simulated("3", "b"));
  EXPECT_NE(first, simulated("4", "c"));
}

TEST(Simulate, RefusesWhatItDoesNotKnow) {
  const TestFolder folder;
  const std::string out = folder / "x";
  EXPECT_EQ(beaconry({"simulate", "--out", out, "--preset", "nonesuch"}).status, 2);
  EXPECT_EQ(beaconry({"simulate", "--out", out, "--format", "xml"}).status, 2);
  const Ran implant = beaconry({"simulate", "--out", out, "--implants", "cobalt-strik:60s"});
  EXPECT_EQ(implant.status, 2);
  EXPECT_THAT(implant.err, HasSubstr("cobalt-strik"));
  EXPECT_EQ(beaconry({"simulate", "--out", out, "--hours", "-1"}).status, 2);
  EXPECT_EQ(beaconry({"simulate", "--out", out, "--hours", "nan"}).status, 2);
  EXPECT_EQ(beaconry({"simulate", "--out", out, "--seed=-1"}).status, 2);
  EXPECT_EQ(beaconry({"simulate", "--out", "/dev/null/x", "--hours", "0.1"}).status, 1);
}

}  // namespace
}  // namespace beaconry::cli
