// What evidence says where something was added to it or could not be written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "escape/evidence.h"
#include "escape/evidence_chain.h"
#include "escape/evidence_report.h"
#include "escape/method.h"

namespace beaconry {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr Timestamp kStart{seconds(1'800'000'000)};
constexpr Method kUdp{MethodId::udp_port, "", Risk::none, "", 0, false, nullptr, nullptr, nullptr};

PartyKeys keys() {
  Key32 seed{};
  seed[0] = 1;
  return PartyKeys(seed);
}

class EvidenceLoss : public testing::Test {
 protected:
  EvidenceLoss() {
    char name[] = "/tmp/beaconry_evidence_loss_XXXXXX";
    folder = ::mkdtemp(name);
    path = folder + "/evidence.log";
  }
  ~EvidenceLoss() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<ProbeEvidence> open(Timestamp now) {
    auto opened = ProbeEvidence::open({path, 32 << 20, "press"}, keys(), now);
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }
  static Try make_try(std::uint64_t sequence, CycleKind kind, std::uint32_t cycle) {
    Try made;
    made.method = &kUdp;
    made.target.destination = *IpAddress::parse("203.0.113.10");
    made.target.port = static_cast<std::uint16_t>(1 + sequence % 60'000);
    made.sequence = sequence;
    made.cycle_kind = kind;
    made.cycle = cycle;
    return made;
  }
  std::string text() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Lines whose checks are right, by somebody without the key.
  void forge(const std::vector<std::string>& lines) const {
    EvidenceChain chain;
    std::ifstream file(path);
    std::string line;
    for (bool first = true; std::getline(file, line); first = false)
      first ? void(chain = EvidenceChain(line)) : void(chain.add(line.substr(9)));
    std::ofstream out(path, std::ios::app | std::ios::binary);
    for (const std::string& one : lines)
      out << chain.add(one) << ' ' << one << '\n';
  }

  std::string folder, path;
};

TEST_F(EvidenceLoss, LinesThatNobodySignedAreNotSignedByARestart) {
  {
    auto evidence = open(kStart);
    ASSERT_TRUE(evidence->began(CycleKind::short_cycle, 1, kStart));
    std::uint64_t sequence = evidence->last_sequence();
    ASSERT_TRUE(evidence->tried(make_try(++sequence, CycleKind::short_cycle, 1), kStart));
    ASSERT_TRUE(evidence->completed(CycleKind::short_cycle, 1, kStart));
  }
  const std::string at = to_rfc3339(kStart + seconds(5));
  forge({at + " began short 4000000000",
         at + " tried short 2 tcp-syn 203.0.113.10 seq=4000000000000000000 targets=1,2,3",
         at + " answered short 2 tcp-syn 203.0.113.10 seq=4000000000000000000 targets=1",
         to_rfc3339(kStart + std::chrono::hours(1'000'000)) + " completed short 2"});
  {
    auto evidence = open(kStart + minutes(1));
    ASSERT_TRUE(evidence);
    EXPECT_EQ(evidence->last_cycle(CycleKind::short_cycle), 1U);
    EXPECT_LT(evidence->last_sequence(), 2'000'000'000'000'000U);
    EXPECT_LT(evidence->last_time(), kStart + minutes(2));
    ASSERT_TRUE(evidence->end(kStart + minutes(1)));
  }
  open(kStart + minutes(2));  // what is set aside stays so
  const auto report = verify_evidence(path, nullptr);
  ASSERT_TRUE(report) << report.error().message();
  ASSERT_EQ(report->rows.size(), 1U);
  EXPECT_EQ(report->rows[0].method, "udp-port");
  EXPECT_EQ(report->last_short.number, 1U);
  EXPECT_EQ(report->unvouched_lines, 4U);
  EXPECT_THAT(coverage_text(*report), HasSubstr("4 entries that nobody had signed"));
}

TEST_F(EvidenceLoss, ACycleWhoseNumberWasUsedIsNotBegunTwice) {
  {
    auto evidence = open(kStart);
    ASSERT_TRUE(evidence->began(CycleKind::short_cycle, 7, kStart));
  }
  EXPECT_EQ(open(kStart)->last_cycle(CycleKind::short_cycle), 7U);
}

// A file that can grow no more, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(std::uint64_t size) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = size;
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(EvidenceLoss, WhatAFullDiskDidNotTakeIsWrittenLater) {
  auto evidence = open(kStart);
  std::uint64_t sequence = evidence->last_sequence();
  Timestamp now = kStart;
  ASSERT_TRUE(evidence->began(CycleKind::short_cycle, 1, now));
  {
    const FullDisk full(text().size() + 50);
    for (int i = 0; i < 6000; ++i)  // more than a block of sequences
      static_cast<void>(
          evidence->tried(make_try(++sequence, CycleKind::short_cycle, 1), now += seconds(1)));
    EXPECT_FALSE(evidence->completed(CycleKind::short_cycle, 1, now));
  }
  ASSERT_TRUE(evidence->end(now));
  const auto report = verify_evidence(path, nullptr);
  ASSERT_TRUE(report) << report.error().message();
  ASSERT_EQ(report->rows.size(), 1U);
  EXPECT_EQ(report->rows[0].tried, 6000U);
  EXPECT_EQ(report->last_short.number, 1U);
  EXPECT_EQ(report->lost_tries, 0U);
}

TEST_F(EvidenceLoss, WhatIsLostIsCountedAndItsCycleIsNotComplete) {
  auto evidence = open(kStart);
  std::uint64_t sequence = evidence->last_sequence();
  Timestamp now = kStart;
  ASSERT_TRUE(evidence->began(CycleKind::short_cycle, 1, now));
  constexpr std::uint64_t kTries = 200'000;
  {
    const FullDisk full(text().size() + 50);
    for (std::uint64_t i = 0; i < kTries; ++i) {
      static_cast<void>(evidence->tried(make_try(++sequence, CycleKind::short_cycle, 1),
                                        now += std::chrono::milliseconds(100)));
    }
  }
  ASSERT_TRUE(evidence->completed(CycleKind::short_cycle, 1, now));
  ASSERT_TRUE(evidence->began(CycleKind::short_cycle, 2, now));
  ASSERT_TRUE(evidence->completed(CycleKind::short_cycle, 2, now));
  ASSERT_TRUE(evidence->end(now));
  const auto report = verify_evidence(path, nullptr);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_GT(report->lost_tries, 0U);
  ASSERT_EQ(report->rows.size(), 1U);
  EXPECT_EQ(report->rows[0].tried + report->lost_tries, kTries);
  EXPECT_THAT(text(), Not(HasSubstr("completed short 1")));
  EXPECT_EQ(report->last_short.number, 2U);
}

}  // namespace
}  // namespace beaconry
