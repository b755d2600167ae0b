#include "uplink/answer.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

HttpResponse answer(int status, std::string body, HttpHeaders headers = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

TEST(Answer, TellsTheServersTime) {
  const auto time = parse_rfc3339("2026-11-20T08:15:30.125Z");
  const HttpHeaders date = {{"date", "Fri, 20 Nov 2026 08:15:31 GMT"}};
  EXPECT_EQ(server_time(answer(200, R"({"server_time":"2026-11-20T08:15:30.125Z"})", date)), time);
  EXPECT_EQ(server_time(answer(200, "{}", date)), parse_rfc3339("2026-11-20T08:15:31Z"));
  EXPECT_EQ(server_time(answer(200, R"({"server_time":7})")), std::nullopt);
  EXPECT_EQ(server_time(answer(200, "nonsense", {{"date", "yesterday"}})), std::nullopt);
  EXPECT_EQ(server_time(answer(200, "", {{"date", "Fri, 20 Nov 1926 08:15:31 GMT"}})),
            std::nullopt);
}

TEST(Answer, RepeatsTheServersWordsHarmlessly) {
  EXPECT_EQ(words_of_answer(answer(403, R"({"error":"not enrolled"})")),
            "status 403: not enrolled");
  EXPECT_EQ(words_of_answer(answer(500, "<html>")), "status 500");
  HttpResponse text = answer(502, "bad \x1b[31m gateway\n");
  text.content_type = "text/plain";
  EXPECT_EQ(words_of_answer(text), "status 502: bad \\x1b[31m gateway");
  const std::string longest = R"({"error":")" + std::string(5000, 'x') + "\"}";
  EXPECT_LT(words_of_answer(answer(500, longest)).size(), 400U);
}

TEST(Answer, TellsWhenToComeAgain) {
  EXPECT_EQ(retry_after(answer(503, "", {{"retry-after", "7"}})), std::chrono::seconds{7});
  EXPECT_EQ(retry_after(answer(503, "")), std::nullopt);
  EXPECT_EQ(retry_after(answer(503, "", {{"retry-after", "Fri, 20 Nov 2026"}})), std::nullopt);
  EXPECT_EQ(retry_after(answer(503, "", {{"retry-after", "99999999999"}})), std::chrono::hours{24});
}

}  // namespace
}  // namespace beaconry
