#include "escape/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "escape/test_evidence_file.h"

namespace beaconry {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::EvidenceFile;
using test::is_whole;
using test::keys_of;
using test::kIpProto;
using test::kStart;
using test::kUdp;
using test::make_try;
using test::write_usual;
using testing::HasSubstr;

TEST(Evidence, ReportsWhatWasTriedAndWhatWasNot) {
  const EvidenceFile file;
  write_usual(file);
  const Key32 key = keys_of(1).sign_public();
  const auto report = verify_evidence(file.path(), &key);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->probe_name, "press line 3");
  EXPECT_EQ(report->probe_id, keys_of(1).id().to_string());
  EXPECT_TRUE(report->clean_end);
  EXPECT_EQ(report->unsigned_lines, 0U);
  EXPECT_EQ(report->last_short.number, 2U);
  EXPECT_GT(report->last_short.completed, report->last_short.begun);
  EXPECT_EQ(report->last_long.number, 0U);
  ASSERT_EQ(report->rows.size(), 3U);
  EXPECT_EQ(report->rows[0].method, "dns");
  EXPECT_EQ(report->rows[0].why_not, "no resolver is known");
  EXPECT_EQ(report->rows[1].method, "neighbour-gateway");
  EXPECT_EQ(report->rows[2].tried, 206U);
  EXPECT_EQ(report->rows[2].answered, 2U);
  ASSERT_EQ(report->heard.size(), 1U);
  EXPECT_EQ(report->heard[0].from, "dmz #1");
  EXPECT_EQ(report->heard[0].pings, 2U);
  EXPECT_GE(report->signatures, 4U) << "start, each cycle's end, and the end";
  EXPECT_THAT(file.text(), HasSubstr("targets=0~10.0.1.50\n"));
  EXPECT_THAT(file.text(), HasSubstr("targets=53,443,8080\n"));
}

TEST(Evidence, ARestartGoesOnWhereItWas) {
  const EvidenceFile file;
  write_usual(file);
  const auto opened = file.open(kStart + hours(1));
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ((*opened)->last_cycle(CycleKind::short_cycle), 2U);
  EXPECT_EQ((*opened)->last_cycle(CycleKind::long_cycle), 1U);
  EXPECT_EQ((*opened)->long_method(), MethodId::udp_port);
  EXPECT_EQ((*opened)->long_done(), 200U);
  const auto report = verify_evidence(file.path(), nullptr);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->clean_end) << "it runs again";
}

TEST(Evidence, WithoutAFileSequencesComeOfTheTime) {
  const auto first = ProbeEvidence::open({}, keys_of(1), kStart);
  const auto second = ProbeEvidence::open({}, keys_of(1), kStart + seconds(1));
  ASSERT_TRUE(first && second);
  EXPECT_GE((*second)->last_sequence() - (*first)->last_sequence(), 1'000'000U);
}

// Runs that end without a word, under clocks that jump: no sequence is given twice.
RC_GTEST_PROP(Evidence, SequencesAreNeverUsedTwice, ()) {
  const EvidenceFile file;
  std::uint64_t used = 0;
  for (int run = *rc::gen::inRange(1, 5); run > 0; --run) {
    const Timestamp now = kStart + seconds(*rc::gen::inRange(-1'000'000, 1'000'000));
    auto evidence = file.open(now);
    RC_ASSERT(evidence.has_value());
    std::uint64_t sequence = (*evidence)->last_sequence();
    RC_ASSERT(sequence >= used);
    for (int tries = *rc::gen::inRange(0, 30); tries > 0; --tries) {
      sequence += *rc::gen::element<std::uint64_t>(1, 2, 700, 1500);
      RC_ASSERT((*evidence)->tried(make_try(kUdp, 1, sequence), now).has_value());
    }
    used = sequence;
  }
}

