#include "http/event_stream.h"

#include <atomic>
#include <mutex>

#include "http/test_support.h"

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kGet = "GET /events HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(EventText, KeepsForeignTextInItsField) {
  EXPECT_EQ(event_text("alert", "a\nb\r\nc", "7"),
            "id: 7\nevent: alert\ndata: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(event_text("a\ndata: forged", "", "1\n\n2"),
            "id: 1  2\nevent: a data: forged\ndata: \n\n");
}

// Hands each client a stream, and keeps them all.
struct Channel {
  explicit Channel(TestServer& test, std::size_t most_bytes = 1 << 20) {
    test.handler.on_handle = [this, most_bytes](const HttpRequest&) {
      HttpResponse out;
      out.events = EventStream::make(most_bytes);
      const std::lock_guard lock(mutex);
      streams.push_back(out.events);
      return out;
    };
  }
  void push(const std::string& data) {
    const std::lock_guard lock(mutex);
    for (const auto& stream : streams)
      stream->push("tick", data);
  }
  std::mutex mutex;
  std::vector<std::shared_ptr<EventStream>> streams;
};

TEST(EventStreams, ReachEveryClientWhileWorkersAreFree) {
  HttpServer::Options options;
  options.workers = 1;
  TestServer test(options);
  Channel channel(test);
  std::vector<std::unique_ptr<RawConnection>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawConnection>(test.endpoint));
    clients.back()->send(kGet);
    EXPECT_THAT(clients.back()->read_until("\r\n\r\n"),
                HasSubstr("Content-Type: text/event-stream\r\n"));
  }
  ASSERT_TRUE(wait_for([&] { return test.server->counters().streams == 20; }));
  for (int i = 0; i < 5; ++i)
    channel.push(std::to_string(i));
  for (const auto& client : clients) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(client->read_until("\n\n"), "event: tick\ndata: " + std::to_string(i) + "\n\n");
    }
  }
  clients.clear();
  EXPECT_TRUE(wait_for([&] { return test.server->counters().streams == 0; }));
  EXPECT_FALSE(channel.streams.front()->push("tick", "for nobody"));
  EXPECT_EQ(test.server->counters().streams_cut, 0U);
}

TEST(EventStreams, EndForASlowClientAlone) {
  TestServer test;
  Channel channel(test, 100'000);
  RawConnection slow(test.endpoint, 4'096), quick(test.endpoint);
  for (RawConnection* one : {&slow, &quick}) {
    one->send(kGet);
    one->read_until("\r\n\r\n");
  }
  ASSERT_TRUE(wait_for([&] { return test.server->counters().streams == 2; }));
  const std::string data(10'000, 'x');
  const std::string text = event_text("tick", data, "");
  // The quick one takes each event before the next.
  EXPECT_TRUE(wait_for([&] {
    channel.push(data);
    EXPECT_EQ(quick.read_until("\n\n"), text);
    return test.server->counters().streams_cut == 1;
  }));
  EXPECT_FALSE(channel.streams.front()->is_open());
  EXPECT_TRUE(channel.streams.back()->is_open());
  EXPECT_EQ(test.server->counters().streams, 1U);
}

TEST(EventStreams, BeatWhereNothingHappens) {
  HttpServer::Options options;
  options.heartbeat = std::chrono::seconds{1};
  TestServer test(options);
  Channel channel(test);
  RawConnection client(test.endpoint);
  client.send(kGet);
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_until("\n\n"), ":\n\n");
}

TEST(EventStreams, SendWhatWaitsBeforeTheyClose) {
  TestServer test;
  test.handler.on_handle = [](const HttpRequest&) {
    HttpResponse out;
    out.events = EventStream::make();
    out.events->push("tick", "first");
    out.events->push("tick", "last");
    out.events->close();
    return out;
  };
  EXPECT_THAT(ask_raw(test.endpoint, kGet), testing::EndsWith("data: first\n\nevent: tick\n"
                                                              "data: last\n\n"));
  EXPECT_TRUE(wait_for([&] { return test.server->counters().streams == 0; }));
}

TEST(EventStreams, OutliveTheServer) {
  std::shared_ptr<EventStream> stream;
  {
    TestServer test;
    Channel channel(test);
    RawConnection client(test.endpoint);
    client.send(kGet);
    client.read_until("\r\n\r\n");
    stream = channel.streams.front();
  }
  EXPECT_FALSE(stream->push("tick", "x"));
}

TEST(EventStreams, AreReadByTheClientPieceByPiece) {
  TestServer test;
  Channel channel(test);
  const auto client = test.client();
  std::string seen;
  std::atomic<int> quiet{0};
  HttpRequest request;
  request.target = "/events";
  std::thread pushing([&] {
    wait_for([&] { return quiet > 0; });  // the client may speak while nothing comes
    channel.push("one");
    channel.push("two");
  });
  const auto answer = client->stream(request, [&](std::string_view piece) {
    if (piece.empty()) ++quiet;
    seen += piece;
    return seen.find("two\n\n") == std::string::npos;
  });
  pushing.join();
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(seen, "event: tick\ndata: one\n\nevent: tick\ndata: two\n\n");
  EXPECT_TRUE(wait_for([&] { return test.server->counters().streams == 0; }));
}

TEST(EventStreams, ThatAreRefusedHaveABody) {
  TestServer test;
  test.handler.on_handle = [](const HttpRequest&) {
    HttpResponse out;
    out.status = 403;
    out.body = "no";
    return out;
  };
  const auto answer = test.client()->stream({}, [](std::string_view) { return true; });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 403);
  EXPECT_EQ(answer->body, "no");
}

}  // namespace
}  // namespace beaconry
