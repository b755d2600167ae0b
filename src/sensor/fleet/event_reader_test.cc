#include "sensor/fleet/event_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "http/event_stream.h"

namespace beaconry {
namespace {

struct Heard {
  std::vector<EventReader::Event> events;
  bool right = true;
};

Heard hear(const std::string& text, std::size_t piece, std::size_t longest = 1024) {
  EventReader reader(longest);
  Heard heard;
  for (std::size_t at = 0; at < text.size() && heard.right; at += piece) {
    heard.right =
        reader.take(std::string_view(text).substr(at, piece),
                    [&](const EventReader::Event& event) { heard.events.push_back(event); });
  }
  return heard;
}

TEST(EventReader, GivesWhatTheServerPushedHoweverItIsCut) {
  const std::string text = ": hello\n\n" + event_text("desired", "line 1\nline 2", "7") +
                           ": heartbeat\n\n" + event_text("ask", "{\"id\": \"a\"}", "");
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Heard heard = hear(text, piece);
    ASSERT_TRUE(heard.right);
    ASSERT_EQ(heard.events.size(), 2U) << piece;
    EXPECT_EQ(heard.events[0].name, "desired");
    EXPECT_EQ(heard.events[0].data, "line 1\nline 2");
    EXPECT_EQ(heard.events[1].name, "ask");
    EXPECT_EQ(heard.events[1].data, "{\"id\": \"a\"}");
  }
}

TEST(EventReader, KnowsAllEndsOfLines) {
  const std::string text = "event:a\r\ndata: 1\r\n\r\nevent: b\rdata:2\r\rdata\n\nevent: c\n\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const Heard heard = hear(text, piece);
    ASSERT_EQ(heard.events.size(), 3U) << piece;
    EXPECT_EQ(heard.events[0].name + heard.events[0].data, "a1");
    EXPECT_EQ(heard.events[1].name + heard.events[1].data, "b2");
    EXPECT_EQ(heard.events[2].name + heard.events[2].data, "");
  }
}

TEST(EventReader, GivesUpWhatIsTooLong) {
  EXPECT_FALSE(hear("data: " + std::string(2000, 'x'), 100).right);
  EXPECT_FALSE(hear(
                   [] {
                     std::string lines;
                     for (int i = 0; i < 300; ++i)
                       lines += "data: xxxx\n";
                     return lines;
                   }(),
                   100)
                   .right);
  EXPECT_TRUE(hear(std::string(500, ':') + "\n" + std::string(900, ':') + "\n", 100).right);
}

}  // namespace
}  // namespace beaconry
