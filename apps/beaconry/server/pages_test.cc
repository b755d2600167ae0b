#include "server/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using testing::ElementsAre;

// A server with `count` rows 0, 1, ... whose cursor is the next row's number.
class Rows {
 public:
  explicit Rows(std::size_t count) : count_(count) {}

  Result<std::string> list(std::optional<std::uint64_t> limit) {
    return pages_of([this](const PageQuery& query) { return answer(query); }, {{"src_ip", "x"}},
                    "pairs", limit);
  }
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  Result<std::string> answer(const PageQuery& query) {
    std::size_t limit = 100, first = 0;
    std::string words;
    for (const auto& [name, value] : query) {
      words += name + '=' + value + ' ';
      if (name == "limit") limit = std::stoul(value);
      if (name == "cursor") first = std::stoul(value);
    }
    asked_.push_back(words);
    EXPECT_LE(limit, kMostOfAPage);
    nlohmann::json json = {{"total", count_}, {"next_cursor", nullptr}};
    json["pairs"] = nlohmann::json::array();
    for (std::size_t i = first; i < std::min(count_, first + limit); ++i)
      json["pairs"].push_back(i);
    if (first + limit < count_) json["next_cursor"] = std::to_string(first + limit);
    return json.dump();
  }

  std::size_t count_;
  std::vector<std::string> asked_;
};

std::vector<std::size_t> rows_in(const Result<std::string>& text) {
  return nlohmann::json::parse(*text)["pairs"].get<std::vector<std::size_t>>();
}

TEST(Pages, FollowTheCursorUntilTheLimitIsReached) {
  Rows server(30'000);
  const auto rows = rows_in(server.list(20'001));
  ASSERT_EQ(rows.size(), 20'001U);
  for (std::size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(rows[i], i);
  EXPECT_THAT(server.asked(),
              ElementsAre("src_ip=x limit=10000 ", "src_ip=x limit=10000 cursor=10000 ",
                          "src_ip=x limit=1 cursor=20000 "));
}

TEST(Pages, EndWhereTheListEnds) {
  Rows server(12'000);
  const auto text = server.list(100'000);
  EXPECT_EQ(rows_in(text).size(), 12'000U);
  EXPECT_EQ(nlohmann::json::parse(*text)["total"], 12'000);
  EXPECT_EQ(server.asked().size(), 2U);
}

TEST(Pages, AskOnceWhereOnePageIsEnough) {
  Rows server(5);
  EXPECT_EQ(rows_in(server.list(3)).size(), 3U);
  EXPECT_EQ(rows_in(server.list(std::nullopt)).size(), 5U);
  EXPECT_THAT(server.asked(), ElementsAre("src_ip=x limit=3 ", "src_ip=x "));
}

// Servers that always have a next page and never a row, or an error, do not hold the caller.
TEST(Pages, EndWithAServerThatTurnsInCircles) {
  int asked = 0;
  const auto text = pages_of(
      [&](const PageQuery&) -> Result<std::string> {
        return ++asked == 1 ? R"({"pairs":[1],"next_cursor":"a"})"
                            : R"({"pairs":[],"next_cursor":"a"})";
      },
      {}, "pairs", 50);
  ASSERT_TRUE(text);
  EXPECT_EQ(rows_in(text).size(), 1U);
  EXPECT_EQ(asked, 2);
  EXPECT_FALSE(pages_of(
      [](const PageQuery&) -> Result<std::string> { return fail(ErrorKind::io, "ask", "x", "no"); },
      {}, "pairs", 50));
}

}  // namespace
}  // namespace beaconry