TEST(Evidence, SurvivesBeingKilledAtAnyMoment) {
  const EvidenceFile file;
  std::uint64_t used = 0;
  for (unsigned round = 0; round < 5; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto opened = file.open(kStart);
      if (!opened) ::_exit(1);
      std::uint64_t sequence = (*opened)->last_sequence();
      for (;;) {
        ++sequence;
        if (::write(pipe[1], &sequence, sizeof sequence) != sizeof sequence) ::_exit(1);
        const auto port = static_cast<std::uint16_t>(sequence % 65'536);
        if (!(*opened)->tried(make_try(kUdp, port, sequence), kStart)) ::_exit(1);
        if (sequence % 5000 == 0 && !(*opened)->seal(kStart)) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    std::uint64_t first = 0, sequence = 0, read = 0;
    while (read < 3000 * (round + 1) &&
           ::read(pipe[0], &sequence, sizeof sequence) == sizeof sequence) {
      if (read++ == 0) first = sequence;
    }
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &sequence, sizeof sequence) == sizeof sequence)
      ++read;
    ::close(pipe[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";
    EXPECT_GT(first, used);
    used = sequence;
  }
  const auto opened = file.open(kStart);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_GE((*opened)->last_sequence(), used);
  EXPECT_TRUE(verify_evidence(file.path(), nullptr));
}

TEST(Evidence, ATornEndIsCutOffAndThatIsKept) {
  const EvidenceFile file;
  write_usual(file);
  const std::string whole = file.text();
  file.put(whole + "12345678 2027-01-15T08:00:00.000Z tried sh");
  ASSERT_TRUE(file.open(kStart + hours(1)));
  EXPECT_THAT(file.text(), HasSubstr(" mended bytes=42\n"));
  EXPECT_TRUE(file.text().starts_with(whole));
  EXPECT_TRUE(verify_evidence(file.path(), nullptr));
}

TEST(Evidence, DoesNotGoOnWithWhatWasChanged) {
  const EvidenceFile file;
  write_usual(file);
  std::string text = file.text();
  text[text.find("udp-port")] = 'x';
  file.put(text);
  const auto opened = file.open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr("line "));
  EXPECT_THAT(opened.error().message(), HasSubstr("name another file"));
  EXPECT_EQ(file.text(), text) << "it is left as it is";
}

TEST(Evidence, DoesNotGoOnWithAnotherProbesRecordNorShareOne) {
  const EvidenceFile file;
  write_usual(file);
  const auto other = file.open(kStart, 2);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message(), HasSubstr("record of another probe"));
  const auto mine = file.open();
  ASSERT_TRUE(mine);
  const auto twice = file.open();
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message(), HasSubstr("another probe writes to it"));
  const Key32 expected = keys_of(2).sign_public();
  EXPECT_FALSE(verify_evidence(file.path(), &expected));
}

// Short cycles of a few tries and one long one under way.
void write_many(ProbeEvidence& evidence, Timestamp& now, std::uint64_t& sequence,
                std::uint32_t cycles) {
  const std::uint32_t begun = evidence.last_cycle(CycleKind::short_cycle);
  if (begun == 0) {
    ASSERT_TRUE(evidence.began(CycleKind::long_cycle, 1, now));
  }
  for (std::uint32_t cycle = begun + 1; cycle <= begun + cycles; ++cycle) {
    ASSERT_TRUE(evidence.began(CycleKind::short_cycle, cycle, now));
    ASSERT_TRUE(evidence.skipped(MethodId::dns, CycleKind::short_cycle, cycle, "no resolver", now));
    for (std::uint16_t port = 1; port <= 40; ++port) {
      now += seconds(1);
      ASSERT_TRUE(
          evidence.tried(make_try(kUdp, port, ++sequence, CycleKind::short_cycle, cycle), now));
    }
    ASSERT_TRUE(evidence.completed(CycleKind::short_cycle, cycle, now));
    for (std::uint8_t i = 1; i <= 100; ++i) {
      Try made = make_try(kIpProto, 0, ++sequence, CycleKind::long_cycle, 1);
      made.target.variant = i;
      ASSERT_TRUE(evidence.tried(made, now += seconds(10)));
    }
    ASSERT_TRUE(evidence.heard("peer-" + std::to_string(cycle % 3), Ping(), now));
  }
}

