#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "control/test_server.h"
#include "control/totp.h"
#include "http/certificates.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::string kGood = "correct horse battery";

// People log in over HTTP. The server's clock can be turned on.
class PeopleTest : public test::ServerTest {
 protected:
  Timestamp clock() const override { return start_ + std::chrono::seconds{later_.load()}; }
  void add(const std::string& name, Role role) {
    const auto made = control_->users().create(name, role, kGood, "test", control_->now());
    ASSERT_TRUE(made) << made.error().message();
  }

  HttpResponse send(const std::string& method, const std::string& target,
                    const std::string& body = {}, HttpHeaders headers = {}) {
    if (method != "GET" || target != "/api/v1/events")
      return ServerTest::send(method, target, body, std::move(headers));
    // Events have no end: their head is enough.
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = std::move(headers);
    const auto answer = client_->stream(request, [](std::string_view) { return false; });
    EXPECT_TRUE(answer) << target << ' ' << answer.error().message();
    return answer ? *answer : HttpResponse{};
  }
  HttpResponse log_in(const std::string& name, const std::string& password,
                      const std::string& code = {}, HttpHeaders headers = {}) {
    return send("POST", "/api/v1/session",
                Json{{"name", name}, {"password", password}, {"code", code}}.dump(),
                std::move(headers));
  }
  static std::string secret_of(const HttpResponse& answer) {
    const std::string cookie(answer.header("set-cookie"));
    const auto from = cookie.find('=') + 1;
    return cookie.substr(from, cookie.find(';') - from);
  }
  // What a browser that is logged in sends.
  static HttpHeaders as(const std::string& secret) {
    return {{"cookie", "other=1; beaconry_session=" + secret},
            {"x-beaconry-csrf", Sessions::csrf(secret)}};
  }
  std::string session_of(const std::string& name) {
    return control_->sessions()
        .create(name, control_->users().find(name)->generation, control_->now())
        .value();
  }
  int status(const std::string& target, const HttpHeaders& headers) {
    return send("GET", target, {}, headers).status;
  }

  const Timestamp start_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::atomic<int> later_ = 0;
};

// Whether the door was shut, before the route was asked.
enum class Door { open, unknown, forbidden };
Door door(const HttpResponse& answer) {
  if (answer.status == 401 && !answer.header("www-authenticate").empty()) return Door::unknown;
  const bool shut =
      answer.status == 403 && answer.body.find("does not allow this") != std::string::npos;
  return shut ? Door::forbidden : Door::open;
}

TEST_F(PeopleTest, EveryRouteIsOpenToTheRolesThatMayAndToNobodyElse) {
  struct Caller {
    std::string name;
    Role role;
    bool token;
  };
  std::vector<Caller> callers = {{"nobody", Role::none, false}};
  for (const Role role : {Role::admin, Role::operator_, Role::analyst, Role::viewer}) {
    callers.push_back({std::string(to_string(role)), role, false});
    add(callers.back().name, role);
  }
  for (const Role role :
       {Role::ingest, Role::viewer, Role::analyst, Role::operator_, Role::admin}) {
    callers.push_back({*control_->tokens().create("of-" + std::string(to_string(role)), role, {},
                                                  "test", control_->now()),
                       role, true});
  }
  std::size_t asked = 0;
  for (const Resource* resource : resources_table()) {
    for (const Route& route : resource->routes) {
      std::string target(route.path);
      if (const auto open = target.find('{'); open != std::string::npos) {
        target.replace(open, target.find('}') - open + 1, "no-such-thing");
      }
      const std::string method(route.method);
      for (const Caller& caller : callers) {
        const std::string words = method + ' ' + target + " by " + caller.name;
        HttpHeaders headers;
        std::string secret;
        if (caller.token) {
          headers = {{"authorization", "Bearer " + caller.name}};
        } else if (caller.role != Role::none) {
          secret = session_of(caller.name);
          headers = as(secret);
        }
        const Door expected = allows(caller.role, route.role) ? Door::open
                              : caller.role == Role::none     ? Door::unknown
                                                              : Door::forbidden;
        EXPECT_EQ(door(send(method, target, "{}", headers)), expected) << words;
        ++asked;
        if (secret.empty() || expected != Door::open) continue;
        // Another site's page can make a browser send the cookie, and no more.
        const bool changes = method != "GET" && route.role != Role::none;
        const std::string fresh = session_of(caller.name);
        for (HttpHeaders forged :
             {HttpHeaders{}, HttpHeaders{{"x-beaconry-csrf", Sessions::csrf(secret)}}}) {
          forged.emplace_back("cookie", "beaconry_session=" + fresh);
          const HttpResponse answer = send(method, target, "{}", forged);
          EXPECT_EQ(answer.status == 403 && answer.body.find("CSRF") != std::string::npos, changes)
              << words << ' ' << answer.body;
        }
      }
    }
  }
  EXPECT_GT(asked, 400U);
}

