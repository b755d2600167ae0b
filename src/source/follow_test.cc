// Logs that grow, are rotated and followed over restarts: real files in a folder of the test's own.
#include "source/follow.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "source/test_support.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

const char* const kConnFields =
    "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes";
const char* const kSslFields = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tserver_name";

std::string header(const std::string& path, const std::string& fields, int opened) {
  return "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t" +
         path + "\n#open\t2026-11-21-10-" + std::to_string(1000 + opened) + "\n#fields\t" + fields +
         '\n';
}

std::string ends_of(int flow) {
  return "10.0.0." + std::to_string(flow % 200 + 1) + '\t' + std::to_string(20'000 + flow) +
         "\t203.0.113.9\t443";
}

std::string tsv_conn(int flow) {
  return std::to_string(1'700'000'000 + flow * 7) + ".5\tC" + std::to_string(flow) + '\t' +
         ends_of(flow) + "\ttcp\t0.5\t" + std::to_string(100 + flow) + "\t2000\n";
}

std::string tsv_ssl(int flow) {
  return std::to_string(1'700'000'000 + flow * 7) + ".6\tC" + std::to_string(flow) + '\t' +
         ends_of(flow) + "\thost" + std::to_string(flow % 5) + ".example\n";
}

std::string json_flow(int flow) {
  const auto number = std::to_string(flow);
  return R"({"timestamp":"2026-11-21T10:00:00.000000+0000","flow_id":)" + number +
         R"(,"event_type":"flow","src_ip":"10.0.0.5","src_port":)" + std::to_string(1024 + flow) +
         R"(,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","flow":{"bytes_toserver":)" +
         number + R"(,"bytes_toclient":900,"start":"2026-11-21T09:59:59.000000+0000"}})" + '\n';
}

std::string json_tls(int flow) {
  return R"({"timestamp":"2026-11-21T09:59:59.100000+0000","flow_id":)" + std::to_string(flow) +
         R"(,"event_type":"tls","src_ip":"10.0.0.5","src_port":)" + std::to_string(1024 + flow) +
         R"(,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","tls":{"sni":"h)" +
         std::to_string(flow % 5) + R"(.example"}})" + '\n';
}

void append(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::app)
      .write(text.data(), static_cast<std::streamsize>(text.size()));
}

Timestamp at(int second) {
  return Timestamp{std::chrono::seconds{1'800'000'000 + second}};
}

FollowOptions source(const std::string& text) {
  auto options = parse_follow_source(text);
  EXPECT_TRUE(options);
  return *options;
}

// A collector: keeps events with the checkpoint behind them, and may be killed between.
class Reader {
 public:
  explicit Reader(FollowOptions options) : options_(std::move(options)) { open(); }

  void open() {
    auto opened = LogFollower::open(options_, checkpoint_);
    ASSERT_TRUE(opened) << opened.error().message();
    follower = std::move(*opened);
    fresh_ = KeepingSink();
  }
  void poll() {
    while (follower->poll(fresh_, at(now))) {
    }
  }
  void save() {
    checkpoint_ = follower->checkpoint();
    kept.insert(kept.end(), fresh_.events.begin(), fresh_.events.end());
    fresh_ = KeepingSink();
  }
  void kill() {
    follower.reset();
    open();
  }
  // Until nothing more can come of what is there.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      poll();
      now += 11;
    }
    poll();
    save();
    std::sort(kept.begin(), kept.end());
  }

  std::unique_ptr<LogFollower> follower;
  std::vector<KeptEvent> kept;
  int now = 0;

 private:
  FollowOptions options_;
  std::optional<std::string> checkpoint_;
  KeepingSink fresh_;
};

std::vector<KeptEvent> offline(const std::map<std::string, std::string>& logs) {
  const TestFolder folder;
  for (const auto& [name, content] : logs)
    folder.write(name, content);
  Kept kept;
  read_paths({folder.path()}, kept);
  EXPECT_EQ(kept.report.refused(), 0U);
  return kept.events;
}

