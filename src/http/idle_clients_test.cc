// Ten thousand clients that keep their connections open and say nothing.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "http/test_support.h"

namespace beaconry {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::size_t resident_bytes() {
  std::size_t pages = 0;
  if (FILE* const file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*u %zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * 4'096;
}

// The clients, in a process of their own: each end needs descriptors. Reads the endpoint, says "r"
// when all are connected, and ends with its input.
[[noreturn]] void be_clients(int in, int out, std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  char endpoint[64] = {};
  if (::read(in, endpoint, sizeof endpoint - 1) <= 0) ::_exit(1);
  std::vector<RawConnection> idle;
  idle.reserve(count);
  bool answered = true;
  for (std::size_t i = 0; i < count; ++i) {
    idle.emplace_back(endpoint);
    if (i % 2 == 1) continue;  // one half asks something, the other never does
    idle.back().send(kGet);
    answered = answered && idle.back().read_until("GET / ").starts_with("HTTP/1.1 200 OK");
  }
  char one = answered && !testing::Test::HasFailure() ? 'r' : 'f';
  if (::write(out, &one, 1) != 1 || ::read(in, &one, 1) < 0) ::_exit(1);
  ::_exit(0);
}

TEST(IdleClients, LeaveTheServerFreeForOthers) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const std::size_t most = limit.rlim_max < 1'000 ? 100 : limit.rlim_max - 600;
  const std::size_t count = std::min<std::size_t>(10'000, most);
  if (count < 10'000) std::printf("only %zu idle clients: RLIMIT_NOFILE allows no more\n", count);
  int to_child[2], from_child[2];
  ASSERT_EQ(::pipe2(to_child, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(from_child, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(to_child[1]);
    be_clients(to_child[0], from_child[1], count);
  }
  ::close(to_child[0]);
  ::close(from_child[1]);
  {
    const TestServer test;
    const std::size_t before = resident_bytes();
    ASSERT_GT(::write(to_child[1], test.endpoint.data(), test.endpoint.size()), 0);
    char said = 0;
    ASSERT_EQ(::read(from_child[0], &said, 1), 1);
    EXPECT_EQ(said, 'r');
    ASSERT_TRUE(wait_for([&] { return test.server->counters().open == count; }));
    std::printf("%zu bytes an idle client\n", (resident_bytes() - before) / count);
    const auto client = test.client();
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(client->send({}));
    EXPECT_EQ(test.server->counters().evicted, 0U);
    EXPECT_EQ(test.server->counters().refused_connections, 0U);
    ::close(to_child[1]);
    EXPECT_TRUE(wait_for([&] { return test.server->counters().open == 1; }));
  }
  ::close(from_child[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace beaconry
