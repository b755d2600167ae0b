// Clients that send nonsense, and ten thousand that say nothing.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdio>
#include <random>

#include "faults/edge.h"
#include "faults/server.h"
#include "http/test_support.h"

namespace beaconry::faults {
namespace {

constexpr const char* kProtobuf = "application/x-protobuf";
constexpr const char* kJson = "application/json";
constexpr std::size_t kBomb = std::size_t{1} << 30;

std::string gzip_bomb() {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string zeros(1 << 20, ' '), out, piece(1 << 16, '\0');
  for (std::size_t done = 0; done <= kBomb; done += zeros.size()) {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    do {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      deflate(&stream, done == kBomb ? Z_FINISH : Z_NO_FLUSH);
      out.append(piece, 0, piece.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  }
  deflateEnd(&stream);
  return out;
}

std::string zstd_bomb(bool tells_its_size) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tells_its_size ? 1 : 0);
  if (tells_its_size) ZSTD_CCtx_setPledgedSrcSize(context, kBomb);
  std::string zeros(1 << 20, '\0'), out, piece(1 << 17, '\0');
  for (std::size_t done = 0; done < kBomb; done += zeros.size()) {
    ZSTD_inBuffer in{zeros.data(), zeros.size(), 0};
    const bool last = done + zeros.size() == kBomb;
    std::size_t left = 0;
    do {
      ZSTD_outBuffer at{piece.data(), piece.size(), 0};
      left = ZSTD_compressStream2(context, &at, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      out.append(piece, 0, at.pos);
    } while (in.pos < in.size || (last && left > 0));
  }
  ZSTD_freeCCtx(context);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(MalformedTelemetry, IsRefusedInWordsAndTheServerGoesOn) {
  const Folder folder;
  Server server(folder.path());
  server.start();
  const std::string good = envelope_of(batch_of(100, 0, now()), 1, now());
  ASSERT_EQ(server.send("POST", "/api/v1/telemetry", good, {{"content-type", kProtobuf}}).status,
            200);

  struct Case {
    const char* what;
    std::string body;
    const char* type = kProtobuf;
    const char* encoding = "identity";
    int status = 400;
  };
  const auto around = [](std::string content) { return envelope_of(std::move(content), 2, now()); };
  std::string deep(200'000, '[');
  const Case cases[] = {
      {"nothing", ""},
      {"text", "hello"},
      {"a torn envelope", good.substr(0, good.size() / 2)},
      {"no zstd", around("this is not zstd")},
      {"a torn zstd frame", around(batch_of(100, 0, now()).substr(0, 60))},
      {"zstd of no batch", around(zstd("\xff\xff\xff\xff nothing of ours"))},
      {"a zstd bomb that tells its size", around(zstd_bomb(true)), kProtobuf, "identity", 413},
      {"a zstd bomb that does not", around(zstd_bomb(false)), kProtobuf, "identity", 413},
      {"a packed envelope", good, kProtobuf, "gzip", 415},
      {"another encoding", good, kProtobuf, "br", 415},
      {"no JSON", "{", kJson},
      {"nothing as JSON", "", kJson},
      {"a list", "[]", kJson},
      {"no events", R"({"batch_id":"b","node_id":"n"})", kJson},
      {"events of another type", R"({"batch_id":"b","node_id":"n","events":{}})", kJson},
      {"deep JSON", deep, kJson},
      {"no UTF-8", "{\"batch_id\":\"\xff\xfe\",\"node_id\":\"n\",\"events\":[]}", kJson},
      {"no gzip", "hello", kJson, "gzip"},
      {"a gzip bomb", gzip_bomb(), kJson, "gzip", 413},
  };
  for (const Case& c : cases) {
    const HttpResponse answer =
        server.send("POST", "/api/v1/telemetry", c.body,
                    {{"content-type", c.type}, {"content-encoding", c.encoding}});
    EXPECT_EQ(answer.status, c.status) << c.what << ": " << answer.body;
    const Json json = Json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(json.is_object() && json.contains("error")) << c.what << ": " << answer.body;
    EXPECT_FALSE(json["error"].get<std::string>().empty()) << c.what;
  }
  const HttpResponse large = server.send("POST", "/api/v1/telemetry", std::string(33 << 20, 'x'),
                                         {{"content-type", kJson}});
  EXPECT_EQ(large.status, 413) << large.body;

  // Bytes of a good batch that changed on their way.
  std::mt19937 random(crash_seed());
  unsigned refused = 0;
  for (unsigned i = 0; i < 500; ++i) {
    std::string body = good;
    for (auto changes = 1 + random() % 8; changes > 0; --changes)
      body[random() % body.size()] = static_cast<char>(random());
    const HttpResponse answer =
        server.send("POST", "/api/v1/telemetry", body, {{"content-type", kProtobuf}});
    EXPECT_TRUE(answer.status == 400 || answer.status == 413 || answer.status == 200)
        << answer.status << ' ' << answer.body;
    refused += answer.status == 200 ? 0 : 1;
  }
  EXPECT_GT(refused, 250U);

  const auto before = server.status()["storage"]["total_connections"].get<std::uint64_t>();
  const std::string next = envelope_of(batch_of(100, 100, now()), 3, now());
  EXPECT_EQ(server.send("POST", "/api/v1/telemetry", next, {{"content-type", kProtobuf}}).status,
            200);
  EXPECT_EQ(server.status()["storage"]["total_connections"], before + 100);
  EXPECT_GT(server.status()["batches_refused"], 0);
  server.end();
}

// The clients, in a process of their own, as each end needs descriptors. They end with their input.
[[noreturn]] void be_clients(const std::string& endpoint, int in, int out, std::size_t count) {
  std::vector<RawConnection> idle;
  idle.reserve(count);
  bool answered = true;
  for (std::size_t i = 0; i < count; ++i) {
    idle.emplace_back(endpoint);
    if (i % 2 == 1) continue;  // one half asks something, the other never does
    idle.back().send("GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    answered = answered && idle.back().read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK");
  }
  char one = answered && !testing::Test::HasFailure() ? 'r' : 'f';
  if (::write(out, &one, 1) != 1 || ::read(in, &one, 1) < 0) ::_exit(1);
  ::_exit(0);
}

TEST(TenThousandIdleClients, LeaveTelemetryAndApiAlone) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max < 10'600) {
    GTEST_SKIP() << "RLIMIT_NOFILE allows " << limit.rlim_max << " descriptors, not 10,600";
  }
  const Folder folder;
  Server server(folder.path());
  server.start();
  int to_clients[2], from_clients[2];
  ASSERT_EQ(::pipe2(to_clients, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(from_clients, O_CLOEXEC), 0);
  const pid_t clients = ::fork();
  ASSERT_GE(clients, 0);
  if (clients == 0) {
    ::close(to_clients[1]);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    be_clients(server.endpoint(), to_clients[0], from_clients[1], 10'000);
  }
  ::close(to_clients[0]);
  ::close(from_clients[1]);
  char said = 0;
  ASSERT_EQ(::read(from_clients[0], &said, 1), 1) << end_of(server.log());
  EXPECT_EQ(said, 'r');

  const Json crowded = server.status();
  EXPECT_GE(crowded["system"]["open_fds"], 10'000);
  Edge edge({.folder = folder / "spool", .url = server.url()});
  edge.begin_sending();
  for (int i = 0; i < 100; ++i) {
    edge.add(100);
    EXPECT_EQ(server.send("GET", "/api/v1/connections").status, 200);
  }
  EXPECT_TRUE(wait_for([&] { return edge.is_drained(); })) << end_of(server.log());
  EXPECT_EQ(server.status()["storage"]["total_connections"], 10'000);
  std::printf("%.0f MB with 10,000 clients\n", crowded["system"]["memory_mb"].get<double>());

  ::close(to_clients[1]);
  ::close(from_clients[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(clients, &status, 0), clients);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(wait_for([&] { return server.status()["system"]["open_fds"] < 200; }));
  server.end();
}

}  // namespace
}  // namespace beaconry::faults