TEST_F(PeopleTest, ALoginGivesACookieThatScriptsAndOtherSitesDoNotGet) {
  add("anna", Role::admin);
  EXPECT_EQ(status("/api/v1/status", {}), 401);  // from the first user on, also on loopback
  const HttpResponse answer = log_in("Anna", kGood);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string cookie(answer.header("set-cookie"));
  for (const char* part : {"beaconry_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/"})
    EXPECT_THAT(cookie, HasSubstr(part));
  EXPECT_THAT(cookie, Not(HasSubstr("Secure")));  // this one is not over TLS
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  const std::string secret = secret_of(answer);
  EXPECT_THAT(answer.body, Not(HasSubstr(secret)));
  const Json who = Json::parse(answer.body);
  EXPECT_EQ(who["name"], "anna");
  EXPECT_EQ(who["role"], "admin");
  EXPECT_EQ(who["csrf"], Sessions::csrf(secret));
  const Json again = Json::parse(send("GET", "/api/v1/session", {}, as(secret)).body);
  EXPECT_EQ(again["name"], "anna");
  EXPECT_EQ(again["csrf"], who["csrf"]);
  EXPECT_EQ(again["totp"], "off");

  EXPECT_EQ(send("DELETE", "/api/v1/session", {}, as(secret)).status, 200);
  EXPECT_EQ(status("/api/v1/session", as(secret)), 401);
  // What is over hinders nothing that needs nobody.
  for (const char* open : {"/", "/api/v1/health", "/api/v1/openapi.json"})
    EXPECT_EQ(status(open, as(secret)), 200) << open;
  EXPECT_EQ(status("/", {{"cookie", ";;=; beaconry_session; beaconry_session==\"x"}}), 200);
  EXPECT_EQ(log_in("anna", kGood, {}, as(secret)).status, 200);
}

TEST_F(PeopleTest, ACookieThatWasPlantedBeforeTheLoginIsWorthNothing) {
  add("anna", Role::admin);
  const std::string planted(64, 'a');
  const std::string first = secret_of(log_in("anna", kGood, {}, as(planted)));
  EXPECT_NE(first, planted);
  EXPECT_EQ(status("/api/v1/session", as(planted)), 401);
  const std::string second = secret_of(log_in("anna", kGood, {}, as(first)));
  EXPECT_NE(second, first);
  EXPECT_EQ(status("/api/v1/session", as(first)), 401);
  EXPECT_EQ(status("/api/v1/session", as(second)), 200);
  // One of this name that a neighbouring host planted does not hide it either.
  EXPECT_EQ(status("/api/v1/session",
                   {{"cookie", "beaconry_session=" + planted + "; beaconry_session=" + second}}),
            200);
}