// Writes Zeek's logs as Zeek does, and all it ever wrote into `whole`.
class ZeekWriter {
 public:
  explicit ZeekWriter(const TestFolder& folder) : folder_(folder.path()) {
    fs::create_directory(folder_ + "/current");
    begin("conn");
    begin("ssl");
  }
  std::string path(const std::string& log) const { return folder_ + "/current/" + log + ".log"; }
  std::string source() const { return "zeek:" + folder_ + "/current"; }

  void flow() {
    ++flows_;
    unwritten_["ssl"] += tsv_ssl(flows_);
    unwritten_["conn"] += tsv_conn(flows_);
  }
  // Writes some bytes, the names' before the flows'.
  void write(const std::string& log, std::size_t bytes = SIZE_MAX) {
    if (log == "conn") write("ssl");
    const std::string text = unwritten_[log].substr(0, bytes);
    unwritten_[log].erase(0, text.size());
    append(path(log), text);
    whole[log + ".log"] += text;
  }
  enum class Way { rename, archive, archive_compressed };
  void rotate(const std::string& log, Way way) {
    const std::string old = path(log);
    const std::string number = std::to_string(++rotations_);
    if (way == Way::rename) {
      fs::rename(old, old + "." + number);
      append_rest(old + "." + number, log);
    } else {
      const std::string day = folder_ + "/2026-11-21";
      fs::create_directory(day);
      const std::string moved = day + "/" + log + "." + std::to_string(1000 + rotations_) + ".log";
      fs::rename(old, moved);
      append_rest(moved, log);
      if (way == Way::archive_compressed) {
        std::ifstream in(moved, std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(in), {}};
        std::ofstream(moved + ".gz", std::ios::binary) << gzip(content);
        fs::remove(moved);
      }
    }
    begin(log);
  }

  std::map<std::string, std::string> whole;

 private:
  void begin(const std::string& log) {
    const auto text = header(log, log == "conn" ? kConnFields : kSslFields, ++opened_);
    append(path(log), text);
    whole[log + ".log"] += text;
  }
  // The line that was cut goes on in the old file.
  void append_rest(const std::string& old, const std::string& log) {
    std::string& rest = unwritten_[log];
    if (whole[log + ".log"].back() == '\n') return;
    const std::string text = rest.substr(0, rest.find('\n') + 1);
    rest.erase(0, text.size());
    append(old, text);
    whole[log + ".log"] += text;
  }

  std::string folder_;
  std::map<std::string, std::string> unwritten_;
  int flows_ = 0, rotations_ = 0, opened_ = 0;
};

TEST(Follow, GivesWhatReadingTheWholeLogsGives) {
  const TestFolder folder;
  ZeekWriter writer(folder);
  Reader reader(source(writer.source()));
  for (int i = 0; i < 50; ++i) {
    writer.flow();
    writer.write("conn");
    reader.poll();
    ++reader.now;
  }
  reader.settle();
  EXPECT_EQ(reader.kept.size(), 50U);
  EXPECT_EQ(reader.kept, offline(writer.whole));
  EXPECT_EQ(reader.kept[0].name, "host1.example");
  EXPECT_EQ(reader.follower->counters().flows, 50U);
}

TEST(Follow, AFlowWaitsForNamesThatAreWrittenAfterIt) {
  const TestFolder folder;
  const std::string current = folder.path();
  append(current + "/conn.log", header("conn", kConnFields, 1));
  append(current + "/ssl.log", header("ssl", kSslFields, 2));
  Reader reader(source("zeek:" + current));
  reader.poll();
  append(current + "/conn.log", tsv_conn(1));
  reader.poll();
  reader.now = 3;
  reader.poll();
  append(current + "/ssl.log", tsv_ssl(1));
  reader.settle();
  ASSERT_EQ(reader.kept.size(), 1U);
  EXPECT_EQ(reader.kept[0].name, "host1.example");
}

TEST(Follow, WaitsForFilesThatAreNotThereYetAndForNewlines) {
  const TestFolder folder;
  const std::string file = folder.path() + "/eve.json";
  Reader reader(source("suricata:" + file));
  reader.poll();
  const std::string line = json_flow(1);
  append(file, line.substr(0, 40));
  reader.poll();
  reader.now = 20;
  reader.poll();
  append(file, line.substr(40));
  reader.settle();
  EXPECT_EQ(reader.kept.size(), 1U);
  EXPECT_EQ(reader.follower->counters().bad_lines, 0U);
}

