#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "source/read.h"
#include "source/simulate/pcap_writer.h"
#include "source/simulate/recipe.h"
#include "source/simulate/truth.h"
#include "source/simulate/zeek_writer.h"

namespace beaconry::simulate {
namespace {

// A folder of its own, gone at the end.
class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "simulate-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Pairs, names and counts of what a reader reported.
class Seen : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    if (event.kind != FlowEventKind::named && event.begins_check_in) ++check_ins;
    pairs.insert(event.pair);
    if (!event.server_name.empty()) names.insert(std::string(event.server_name));
    if (event.time < first) first = event.time;
    if (event.time > last) last = event.time;
  }
  void add_host_name(const IpAddress&, std::string_view name, Timestamp) override {
    host_names.insert(std::string(name));
  }
  void add_address_name(const IpAddress& address, std::string_view, Timestamp) override {
    answers.insert(address);
  }

  std::set<PairKey> pairs;
  std::set<std::string> names, host_names;
  std::set<IpAddress> answers;
  std::size_t check_ins = 0;
  Timestamp first = kLatest, last = kEarliest;
};

void expect_truth_in(const Traffic& traffic, const Seen& seen) {
  for (const TruthPair& truth : traffic.truth) {
    for (const IpAddress& address : truth.addresses) {
      PairKey pair = truth.pair;
      pair.destination = address;
      EXPECT_TRUE(seen.pairs.contains(pair)) << truth.group << " " << pair.to_string();
    }
    if (truth.name == kNoName) continue;
    EXPECT_TRUE(seen.names.contains(traffic.names[truth.name])) << traffic.names[truth.name];
  }
}

void read_into(Seen& seen, const std::string& path) {
  ReadOptions options;
  options.paths = {path};
  ReadReport report;
  FlowSink* sink = &seen;
  read_inputs(options, {&sink, 1}, report);
}

TEST(Simulate, GivesTheSameBytesForTheSameSeed) {
  Folder one, two, other;
  for (const Folder* folder : {&one, &two}) {
    const Traffic traffic = simulate(*preset("demo", 5));
    ASSERT_TRUE(write_zeek(traffic, folder->path(), ZeekFormat::tsv));
    ASSERT_TRUE(write_pcap(traffic, folder->path() + "/a.pcap"));
    ASSERT_TRUE(write_truth(traffic, folder->path() + "/truth.json"));
  }
  ASSERT_TRUE(write_zeek(simulate(*preset("demo", 6)), other.path(), ZeekFormat::tsv));
  for (const char* name : {"conn.log", "ssl.log", "dns.log", "truth.json", "a.pcap"}) {
    const std::string first = contents(one.path() + "/" + name);
    EXPECT_GT(first.size(), 1000U) << name;
    EXPECT_TRUE(first == contents(two.path() + "/" + name)) << name;
  }
  EXPECT_FALSE(contents(one.path() + "/conn.log") == contents(other.path() + "/conn.log"));
}

TEST(Simulate, StaysWithinItsWindowInOrderOfTime) {
  const Traffic traffic = simulate(*preset("demo", 3));
  ASSERT_FALSE(traffic.flows.empty());
  std::set<std::uint64_t> ids;
  Timestamp before = traffic.start;
  for (const SimulatedFlow& flow : traffic.flows) {
    EXPECT_GE(flow.time, before);
    EXPECT_LT(flow.time, traffic.end);
    EXPECT_TRUE(ids.insert(flow.id).second);
    EXPECT_EQ(flow.source.is_v4(), flow.destination.is_v4());
    before = flow.time;
  }
}

TEST(Simulate, ShowsEveryLabelledPairToASink) {
  const Traffic traffic = simulate(*preset("demo", 2));
  Seen seen;
  feed(traffic, seen);
  EXPECT_EQ(seen.check_ins, traffic.flows.size());
  expect_truth_in(traffic, seen);
}