TEST(Evidence, PastItsBoundASummarySaysTheSame) {
  constexpr std::uint64_t kMost = 50'000;
  const EvidenceFile bounded, whole;
  Result<EvidenceReport> reports[2];
  std::uint64_t places[2];
  for (const bool is_bounded : {true, false}) {
    const EvidenceFile& file = is_bounded ? bounded : whole;
    const std::uint64_t most = is_bounded ? kMost : 32 << 20;
    Timestamp now = kStart;
    for (int run = 0; run < 3; ++run) {
      auto evidence = file.open(now, 1, most);
      ASSERT_TRUE(evidence) << evidence.error().message();
      std::uint64_t sequence = (*evidence)->last_sequence();
      write_many(**evidence, now, sequence, 30);
      ASSERT_TRUE((*evidence)->end(now));
      EXPECT_TRUE(!is_bounded || file.text().size() <= kMost);
    }
    reports[is_bounded ? 0 : 1] = verify_evidence(file.path(), nullptr);
    const auto again = file.open(now, 1, most);
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->last_cycle(CycleKind::short_cycle), 90U);
    places[is_bounded ? 0 : 1] = (*again)->long_done();
  }
  ASSERT_TRUE(reports[0]) << reports[0].error().message();
  ASSERT_TRUE(reports[1]) << reports[1].error().message();
  EXPECT_GT(reports[0]->summarised_lines, 0U);
  EXPECT_EQ(reports[1]->summarised_lines, 0U);
  EXPECT_EQ(reports[0]->rows, reports[1]->rows);
  EXPECT_EQ(reports[0]->heard, reports[1]->heard);
  EXPECT_EQ(reports[0]->last_short, reports[1]->last_short);
  EXPECT_EQ(reports[0]->last_sequence, reports[1]->last_sequence);
  EXPECT_EQ(reports[0]->first, reports[1]->first);
  EXPECT_TRUE(reports[0]->clean_end);
  EXPECT_EQ(places[0], places[1]);
  EXPECT_EQ(places[0], 9'000U);
}

TEST(Evidence, AChangedOrReplacedSummaryIsFound) {
  const EvidenceFile file;
  Timestamp now = kStart;
  std::string older;
  {
    auto evidence = file.open(now, 1, 60'000);
    ASSERT_TRUE(evidence);
    std::uint64_t sequence = (*evidence)->last_sequence();
    while (older.find(" summary ") == older.npos) {
      write_many(**evidence, now, sequence, 5);
      older = file.text();
    }
    write_many(**evidence, now, sequence, 100);
    ASSERT_TRUE((*evidence)->end(now));
  }
  ASSERT_TRUE(is_whole(file));
  const std::string newer = file.text();
  const auto end_of_summary = [](const std::string& text) {
    return text.find('\n', text.find(" sealed sig=")) + 1;
  };
  ASSERT_NE(older.substr(0, end_of_summary(older)), newer.substr(0, end_of_summary(newer)));
  file.put(older.substr(0, end_of_summary(older)) + newer.substr(end_of_summary(newer)));
  EXPECT_FALSE(is_whole(file));

  std::string changed = newer;
  const auto tried = changed.find(" tried=") + 7;
  changed[tried] = changed[tried] == '9' ? '8' : '9';
  file.put(changed);
  EXPECT_FALSE(is_whole(file));

  file.put(newer.substr(0, newer.find('\n') + 1) + newer.substr(end_of_summary(newer)));
  EXPECT_FALSE(is_whole(file)) << "without its summary";
}

TEST(Evidence, ALongCycleOfEveryPortStaysSmall) {
  const EvidenceFile file;
  auto evidence = file.open();
  ASSERT_TRUE(evidence);
  std::uint64_t sequence = (*evidence)->last_sequence();
  Timestamp now = kStart;
  const IpAddress v6 = *IpAddress::parse("2001:db8::10");
  ASSERT_TRUE((*evidence)->began(CycleKind::long_cycle, 1, now));
  for (std::uint32_t i = 0; i < 2 * 65'535; ++i) {
    Try made = make_try(kUdp, static_cast<std::uint16_t>(i * 40'503ULL % 65'535 + 1), ++sequence,
                        CycleKind::long_cycle);
    if (i % 2 == 1) made.target.destination = v6;
    ASSERT_TRUE((*evidence)->tried(made, now += seconds(1)));
  }
  ASSERT_TRUE((*evidence)->completed(CycleKind::long_cycle, 1, now));
  ASSERT_TRUE((*evidence)->end(now));
  EXPECT_LT(file.text().size(), 2U << 20) << "at one try a second";
  const auto report = verify_evidence(file.path(), nullptr);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->rows.at(0).tried, 131'070U);
  EXPECT_EQ(report->last_long.number, 1U);
}

}  // namespace
}  // namespace beaconry