TEST(Follow, CountsBadLinesWithTheFirstPlace) {
  const TestFolder folder;
  const std::string file = folder.path() + "/eve.json";
  append(file, json_flow(1) + "rubbish\n" + json_flow(2) + "{\"event_type\":\"flow\",\n" +
                   std::string(3 << 20, 'x') + '\n' + json_flow(3));
  Reader reader(source("suricata:" + file));
  reader.settle();
  EXPECT_EQ(reader.kept.size(), 3U);
  EXPECT_EQ(reader.follower->counters().bad_lines, 3U);
  const auto refusals = reader.follower->report().refusals();
  const auto found = std::find_if(refusals.begin(), refusals.end(),
                                  [](const auto& one) { return one.reason == "not valid JSON"; });
  ASSERT_NE(found, refusals.end());
  EXPECT_TRUE(found->first_place.ends_with("eve.json line 2")) << found->first_place;
}

TEST(Follow, CanBeginAtTheEndOfWhatIsThere) {
  const TestFolder folder;
  ZeekWriter writer(folder);
  writer.flow();
  writer.write("conn");
  auto options = source(writer.source());
  options.from_end = true;
  Reader reader(options);
  reader.poll();
  writer.flow();
  writer.write("conn");
  reader.settle();
  ASSERT_EQ(reader.kept.size(), 1U);
  EXPECT_EQ(reader.kept[0].id, "C2");
  EXPECT_EQ(reader.kept[0].name, "host2.example");
}

TEST(Follow, LongFlowsAreAliveUntilTheyEnd) {
  const TestFolder folder;
  append(folder.path() + "/conn_long.log", header("conn_long", kConnFields, 1) + tsv_conn(1));
  append(folder.path() + "/conn.log", header("conn", kConnFields, 2));
  FollowOptions options = source("zeek:" + folder.path());
  auto follower = LogFollower::open(options, std::nullopt);
  ASSERT_TRUE(follower);
  class Sink final : public FlowSink {
   public:
    void add(const FlowEvent& event) override { events.push_back(event); }
    void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
    void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
    std::vector<FlowEvent> events;
  } sink;
  (*follower)->poll(sink, at(0));
  ASSERT_EQ(sink.events.size(), 1U);
  EXPECT_EQ(sink.events[0].kind, FlowEventKind::alive);
  EXPECT_FALSE(sink.events[0].begins_check_in);
  append(folder.path() + "/conn.log", tsv_conn(1));
  (*follower)->poll(sink, at(1));
  (*follower)->poll(sink, at(20));
  ASSERT_EQ(sink.events.size(), 2U);
  EXPECT_EQ(sink.events[1].kind, FlowEventKind::close);
  EXPECT_TRUE(sink.events[1].begins_check_in);
}

TEST(Follow, RefusesACheckpointThatIsDamagedOrOfAnotherSource) {
  const TestFolder folder;
  const auto options = source("suricata:" + folder.path() + "/eve.json");
  const auto follower = LogFollower::open(options, std::nullopt);
  ASSERT_TRUE(follower);
  const std::string text = (*follower)->checkpoint();
  EXPECT_TRUE(LogFollower::open(options, text));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(LogFollower::open(options, other)) << i;
    EXPECT_FALSE(LogFollower::open(options, text.substr(0, i))) << i;
  }
  EXPECT_FALSE(LogFollower::open(source("suricata:/elsewhere"), text));
}

TEST(Follow, SourcesAreWrittenWithTheirKind) {
  EXPECT_EQ(source("zeek:/nsm/zeek/logs/current/").path, "/nsm/zeek/logs/current");
  for (const char* text : {"", "zeek", "zeek:", "/nsm", "bro:/nsm"})
    EXPECT_FALSE(parse_follow_source(text)) << text;
}

