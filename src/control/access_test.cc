#include "control/access.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

const CredentialSource kSource{[](std::string_view secret) -> std::optional<Credential> {
                                 if (secret == "admin-secret")
                                   return Credential{"anna", Role::admin};
                                 if (secret == "read-secret") return Credential{"bob", Role::read};
                                 return std::nullopt;
                               },
                               [](std::string_view key) -> std::optional<Credential> {
                                 if (key == "enrolled") return Credential{"enrolled", Role::ingest};
                                 return std::nullopt;
                               }};

HttpRequest request(const char* from, HttpHeaders headers = {}) {
  HttpRequest head;
  head.peer.address = *IpAddress::parse(from);
  head.headers = std::move(headers);
  return head;
}

AccessRules tokens_exist() {
  AccessRules rules;
  rules.has_tokens = true;
  return rules;
}

TEST(Anonymous, FollowsWhatThereIsUnlessItIsSet) {
  AccessRules rules;
  EXPECT_EQ(rules.anonymous(), Anonymous::loopback);
  rules.has_api_key = true;
  EXPECT_EQ(rules.anonymous(), Anonymous::loopback_read);
  rules.has_tokens = true;
  EXPECT_EQ(rules.anonymous(), Anonymous::none);
  rules.configured = Anonymous::loopback;
  EXPECT_EQ(rules.anonymous(), Anonymous::loopback);
}

TEST(Access, WithoutATokenOnlyLoopbackMayComeAndOnlyAsFarAsTheRulesSay) {
  AccessRules rules;
  EXPECT_EQ(identify(request("127.0.0.1"), rules, kSource).role, Role::admin);
  EXPECT_EQ(identify(request("127.0.0.1"), rules, kSource).who, "loopback");
  EXPECT_EQ(identify(request("::1"), rules, kSource).role, Role::admin);
  EXPECT_EQ(identify(request("10.0.0.5"), rules, kSource).role, Role::none);
  EXPECT_EQ(identify(request("10.0.0.5"), rules, kSource).who, "nobody");
  rules.has_api_key = true;
  EXPECT_EQ(identify(request("127.0.0.1"), rules, kSource).role, Role::read);
  rules.has_tokens = true;
  EXPECT_EQ(identify(request("127.0.0.1"), rules, kSource).role, Role::none);
  HttpRequest unix_peer;
  unix_peer.peer.unix_socket = true;
  EXPECT_EQ(identify(unix_peer, AccessRules{}, kSource).role, Role::admin);
}

TEST(Access, InsecureTakesWhoeverReachesTheListenerForLocal) {
  AccessRules rules;
  rules.insecure = true;
  const Access access = identify(request("172.17.0.1"), rules, kSource);
  EXPECT_EQ(access.role, Role::admin);
  EXPECT_EQ(access.who, "172.17.0.1");
  rules.has_tokens = true;
  EXPECT_EQ(identify(request("172.17.0.1"), rules, kSource).role, Role::none);
}

TEST(Access, TokensAreTakenByEitherHeader) {
  for (const HttpHeaders& headers :
       {HttpHeaders{{"authorization", "Bearer read-secret"}},
        HttpHeaders{{"authorization", "bearer  read-secret "}},
        HttpHeaders{{"x-api-key", "read-secret"}},
        HttpHeaders{{"x-api-key", "read-secret"}, {"authorization", "Bearer read-secret"}}}) {
    const Access access = identify(request("10.0.0.5", headers), tokens_exist(), kSource);
    EXPECT_EQ(access.role, Role::read);
    EXPECT_EQ(access.who, "bob");
    EXPECT_EQ(access.refused, 0);
  }
}

TEST(Access, AWrongTokenIsRefusedEvenWhereNoneIsNeeded) {
  for (const HttpHeaders& headers :
       {HttpHeaders{{"authorization", "Bearer wrong"}}, HttpHeaders{{"x-api-key", "wrong"}},
        HttpHeaders{{"authorization", "Basic YTpi"}}, HttpHeaders{{"authorization", "Bearer "}},
        HttpHeaders{{"x-api-key", "read-secret"}, {"authorization", "Bearer admin-secret"}},
        HttpHeaders{{"x-api-key", "read-secret"}, {"x-api-key", "admin-secret"}}}) {
    const Access access = identify(request("127.0.0.1", headers), AccessRules{}, kSource);
    EXPECT_EQ(access.refused, 401);
    EXPECT_EQ(access.role, Role::none);
    EXPECT_EQ(access.reason.find("wrong"), std::string::npos);
  }
}