TEST_F(PeopleTest, ASessionEndsByTimeByChangeAndNotByARestart) {
  add("anna", Role::admin);
  add("bob", Role::viewer);
  const auto anna = [&] { return as(session_of("anna")); };
  const std::string idle = session_of("bob");
  later_ = 11 * 3600;
  EXPECT_EQ(status("/api/v1/session", as(idle)), 200);
  start();
  later_ = 22 * 3600;
  EXPECT_EQ(status("/api/v1/session", as(idle)), 200);
  later_ = 35 * 3600;
  EXPECT_EQ(status("/api/v1/session", as(idle)), 401);

  for (const char* change : {R"({"role":"analyst"})", R"({"password":"another password"})",
                             R"({"disabled":true})", R"({"disabled":false})"}) {
    const std::string secret = session_of("bob");
    ++later_;
    EXPECT_EQ(send("PATCH", "/api/v1/users/bob", change, anna()).status, 200) << change;
    EXPECT_EQ(status("/api/v1/session", as(secret)), 401) << change;
  }
  EXPECT_EQ(log_in("bob", kGood).status, 401);
  EXPECT_EQ(Json::parse(log_in("bob", "another password").body)["role"], "analyst");
  const std::string last = session_of("bob");
  EXPECT_EQ(send("DELETE", "/api/v1/users/bob", {}, anna()).status, 200);
  EXPECT_EQ(status("/api/v1/session", as(last)), 401);
  EXPECT_EQ(send("DELETE", "/api/v1/users/anna", {}, anna()).status, 400);  // the last admin
}

TEST_F(PeopleTest, ALoginOfTheOldPasswordIsWorthNothingAfterTheChange) {
  add("anna", Role::admin);
  add("bob", Role::viewer);
  // The old password was found right; before its session is there, another one holds.
  const auto login = control_->users().log_in("bob", kGood, "", control_->now());
  ASSERT_TRUE(login->right);
  EXPECT_EQ(send("PATCH", "/api/v1/users/bob", R"({"password":"another password"})",
                 as(session_of("anna")))
                .status,
            200);
  const auto late =
      control_->sessions().create("bob", login->user.generation, control_->now()).value();
  EXPECT_EQ(status("/api/v1/session", as(late)), 401);
  EXPECT_EQ(status("/api/v1/session", as(session_of("bob"))), 200);
}

TEST_F(PeopleTest, AClockThatIsSetBackShutsNobodyOut) {
  later_ = 6 * 3600;
  add("anna", Role::admin);
  later_ = 0;
  const HttpResponse login = log_in("anna", kGood);
  EXPECT_EQ(login.status, 200);
  EXPECT_EQ(status("/api/v1/session", as(secret_of(login))), 200);
}

TEST_F(PeopleTest, WhatNobodyIsRefusedIsCountedApartFromWhatPeopleDo) {
  add("anna", Role::admin);
  EXPECT_EQ(
      send("PATCH", "/api/v1/users/anna", R"({"role":"viewer"})", as(session_of("anna"))).status,
      400);
  const auto pair = make_self_signed("edge", control_->now());
  ASSERT_TRUE(pair);
  EXPECT_EQ(send("POST", "/api/v1/enroll",
                 Json{{"token", "bce_none"},
                      {"kind", "sensor"},
                      {"name", "x"},
                      {"certificate", pair->certificate_pem}}
                     .dump())
                .status,
            403);
  EXPECT_EQ(log_in("anna", "wrong horse battery").status, 401);
  const auto actions =
      control_->database().transact([](SQLite::Database& tables) -> Result<std::string> {
        return tables
            .execAndGet(
                "SELECT group_concat(action) FROM (SELECT action FROM audit WHERE "
                "by_nobody ORDER BY id)")
            .getString();
      });
  EXPECT_EQ(*actions, "POST /api/v1/enroll,POST /api/v1/session");
  EXPECT_EQ(control_->audit().list({})->size(), 3U);
}

TEST_F(PeopleTest, AnExpiredCookieShutsNeitherThePageNorTheLogin) {
  add("anna", Role::admin);
  const std::string secret = session_of("anna");
  EXPECT_EQ(status("/api/v1/session", as(secret)), 200);
  later_ = 13 * 3600;
  // A browser goes on sending it, and what its page once knew beside it.
  for (const std::string& sent : {secret, std::string("nonsense"), std::string()}) {
    for (const char* path : {"/ui", "/ui/", "/ui/fleet"})
      EXPECT_EQ(status(path, as(sent)), 200) << path << ' ' << sent;
    const HttpResponse asked = send("GET", "/api/v1/session", {}, as(sent));
    EXPECT_EQ(asked.status, 401);
    EXPECT_THAT(asked.body, HasSubstr("log in"));
    const HttpResponse again = log_in("anna", kGood, {}, as(sent));
    EXPECT_EQ(again.status, 200) << again.body;
    EXPECT_EQ(status("/api/v1/session", as(secret_of(again))), 200);
  }
}