TEST(Simulate, WritesZeekLogsThatAreReadInFull) {
  for (const ZeekFormat format : {ZeekFormat::tsv, ZeekFormat::json}) {
    const Traffic traffic = simulate(*preset("demo", 2));
    Folder folder;
    ASSERT_TRUE(write_zeek(traffic, folder.path(), format));
    Seen seen;
    read_into(seen, folder.path());
    EXPECT_GE(seen.check_ins, traffic.flows.size());
    EXPECT_FALSE(seen.host_names.empty());
    EXPECT_FALSE(seen.answers.empty());
    EXPECT_EQ(seen.first, traffic.flows.front().time);
    expect_truth_in(traffic, seen);
  }
}

TEST(Simulate, WritesAPcapThatIsReadInFull) {
  const Traffic traffic = simulate(*preset("demo", 2));
  Folder folder;
  ASSERT_TRUE(write_pcap(traffic, folder.path() + "/a.pcap"));
  Seen seen;
  read_into(seen, folder.path());
  expect_truth_in(traffic, seen);
}

// Somebody else's parser finds nothing broken, wrong checksums included.
TEST(Simulate, WritesAPcapThatTsharkFindsWhole) {
  if (std::system("command -v tshark >/dev/null") != 0) GTEST_SKIP() << "tshark is not installed";
  Recipe recipe = *preset("demo", 4);
  recipe.hours = 0.1;
  const Traffic traffic = simulate(recipe);
  Folder folder;
  ASSERT_TRUE(write_pcap(traffic, folder.path() + "/a.pcap"));
  const std::string read = "tshark -r " + folder.path() +
                           "/a.pcap -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE "
                           "-o udp.check_checksum:TRUE -Y ";
  const std::string bad =
      "'_ws.malformed || tcp.checksum.status==0 || ip.checksum.status==0 || "
      "udp.checksum.status==0'";
  ASSERT_EQ(std::system((read + bad + " >" + folder.path() + "/bad 2>/dev/null").c_str()), 0);
  EXPECT_EQ(contents(folder.path() + "/bad"), "");
  ASSERT_EQ(std::system(
                (read + "tls.handshake.type==1 >" + folder.path() + "/hello 2>/dev/null").c_str()),
            0);
  EXPECT_GT(contents(folder.path() + "/hello").size(), 1000U);
}

TEST(Simulate, RefusesAPcapOfAWholeDay) {
  Traffic traffic;
  traffic.flows.resize(kMostFlowsInPcap + 1);
  const auto written = write_pcap(traffic, "/dev/null");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::limit);
}

TEST(Simulate, HoldsWhatThePresetPromises) {
  Recipe recipe = *preset("day", 1);
  std::set<std::string> groups;
  int infected = 0;
  for (const ImplantPlan& plan : recipe.implants) {
    groups.insert(plan.group);
    infected += plan.victims;
  }
  EXPECT_EQ(groups.size(), 10U);
  EXPECT_EQ(infected, 42);
  EXPECT_FALSE(preset("year", 1));
}

TEST(Simulate, VariesWithTheVariationOnly) {
  Recipe one = *preset("day", 1), same = *preset("day", 1), other = *preset("day", 1);
  vary(one, 7);
  vary(same, 7);
  vary(other, 8);
  EXPECT_EQ(one.hosts, same.hosts);
  EXPECT_EQ(one.implants.size(), same.implants.size());
  EXPECT_EQ(one.implants[3].model.sleep_seconds, same.implants[3].model.sleep_seconds);
  EXPECT_NE(one.implants[3].model.sleep_seconds, other.implants[3].model.sleep_seconds);
}

TEST(Truth, IsJsonWithOneEntryAPair) {
  const Traffic traffic = simulate(*preset("demo", 2));
  const std::string json = truth_json(traffic);
  std::size_t entries = 0;
  for (std::size_t at = 0; (at = json.find("\"pair_key\"", at)) != std::string::npos; ++at) {
    ++entries;
  }
  EXPECT_EQ(entries, traffic.truth.size());
  EXPECT_NE(json.find("\"label\": \"malicious\""), std::string::npos);
}

}  // namespace
}  // namespace beaconry::simulate
