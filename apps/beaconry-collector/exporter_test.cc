#include "exporter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/status_socket.h"

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'700'000'000}};

struct Counted : FlowSink {
  void add(const FlowEvent& event) override {
    seen.push_back(std::string(event.server_name) + ':' + std::to_string(event.pair.port));
  }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::vector<std::string> seen;
};

class ExporterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "exporter_XXXXXX";
    ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
    Spool::Options options;
    options.folder = folder_ + "/spool";
    auto spool = Spool::open(options);
    ASSERT_TRUE(spool) << spool.error().message();
    spool_ = std::move(*spool);
  }
  void TearDown() override {
    spool_.reset();
    std::filesystem::remove_all(folder_);
  }

  static FlowEvent event(std::uint16_t port, FlowEventKind kind, std::string_view name = {}) {
    FlowEvent made;
    made.kind = kind;
    made.begins_check_in = kind == FlowEventKind::open || kind == FlowEventKind::burst;
    made.pair = {*IpAddress::parse("10.0.0.5"), *IpAddress::parse("203.0.113.9"), port,
                 Protocol::tcp};
    made.time = kNow;
    made.server_name = name;
    if (!name.empty()) made.name_kind = NameKind::tls_sni;
    return made;
  }
  std::vector<std::string> batch(std::uint64_t number) {
    const auto record = spool_->read(number);
    Counted counted;
    if (record && *record) {
      const auto decoded = decode_flow_batch((*record)->bytes, {}, counted);
      EXPECT_TRUE(decoded);
      if (decoded) counters_ = decoded->counters;
    }
    return counted.seen;
  }

  std::string folder_;
  std::unique_ptr<Spool> spool_;
  std::vector<EdgeCounter> counters_;
};

TEST_F(ExporterTest, allow_listed_events_stay_here_and_are_counted) {
  AllowList allow;
  ASSERT_TRUE(allow.add(":53", "test"));
  ASSERT_TRUE(allow.add("dst=*.example.com", "test"));
  Exporter exporter(*spool_, allow, 100, [] {
    return std::vector<EdgeCounter>{{"packets", "eth0", 7}};
  });
  exporter.add(event(53, FlowEventKind::open));
  exporter.add(event(443, FlowEventKind::open, "www.example.com"));
  exporter.add(event(443, FlowEventKind::open, "www.example.org"));
  // Reported before it was named: the server hears its name and its end.
  exporter.add(event(444, FlowEventKind::open));
  exporter.add(event(444, FlowEventKind::named, "www.example.com"));
  exporter.add(event(444, FlowEventKind::close, "www.example.com"));
  ASSERT_TRUE(exporter.cut(kNow));
  EXPECT_EQ(exporter.counters().allow_listed, 2U);
  EXPECT_EQ(exporter.counters().events, 4U);
  EXPECT_EQ(batch(1).size(), 4U);
  ASSERT_EQ(counters_.size(), 1U);
  EXPECT_EQ(counters_[0].value, 7U);
}

TEST_F(ExporterTest, a_full_batch_is_cut_early_unless_the_source_forbids_it) {
  Exporter exporter(*spool_, AllowList(), 3, [] { return std::vector<EdgeCounter>{}; });
  exporter.set_time(kNow);
  for (int i = 0; i < 7; ++i)
    exporter.add(event(443, FlowEventKind::open));
  EXPECT_EQ(exporter.counters().batches, 2U);
  exporter.never_cut_within_calls();
  for (int i = 0; i < 7; ++i)
    exporter.add(event(443, FlowEventKind::open));
  EXPECT_EQ(exporter.counters().batches, 2U);
  EXPECT_TRUE(exporter.is_full());
  std::uint64_t told = 0;
  exporter.set_before_append([&](std::uint64_t number) { told = number; });
  ASSERT_TRUE(exporter.cut(kNow));
  EXPECT_EQ(told, 3U);
  EXPECT_EQ(batch(3).size(), 8U);
}

TEST_F(ExporterTest, a_batch_that_the_spool_refuses_is_kept_and_comes_first_later) {
  struct Refusing : Spool {
    explicit Refusing(Spool& behind) : spool(behind) {}
    Result<std::uint64_t> append(std::string_view record, Timestamp now) override {
      if (full) return fail(ErrorKind::limit, "write", "spool", "disk full");
      return spool.append(record, now);
    }
    Result<void> sync(std::uint64_t sequence) override { return spool.sync(sequence); }
    Result<std::optional<Record>> read(std::uint64_t sequence) override {
      return spool.read(sequence);
    }
    void release(std::uint64_t sequence) override { spool.release(sequence); }
    void release_before(Timestamp time) override { spool.release_before(time); }
    std::uint64_t first() const override { return spool.first(); }
    std::uint64_t next() const override { return spool.next(); }
    std::uint64_t bytes() const override { return spool.bytes(); }
    std::uint64_t dropped() const override { return spool.dropped(); }
    std::uint64_t damaged() const override { return spool.damaged(); }
    const std::string& incarnation() const override { return spool.incarnation(); }
    Spool& spool;
    bool full = true;
  } refusing(*spool_);
  Exporter exporter(refusing, AllowList(), 3, [] { return std::vector<EdgeCounter>{}; });
  std::vector<std::uint64_t> told;
  exporter.set_before_append([&](std::uint64_t number) { told.push_back(number); });
  exporter.set_time(kNow);
  exporter.add(event(1, FlowEventKind::open));
  EXPECT_FALSE(exporter.cut(kNow));
  EXPECT_TRUE(exporter.is_waiting());
  exporter.add(event(2, FlowEventKind::open));
  EXPECT_FALSE(exporter.cut(kNow));
  EXPECT_EQ(exporter.counters().events, 2U);
  EXPECT_EQ(exporter.counters().events_lost, 0U);
  // Memory is bounded: the batch behind the kept one goes when it is full.
  exporter.add(event(3, FlowEventKind::open));
  exporter.add(event(4, FlowEventKind::open));
  EXPECT_EQ(exporter.counters().events, 1U);
  EXPECT_EQ(exporter.counters().events_lost, 3U);
  exporter.add(event(5, FlowEventKind::open));
  refusing.full = false;
  ASSERT_TRUE(exporter.cut(kNow));
  EXPECT_FALSE(exporter.is_waiting());
  EXPECT_EQ(batch(1), std::vector<std::string>{":1"});
  EXPECT_EQ(batch(2), std::vector<std::string>{":5"});
  EXPECT_EQ(exporter.counters().batches, 2U);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1, 1, 1, 1, 2}));
}

TEST_F(ExporterTest, the_status_socket_answers_and_is_not_taken_from_who_answers_there) {
  const std::string path = folder_ + "/socket";
  EXPECT_EQ(ask_status(path).error().kind, ErrorKind::not_found);
  auto socket = StatusSocket::open(path, "data_plane.socket");
  ASSERT_TRUE(socket) << socket.error().message();
  EXPECT_FALSE(StatusSocket::open(path, "data_plane.socket"));
  socket->reset();
  // As kill -9 leaves it: a socket that nobody answers.
  EXPECT_EQ(ask_status(path).error().kind, ErrorKind::not_found);
  EXPECT_TRUE(StatusSocket::open(path, "data_plane.socket"));
}

}  // namespace
}  // namespace beaconry