TEST(Access, AnEdgeIsKnownByItsKeyAndMayOnlySend) {
  HttpRequest head = request("10.0.0.5", {{"host", "any.name.example"}});
  head.peer.key = "enrolled";
  const Access access = identify(head, tokens_exist(), kSource);
  EXPECT_EQ(access.role, Role::ingest);
  EXPECT_TRUE(access.edge);
  EXPECT_EQ(access.who, "enrolled");
  head.peer.key = "unknown";
  head.headers.clear();
  EXPECT_EQ(identify(head, tokens_exist(), kSource).role, Role::none);
}

TEST(Access, HostMustBeOneThatNobodyElseCanPointHere) {
  AccessRules rules;
  rules.names = {"Beaconry.Corp.Example"};
  for (const char* host :
       {"127.0.0.1:9090", "localhost", "LOCALHOST:9090", "[::1]:9090", "control-plane:9090",
        "beaconry.corp.example:443", "10.0.0.1", "x.localhost"}) {
    EXPECT_EQ(identify(request("127.0.0.1", {{"host", host}}), rules, kSource).refused, 0) << host;
  }
  for (const char* host : {"evil.example", "evil.example:9090", "127.0.0.1.evil.example",
                           "beaconry.corp.example.evil", "localhost."}) {
    const Access access = identify(request("127.0.0.1", {{"host", host}}), rules, kSource);
    EXPECT_EQ(access.refused, 403) << host;
    EXPECT_NE(access.reason.find("control_plane.names"), std::string::npos);
  }
  for (const char* host : {":9090", "a:b", "a:1:2", "[::1", "[x]:1", "a:99999", "[::1]x"}) {
    EXPECT_EQ(identify(request("127.0.0.1", {{"host", host}}), rules, kSource).refused, 400)
        << host;
  }
  EXPECT_EQ(identify(request("127.0.0.1", {{"host", "a"}, {"host", "b"}}), rules, kSource).refused,
            400);
}

TEST(Access, AnotherSitesPageIsRefused) {
  const auto refused = [](HttpHeaders headers) {
    headers.emplace_back("host", "localhost:9090");
    return identify(request("127.0.0.1", std::move(headers)), AccessRules{}, kSource).refused;
  };
  EXPECT_EQ(refused({{"origin", "http://localhost:9090"}}), 0);
  EXPECT_EQ(refused({{"origin", "http://evil.example"}}), 403);
  EXPECT_EQ(refused({{"origin", "http://localhost:8080"}}), 403);
  EXPECT_EQ(refused({{"origin", "null"}}), 403);
  EXPECT_EQ(refused({{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "no-cors"}}), 403);
  EXPECT_EQ(refused({{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "navigate"}}), 0);
  EXPECT_EQ(refused({{"sec-fetch-site", "same-origin"}}), 0);
}

TEST(Roles, AllowWhatTheyAreFor) {
  constexpr Role kAll[] = {Role::none,    Role::ingest,    Role::viewer,
                           Role::analyst, Role::operator_, Role::admin};
  // Rows: who has it; columns: what is needed, in the same order.
  constexpr bool kMay[6][6] = {
      {true, false, false, false, false, false}, {true, true, false, false, false, false},
      {true, false, true, false, false, false},  {true, false, true, true, false, false},
      {true, false, true, true, true, false},    {true, true, true, true, true, true}};
  for (std::size_t have = 0; have < 6; ++have) {
    for (std::size_t need = 0; need < 6; ++need) {
      EXPECT_EQ(allows(kAll[have], kAll[need]), kMay[have][need]) << have << ' ' << need;
    }
  }
}

}  // namespace
}  // namespace beaconry