// A log of which only the first bytes were seen before it was copied and emptied: those bytes fit
// the log before it, too, which still waits for its writer.
TEST(Follow, TakesNoFileThatItReadsForACopyOfAnotherThatBeginsAlike) {
  const TestFolder folder;
  const std::string file = folder.path() + "/eve.json";
  Reader reader(source("suricata:" + file));
  append(file, json_flow(0));
  reader.poll();
  reader.save();
  fs::rename(file, file + ".1");
  append(file, json_flow(1).substr(0, 26));
  reader.poll();
  append(file, json_flow(1).substr(26));
  fs::copy_file(file, file + ".2");
  fs::resize_file(file, 0);
  append(file, json_tls(2) + json_flow(2));
  reader.settle();
  EXPECT_EQ(reader.kept,
            offline({{"eve.json", json_flow(0) + json_flow(1) + json_tls(2) + json_flow(2)}}));
}

// However Zeek's logs come (cut into appends anywhere, rotated in any way, the reader stopped or
// killed between): the events are those of the whole logs read at once.
RC_GTEST_PROP(Follow, LosesAndDoublesNothingOfZeeksLogs, ()) {
  const TestFolder folder;
  ZeekWriter writer(folder);
  Reader reader(source(writer.source()));
  reader.poll();  // what was rotated before the first start is left alone
  reader.save();
  const auto steps = *rc::gen::inRange(5, 30);
  for (int step = 0; step < steps; ++step) {
    const std::string log = *rc::gen::element<std::string>("conn", "ssl");
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
      case 1:
        writer.flow();
        writer.flow();
        break;
      case 2:
      case 3:
        writer.write(log, *rc::gen::inRange<std::size_t>(1, 200));
        break;
      case 4:
        writer.rotate(log, *rc::gen::element(ZeekWriter::Way::rename, ZeekWriter::Way::archive,
                                             ZeekWriter::Way::archive_compressed));
        break;
      case 5:
        reader.poll();
        reader.now += *rc::gen::inRange(0, 4);
        break;
      case 6:
        reader.poll();
        reader.save();
        break;
      default:
        reader.kill();
    }
  }
  writer.write("conn");
  reader.settle();
  const auto expected = offline(writer.whole);
  RC_ASSERT(reader.kept.size() == expected.size());
  RC_ASSERT(reader.kept == expected);
  RC_ASSERT(reader.follower->counters().files_lost == 0U);
}

// The same for one eve.json that is rotated by renaming or by copying and truncating.
RC_GTEST_PROP(Follow, LosesAndDoublesNothingOfSuricatas, ()) {
  const TestFolder folder;
  const std::string file = folder.path() + "/eve.json";
  std::string whole, unwritten;
  Reader reader(source("suricata:" + file));
  int flows = 0, rotations = 0;
  whole = json_flow(0);
  append(file, whole);
  reader.poll();
  reader.save();
  const auto write = [&](std::size_t bytes) {
    const std::string text = unwritten.substr(0, bytes);
    unwritten.erase(0, text.size());
    append(file, text);
    whole += text;
  };
  const auto steps = *rc::gen::inRange(5, 30);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
      case 1:
        ++flows;
        unwritten += json_tls(flows) + json_flow(flows);
        break;
      case 2:
      case 3:
        write(*rc::gen::inRange<std::size_t>(1, 400));
        break;
      case 4: {
        if (!whole.empty() && whole.back() != '\n') write(unwritten.find('\n') + 1);
        const std::string rotated = file + '.' + std::to_string(++rotations);
        if (!fs::exists(file)) break;
        if (*rc::gen::arbitrary<bool>()) {
          fs::copy_file(file, rotated);
          fs::resize_file(file, 0);
        } else {
          fs::rename(file, rotated);
        }
        break;
      }
      case 5:
        reader.poll();
        reader.now += *rc::gen::inRange(0, 4);
        break;
      case 6:
        reader.poll();
        reader.save();
        break;
      default:
        reader.kill();
    }
  }
  write(SIZE_MAX);
  reader.settle();
  const auto expected = whole.empty() ? std::vector<KeptEvent>() : offline({{"eve.json", whole}});
  RC_ASSERT(reader.kept.size() == expected.size());
  RC_ASSERT(reader.kept == expected);
}

}  // namespace
}  // namespace beaconry
