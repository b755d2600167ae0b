// kill -9 at any moment: what was acknowledged is there, once, in order.
#include <signal.h>
#include <sys/wait.h>

#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/fd.h"
#include "spool/test_folder.h"

namespace beaconry {
namespace {

constexpr std::uint32_t kSeed = 20'261'122;
constexpr int kRounds = 20;
constexpr std::uint32_t kWriters = 3;

struct Acknowledged {
  std::uint64_t sequence;
  std::uint32_t round, writer, number;
};

std::string content_of(const Acknowledged& a) {
  std::string content = std::to_string(a.round) + "." + std::to_string(a.writer) + "." +
                        std::to_string(a.number) + " ";
  return content.append(a.number * 37 % 700, 'x');
}

// In the child: appends, syncs and only then tells, until it is killed.
void write_until_killed(const Spool::Options& options, std::uint32_t round, int out) {
  auto spool = Spool::open(options);
  if (!spool) ::_exit(1);
  std::vector<std::jthread> writers;
  for (std::uint32_t writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (std::uint32_t number = 0;; ++number) {
        Acknowledged a{0, round, writer, number};
        const auto sequence = (*spool)->append(content_of(a), second(number));
        if (!sequence || !(*spool)->sync(*sequence)) ::_exit(2);
        a.sequence = *sequence;
        if (::write(out, &a, sizeof a) != static_cast<ssize_t>(sizeof a)) ::_exit(3);
      }
    });
  }
  for (auto& writer : writers)
    writer.join();
}

TEST(SpoolCrash, LosesNothingAcknowledgedAndDoublesNothing) {
  const TestFolder folder;
  Spool::Options options;
  options.folder = folder.spool();
  options.segment_bytes = 8 << 10;
  std::mt19937 random(kSeed);
  std::vector<Acknowledged> acknowledged;
  for (int round = 0; round < kRounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Fd in(ends[0]), out(ends[1]);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      write_until_killed(options, static_cast<std::uint32_t>(round), out.get());
      ::_exit(0);
    }
    out.reset();
    const auto wanted = static_cast<unsigned>(random() % 120);
    unsigned got = 0;
    Acknowledged a{};
    // Pipes keep writes of this size whole.
    while (::read(in.get(), &a, sizeof a) == static_cast<ssize_t>(sizeof a)) {
      acknowledged.push_back(a);
      if (got++ == wanted) ::kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
  }

  const auto spool = open_spool(options);
  EXPECT_EQ(spool->damaged(), 0U);
  EXPECT_EQ(spool->dropped(), 0U);
  std::map<std::uint64_t, std::string> records;
  std::set<std::string> contents;
  for (const Spool::Record& record : read_all(*spool)) {
    EXPECT_TRUE(contents.insert(record.bytes).second) << "twice: " << record.bytes;
    records[record.sequence] = record.bytes;
  }
  EXPECT_EQ(records.size(), spool->next() - 1);
  for (const Acknowledged& a : acknowledged) {
    const auto found = records.find(a.sequence);
    ASSERT_NE(found, records.end()) << "lost: " << a.sequence;
    EXPECT_EQ(found->second, content_of(a));
  }
  EXPECT_GE(acknowledged.size(), static_cast<std::size_t>(kRounds));
}

}  // namespace
}  // namespace beaconry