TEST_F(PeopleTest, MetricsCountLoginsAndSessions) {
  add("anna", Role::admin);
  EXPECT_EQ(log_in("anna", kGood).status, 200);
  for (int i = 0; i < 7; ++i)
    log_in("anna", "wrong horse battery");
  HttpHeaders headers = as(session_of("anna"));
  const std::string text = send("GET", "/api/v1/metrics", {}, headers).body;
  EXPECT_THAT(text, HasSubstr("beaconry_logins_total{outcome=\"done\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("beaconry_logins_total{outcome=\"refused\"} "));
  EXPECT_THAT(text, Not(HasSubstr("beaconry_logins_total{outcome=\"refused\"} 0\n")));
  EXPECT_THAT(text, HasSubstr("beaconry_logins_total{outcome=\"limited\"} "));
  EXPECT_THAT(text, Not(HasSubstr("beaconry_logins_total{outcome=\"limited\"} 0\n")));
  EXPECT_THAT(text, HasSubstr("beaconry_sessions 2\n"));
}

TEST_F(PeopleTest, OnesOwnPasswordEndsTheOtherSessionsAndKeepsThisBrowser) {
  add("anna", Role::admin);
  add("bob", Role::viewer);
  const std::string here = session_of("bob"), elsewhere = session_of("bob");
  const auto change = [&](const std::string& password) {
    return send("PATCH", "/api/v1/session",
                Json{{"password", password}, {"new_password", "another password"}}.dump(),
                as(here));
  };
  EXPECT_EQ(change("not the password").status, 403);
  EXPECT_EQ(status("/api/v1/session", as(here)), 200);
  const HttpResponse done = change(kGood);
  ASSERT_EQ(done.status, 200) << done.body;
  for (const std::string& old : {here, elsewhere})
    EXPECT_EQ(status("/api/v1/session", as(old)), 401);
  EXPECT_EQ(status("/api/v1/session", as(secret_of(done))), 200);
}

TEST_F(PeopleTest, GuessingIsSlowedDownAndTellsNotWhoThereIs) {
  add("anna", Role::admin);
  const HttpResponse unknown = log_in("eve", "wrong horse battery"),
                     known = log_in("anna", "wrong horse battery");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(unknown.body, known.body);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(log_in("anna", "wrong horse battery").status, 401);
  const HttpResponse wait = log_in("anna", kGood);
  EXPECT_EQ(wait.status, 429);
  EXPECT_EQ(wait.header("retry-after"), "1");
  later_ = 1;
  EXPECT_EQ(log_in("anna", kGood).status, 200);
}

TEST_F(PeopleTest, TheSecondFactorIsTurnedOnByItsFirstCode) {
  add("anna", Role::admin);
  std::string secret = session_of("anna");
  const auto change = [&](Json body) {
    body["password"] = kGood;
    const HttpResponse answer = send("PATCH", "/api/v1/session", body.dump(), as(secret));
    EXPECT_EQ(answer.status, 200) << answer.body;
    secret = secret_of(answer);
    return Json::parse(answer.body, nullptr, false);
  };
  const auto code = [&](const std::string& key) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(control_->now().time_since_epoch());
    return totp_code(*parse_base32(key), static_cast<std::uint64_t>(seconds.count()) / 30);
  };
  const Json begun = change({{"totp", true}});
  EXPECT_EQ(begun["totp"], "pending");
  const std::string key = begun["totp_secret"].get<std::string>();
  EXPECT_THAT(begun["totp_uri"].get<std::string>(), HasSubstr(key));
  EXPECT_EQ(change({{"code", code(key)}})["totp"], "on");
  later_ = 600;
  const HttpResponse without = log_in("anna", kGood);
  EXPECT_EQ(without.status, 401);
  EXPECT_EQ(Json::parse(without.body)["code_needed"], true);
  const std::string right = code(key);
  EXPECT_EQ(log_in("anna", kGood, right).status, 200);
  EXPECT_EQ(log_in("anna", kGood, right).status, 401);  // once
}

