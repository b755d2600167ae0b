// Whatever the input holds: no crash, no silence, and what could be read is scored.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/folder.h"
#include "cli/program.h"
#include "cli/traffic.h"

namespace beaconry::cli {
namespace {

using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

const std::string& network_log() {
  static const std::string log = conn_log(small_network());
  return log;
}

// `log` with `line` before its row `k`.
std::string with_line(const std::string& log, int k, const std::string& line) {
  std::string text = log;
  return text.insert(row_at(log, k), line + '\n');
}

std::string row(const std::string& time, const std::string& source = "10.0.0.5",
                const std::string& port = "443") {
  return time + "\tCx\t" + source + "\t50000\t203.0.113.9\t" + port +
         "\ttcp\t-\t1.0\t10\t10\tSF\tShADadFf\t6\t5";
}

TEST(BadInput, ScoresWhatATruncatedGzipHeldAndNamesTheByte) {
  const TestFolder folder;
  const std::string zipped = gzip(network_log());
  const std::string half =
      folder.write("conn.log.gz", std::string_view(zipped).substr(0, zipped.size() * 9 / 10));
  const Hunted hunted = hunt_all({half});
  EXPECT_THAT(hunted.beacons(), Contains(kImplant));
  EXPECT_THAT(hunted.ran.err, ContainsRegex("conn.log.gz.*truncated at byte [0-9]+"));
  const std::string zst = zstd(network_log());
  const Ran cut = beaconry({"hunt", folder.write("a.zst", std::string_view(zst).substr(0, 50))});
  EXPECT_EQ(cut.status, 3);
  EXPECT_THAT(cut.err, HasSubstr("a.zst"));
}

TEST(BadInput, ScoresWhatACorruptGzipHeldBeforeTheDamage) {
  const TestFolder folder;
  std::string zipped = gzip(network_log());
  zipped[zipped.size() * 9 / 10] ^= '\x55';
  const Hunted hunted = hunt_all({folder.write("conn.log.gz", zipped)});
  EXPECT_THAT(hunted.beacons(), Contains(kImplant));
  EXPECT_THAT(hunted.ran.err, ContainsRegex("gzip data is corrupt.* at byte [0-9]+"));
}

TEST(BadInput, ScoresWhatATruncatedPcapHeldAndNamesThePacket) {
  const TestFolder folder;
  ASSERT_EQ(beaconry({"simulate", "--preset", "demo", "--hours", "0.25", "--format", "pcap",
                      "--out", folder.path()})
                .status,
            0);
  const std::string whole = read_file(folder / "traffic.pcap");
  const std::string_view cut = std::string_view(whole).substr(0, whole.size() - 5);
  const Hunted pcap = hunt_all({folder.write("cut.pcap", cut)});
  EXPECT_GE(pcap.beacons().size(), 1U);
  EXPECT_THAT(pcap.ran.err, ContainsRegex("capture ends inside a packet.*cut.pcap packet [0-9]+"));
  const std::string next = pcapng_of(whole);
  const Hunted pcapng =
      hunt_all({folder.write("cut.pcapng", std::string_view(next).substr(0, next.size() - 5))});
  EXPECT_GE(pcapng.beacons().size(), 1U);
  EXPECT_THAT(pcapng.ran.err, HasSubstr("cut.pcapng"));
  // Sizes that no packet has, in the middle.
  std::string broken = whole;
  broken.replace(broken.size() / 2, 64, std::string(64, '\xff'));
  EXPECT_EQ(hunt_all({folder.write("broken.pcap", broken)}).ran.status, 0);
  // Only the file's header.
  EXPECT_EQ(beaconry({"hunt", folder.write("none.pcap", whole.substr(0, 24))}).status, 3);
}

TEST(BadInput, RefusesGarbageWithStatusThree) {
  const TestFolder folder;
  std::string garbage;
  Dice dice(5);
  for (int i = 0; i < 100'000; ++i)
    garbage += dice.byte();
  const Ran ran = beaconry({"hunt", folder.write("garbage", garbage)});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("garbage: not a capture or a known log"));
  EXPECT_EQ(beaconry({"hunt", "-"}, {garbage, {}, {}, {}}).status, 3);
  EXPECT_EQ(beaconry({"hunt", "-"}).status, 3) << "empty standard input";
  EXPECT_EQ(beaconry({"hunt", folder.write("empty", "")}).status, 3);
  EXPECT_EQ(beaconry({"hunt", folder.write("zeros", std::string(100'000, '\0'))}).status, 3);
  EXPECT_EQ(beaconry({"hunt", folder.write("text", "hello\n")}).status, 3);
}

TEST(BadInput, RefusesGarbageInTheMiddleOfALogAndScoresTheRest) {
  const TestFolder folder;
  std::string garbage;
  Dice dice(6);
  for (int i = 0; i < 5000; ++i)
    garbage += dice.byte();
  const Hunted clean = hunt_all({folder.write("conn.log", network_log())});
  const Hunted hunted = hunt_all({folder.write("b.log", with_line(network_log(), 300, garbage))});
  EXPECT_EQ(clean.text(), hunted.text());
  EXPECT_THAT(hunted.ran.err, HasSubstr("too few columns"));
  EXPECT_THAT(hunted.ran.err, HasSubstr("b.log line 307"));
}

TEST(BadInput, NamesCountPlaceAndReasonOfTheFirstOfEachKind) {
  const TestFolder folder;
  std::string log = network_log();
  // From the back, so that earlier rows keep their numbers. Six lines of header go before.
  log = with_line(log, 90, row("1795168800.0", "not-an-address"));
  log = with_line(log, 80, row("1795168800.0", "10.0.0.256"));
  log = with_line(log, 70, row("1795168800.0", "10.0.0.5", "70000"));
  log = with_line(log, 60, row("yesterday"));
  log = with_line(log, 50, row("-1795168800.5"));
  log = with_line(log, 40, row("99999999999.0"));
  log = with_line(log, 30, "1795168800.0\tshort");
  const Hunted clean = hunt_all({folder.write("conn.log", network_log())});
  const Hunted hunted = hunt_all({folder.write("bad.log", log)});
  EXPECT_EQ(clean.text(), hunted.text());
  EXPECT_THAT(hunted.ran.err, HasSubstr("Refused 7 lines, packets or files"));
  EXPECT_THAT(hunted.ran.err, ContainsRegex("timestamp is not a time[^(]*\\(3; first: [^;]*"
                                            "bad.log line 48\\)"));
  EXPECT_THAT(hunted.ran.err, ContainsRegex("address does not parse \\(2; first: [^;]*"
                                            "bad.log line 92\\)"));
  EXPECT_THAT(hunted.ran.err, ContainsRegex("port is not a number up to 65535 \\(1; first: [^;]*"
                                            "bad.log line 81\\)"));
  EXPECT_THAT(hunted.ran.err, ContainsRegex("too few columns \\(1; first: [^;]*"
                                            "bad.log line 37\\)"));
}

TEST(BadInput, TakesLateEventsAsIfTheyHadComeInOrder) {
  const TestFolder folder;
  auto network = small_network();
  const std::string ordered = hunt_all({folder.write("conn.log", conn_log(network))}).text();
  Dice dice(9);
  for (std::size_t i = network.size() - 1; i > 0; --i)
    std::swap(network[i],
              network[static_cast<std::size_t>(dice.between(0, static_cast<double>(i) + 0.999))]);
  EXPECT_EQ(ordered, hunt_all({folder.write("late.log", conn_log(network))}).text());
}

TEST(BadInput, SurvivesTimesThatJump) {
  const TestFolder folder;
  std::string log = network_log();
  log = with_line(log, 400, row("0.000001"));
  log = with_line(log, 300, row("7258118399.0"));
  log = with_line(log, 200, row("1795168800.0000000000000001"));
  log = with_line(log, 100, row("0"));
  const Hunted hunted = hunt_all({folder.write("conn.log", log)});
  EXPECT_THAT(hunted.beacons(), Contains(kImplant));
}

TEST(BadInput, SurvivesSizesThatNoConnectionHas) {
  const TestFolder folder;
  auto network = small_network();
  const char* const sizes[] = {
      "0",   "-5",      "-", "18446744073709551615", "99999999999999999999999", "1e9",
      "nan", "(empty)", ""};
  std::size_t k = 0;
  for (Connection& c : network) {
    if (c.source != "10.0.0.13") continue;
    c.bytes_out = sizes[k++ % std::size(sizes)];
    c.bytes_in = sizes[k * 5 % std::size(sizes)];
    c.duration = k % 3 == 0 ? -7 : 1e300;
  }
  const Hunted hunted = hunt_all({folder.write("conn.log", conn_log(network))});
  EXPECT_THAT(hunted.beacons(), Contains(kImplant)) << "its rhythm is what it was";
  const auto& score = hunted.pair(kImplant).at("combined_score");
  EXPECT_TRUE(score.is_number());
  EXPECT_LE(score, 1.0);
  for (Connection& c : network)
    c.bytes_out = c.bytes_in = "0";
  EXPECT_THAT(hunt_all({folder.write("zero.log", conn_log(network))}).beacons(),
              Contains(kImplant));
}

TEST(BadInput, SurvivesDuplicateUids) {
  const TestFolder folder;
  auto network = small_network();
  const std::string before = hunt_all({folder.write("conn.log", conn_log(network))}).text();
  for (Connection& c : network)
    c.uid = "CSame";
  folder.write("day/conn.log", conn_log(network));
  folder.write("day/ssl.log", ssl_log(network));
  const Hunted hunted = hunt_all({folder / "day"});
  EXPECT_EQ(hunted.ran.status, 0);
  EXPECT_FALSE(hunted.pairs.empty());
  // Without names there is nothing to join: only the uids shown are others.
  EXPECT_THAT(hunt_all({folder / "day/conn.log"}).beacons(), Contains(kImplant));
}

// A server name comes from the attacker. Zeek escapes what it logs, others need not.
TEST(BadInput, WritesNoControlCharacterOfANameAnywhere) {
  const TestFolder folder;
  auto network = small_network();
  const std::string evil =
      "a\x1b[31m\x1b]0;owned\x07\xc2\x9b"
      "2J\xff\xfe<script>\"',\x7f.example";
  for (Connection& c : network) {
    if (c.source == "10.0.0.13") c.server_name = evil;
    if (c.source == "10.0.0.14") c.server_name = "=cmd|'/c calc'!A0";
  }
  folder.write("day/conn.log", conn_log(network));
  folder.write("day/ssl.log", ssl_log(network));
  folder.write("day/dhcp.log",
               zeek_header("dhcp", "ts\tuids\tclient_addr\tassigned_addr\thost_name") +
                   "1795168700.0\tCd1\t10.0.0.13\t10.0.0.13\tpc\x1b[2J7\n");
  const std::string page = folder / "r.html";
  for (const char* format : {"table", "csv", "ndjson", "json"}) {
    const Ran ran =
        beaconry({"hunt", folder / "day", "--all", "--format", format, "--report", page});
    EXPECT_EQ(ran.status, 0);
    EXPECT_TRUE(ran.printed("31m")) << format << ": the name is not there at all";
    EXPECT_TRUE(is_harmless(ran.out)) << format;
    EXPECT_TRUE(is_harmless(ran.err)) << format;
    EXPECT_THAT(ran.out, Not(HasSubstr("\n=cmd"))) << format;
    EXPECT_THAT(ran.out, Not(HasSubstr(",=cmd"))) << format;
  }
  const std::string html = read_file(page);
  EXPECT_TRUE(is_harmless(html));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  const Ran explained = beaconry({"hunt", folder / "day", "--explain", kImplant});
  EXPECT_EQ(explained.status, 0);
  EXPECT_TRUE(is_harmless(explained.out));
  // A file's name is foreign text too.
  const Ran named = beaconry({"hunt", folder.write("\x1b[31mlog", "garbage")});
  EXPECT_EQ(named.status, 3);
  EXPECT_TRUE(is_harmless(named.err));
  EXPECT_TRUE(is_harmless(beaconry({"hunt", folder / "\x1b[31mnone"}).err));
}

TEST(BadInput, ReadsTheRestWhenOneInputCannotBeRead) {
  const TestFolder folder;
  const std::string log = folder.write("conn.log", network_log());
  std::filesystem::create_symlink("gone", folder / "dangling");
  const std::string before = hunt_all({log}).text();
  // /proc/self/mem opens and then fails to be read, as a file on a disk that breaks.
  const Hunted hunted = hunt_all({folder / "none", folder / "dangling", "/proc/self/mem", log});
  EXPECT_EQ(before, hunted.text());
  for (const char* name : {"none", "dangling", "/proc/self/mem"})
    EXPECT_THAT(hunted.ran.err, HasSubstr(name));
  const Ran alone = beaconry({"hunt", folder / "dangling"});
  EXPECT_EQ(alone.status, 3);
  EXPECT_THAT(alone.err, HasSubstr("No such file"));
}

TEST(BadInput, SaysThatALogOfAQuietHourHoldsNoConnections) {
  const TestFolder folder;
  const Ran quiet = beaconry({"hunt", folder.write("conn.log", conn_log({}))});
  EXPECT_EQ(quiet.status, 3);
  EXPECT_THAT(quiet.err, HasSubstr("the inputs hold no connections"));
}

TEST(BadInput, SaysWhatAFolderWithoutLogsHolds) {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "empty");
  const Ran empty = beaconry({"hunt", folder / "empty"});
  EXPECT_EQ(empty.status, 3);
  EXPECT_THAT(empty.err, HasSubstr("the folder is empty"));
  folder.write("other/readme.txt", "hello\n");
  const Ran other = beaconry({"hunt", folder / "other"});
  EXPECT_EQ(other.status, 3);
  EXPECT_THAT(other.err, HasSubstr("readme.txt"));
}

TEST(BadInput, ScoresWhatAPipeGaveBeforeItsWriterDied) {
  const TestFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string half = network_log().substr(0, network_log().size() * 9 / 10);
  std::thread writer([&] {
    const int fd = open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
    for (std::size_t at = 0; at < half.size();) {
      const ssize_t wrote = write(fd, half.data() + at, half.size() - at);
      if (wrote <= 0) break;
      at += static_cast<std::size_t>(wrote);
    }
    close(fd);
  });
  const Hunted hunted = hunt_all({pipe});
  writer.join();
  EXPECT_THAT(hunted.beacons(), Contains(kImplant));
  EXPECT_THAT(hunted.ran.err, HasSubstr("incomplete last line"));
  // In a folder nobody asked for it, and to open it could block for ever.
  folder.write("conn.log", network_log());
  EXPECT_THAT(hunt_all({folder.path()}).ran.err, HasSubstr("not a regular file"));
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif
constexpr long kMegabyte = 1024;  // in the kilobytes of wait4()

TEST(BadInput, HoldsNoMoreThanAPartOfALineOf100Megabytes) {
  const TestFolder folder;
  const std::string log = network_log();
  const Hunted before = hunt_all({folder.write("conn.log", log)});
  const auto at = static_cast<std::ptrdiff_t>(row_at(log, 100));
  const auto write_long = [&](const char* name, std::string_view begin, std::string_view end) {
    std::ofstream out(folder / name, std::ios::binary);
    out << begin;
    const std::string megabyte(1U << 20, 'x');
    for (int i = 0; i < 100; ++i)
      out << megabyte;
    out << end;
    return folder / name;
  };
  const std::string_view view(log);
  const auto split = static_cast<std::size_t>(at);
  const std::string path = write_long("long.log", view.substr(0, split), "\n" + log.substr(split));
  const auto bounded = [&](const Ran& ran) {
    EXPECT_TRUE(kSanitized || ran.peak_kilobytes < before.ran.peak_kilobytes + 32 * kMegabyte)
        << ran.peak_kilobytes << " KB, for the short log " << before.ran.peak_kilobytes;
  };
  const Hunted piped = hunt_all({"-"}, {{}, {}, {}, path});
  EXPECT_EQ(before.text(), piped.text());
  EXPECT_THAT(piped.ran.err, HasSubstr("line longer than 1 MiB"));
  EXPECT_THAT(piped.ran.err, HasSubstr("line 107"));
  bounded(piped.ran);
  const Hunted read = hunt_all({path});
  EXPECT_EQ(before.text(), read.text());
  bounded(read.ran);
  const Ran json = beaconry({"hunt", write_long("long.json", "{\"ts\":\"", "")});
  EXPECT_EQ(json.status, 3);
  bounded(json);
  bounded(beaconry({"hunt", write_long("bare", "", "")}));
}

TEST(BadInput, StaysWithinItsMemoryAndSaysWhatItLeftOut) {
  const TestFolder folder;
  std::vector<Connections> parts{small_network()};
  Connections many;
  Dice dice(11);
  for (int i = 0; i < (kSanitized ? 60'000 : 200'000); ++i) {
    Connection c{};
    c.time += dice.between(0, 14'000);
    c.source = "10.1." + std::to_string(i % 250) + '.' + std::to_string(i / 250 % 250);
    c.destination = "100.64." + std::to_string(i / 1000) + '.' + std::to_string(i % 251);
    many.push_back(c);
  }
  parts.push_back(std::move(many));
  const std::string log = folder.write("conn.log", conn_log(merged(std::move(parts))));
  const Ran ran =
      beaconry({"hunt", log, "--memory", kSanitized ? "3MB" : "20MB", "--format", "csv"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, HasSubstr(kImplant)) << "what has many check-ins stays";
  EXPECT_THAT(ran.err, HasSubstr("memory"));
  if (!kSanitized) {
    EXPECT_LT(ran.peak_kilobytes, 100 * kMegabyte);
    const Ran unbounded = beaconry({"hunt", log, "--format", "csv"});
    EXPECT_LT(ran.peak_kilobytes, unbounded.peak_kilobytes);
    EXPECT_THAT(unbounded.err, Not(HasSubstr("evicted")));
  }
}

TEST(BadInput, IsReadTheSameByOneTwoAndFourThreads) {
  const TestFolder folder;
  const auto network = small_network();
  folder.write("day/conn.log", network_log());
  folder.write("day/ssl.log", ssl_log(network));
  const std::string one = hunt_all({folder / "day", "--threads", "1"}).text();
  EXPECT_EQ(one, hunt_all({folder / "day", "--threads", "2"}).text());
  EXPECT_EQ(one, hunt_all({folder / "day", "--threads", "4"}).text());
  EXPECT_EQ(beaconry({"hunt", folder / "day", "--threads", "0"}).status, 2);
}

}  // namespace
}  // namespace beaconry::cli