TEST_F(PeopleTest, WhoChangedWhatIsKeptWithoutSecrets) {
  add("anna", Role::admin);
  const HttpResponse login = log_in("anna", kGood);
  const std::string secret = secret_of(login);
  log_in("anna", "wrong horse battery");
  const Json user = {{"name", "bob"}, {"role", "viewer"}, {"password", "bobs own secret"}};
  EXPECT_EQ(send("POST", "/api/v1/users", user.dump(), as(secret)).status, 200);
  EXPECT_EQ(send("PATCH", "/api/v1/users/bob", R"({"role":"operator","password":"bobs next one"})",
                 as(secret))
                .status,
            200);
  EXPECT_EQ(send("POST", "/api/v1/users", user.dump(), as(secret)).status, 400);
  const std::string bearer = Json::parse(
      send("POST", "/api/v1/tokens", R"({"name":"ci","role":"read"})", as(secret)).body)["token"];
  EXPECT_EQ(
      send("POST", "/api/v1/config", R"({"detection":{"alert_threshold":0.9}})", as(secret)).status,
      200);

  const HttpResponse answer = send("GET", "/api/v1/audit?who=anna&since=1h", {}, as(secret));
  for (const std::string& hidden :
       {kGood, std::string("bobs own secret"), std::string("bobs next one"), bearer, secret}) {
    EXPECT_THAT(answer.body, Not(HasSubstr(hidden)));
  }
  const Json entries = Json::parse(answer.body)["entries"];
  std::vector<std::string> lines;
  for (const Json& entry : entries) {
    EXPECT_EQ(entry["address"], "127.0.0.1");
    lines.push_back(entry["action"].get<std::string>() + ' ' + entry["object"].get<std::string>() +
                    ' ' + entry["outcome"].get<std::string>());
  }
  EXPECT_THAT(lines,
              testing::ElementsAre(
                  HasSubstr("POST /api/v1/config "), "POST /api/v1/tokens ci done",
                  "POST /api/v1/users bob refused 400", "PATCH /api/v1/users/{name} bob done",
                  "POST /api/v1/users bob done", "POST /api/v1/session anna refused 401",
                  "POST /api/v1/session anna done"));
  EXPECT_EQ(entries[3]["before"]["role"], "viewer");
  EXPECT_EQ(entries[3]["after"]["role"], "operator");
  EXPECT_EQ(entries[3]["role"], "admin");
}

TEST_F(PeopleTest, WithoutUsersLoopbackNeedsNoLogin) {
  const Json who = Json::parse(send("GET", "/api/v1/session").body);
  EXPECT_EQ(who["name"], "loopback");
  EXPECT_EQ(who["role"], "admin");
  EXPECT_EQ(who["csrf"], "");
  EXPECT_EQ(send("POST", "/api/v1/users", R"({"name":"a","role":"viewer","password":"1234567890"})")
                .status,
            400);  // the first is an admin
  EXPECT_EQ(send("POST", "/api/v1/users", R"({"name":"a","role":"admin","password":"1234567890"})")
                .status,
            200);
  EXPECT_EQ(status("/api/v1/session", {}), 401);
  start();
  EXPECT_EQ(status("/api/v1/session", {}), 401);
}

TEST_F(PeopleTest, WhoLoggedInDecidesInHisOwnName) {
  add("anna", Role::admin);
  add("bob", Role::analyst);
  const Json body = {{"subject", "no-such"}, {"reason", "x"}, {"author", "anna"}};
  send("POST", "/api/v1/triage", body.dump(), as(session_of("bob")));
  const Json audit =
      Json::parse(send("GET", "/api/v1/audit", {}, as(session_of("anna"))).body)["entries"];
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0]["who"], "bob");
  EXPECT_EQ(audit[0]["object"], "no-such");
}

}  // namespace
}  // namespace beaconry
