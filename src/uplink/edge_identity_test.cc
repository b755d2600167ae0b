#include "uplink/edge_identity.h"

#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "http/certificates.h"
#include "http/test_support.h"
#include "spool/test_folder.h"
#include "uplink/sender.h"

namespace beaconry {
namespace {

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

EdgeIdentity identity_in(const std::string& folder) {
  auto identity = EdgeIdentity::open(folder, "tap-1");
  EXPECT_TRUE(identity) << identity.error().message();
  return std::move(*identity);
}

TEST(EdgeIdentity, IsMadeOnceAndKept) {
  const TestFolder folder;
  const std::string place = folder.path() + "/edge";
  const auto first = identity_in(place);
  EXPECT_EQ(first.fingerprint.size(), 64U);
  EXPECT_EQ(*key_fingerprint(first.certificate_pem), first.fingerprint);
  const auto again = EdgeIdentity::open(place, "another name");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->fingerprint, first.fingerprint);
  EXPECT_EQ(again->key_pem, first.key_pem);
  EXPECT_EQ(again->name, "another name");
  struct stat status {};
  ASSERT_EQ(::stat((place + "/edge.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(EdgeIdentity, IsMadeAnewWhenHalfOfItIsMissing) {
  const TestFolder folder;
  const auto first = identity_in(folder.path());
  std::filesystem::remove(folder.path() + "/edge.crt");
  EXPECT_NE(identity_in(folder.path()).fingerprint, first.fingerprint);
}

TEST(EdgeIdentity, SaysWhichFileIsBroken) {
  const TestFolder folder;
  (void)identity_in(folder.path());
  std::ofstream(folder.path() + "/edge.crt") << "nonsense";
  const auto broken = EdgeIdentity::open(folder.path(), "tap");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message().find("edge.crt"), std::string::npos);
}

class JoinTest : public testing::Test {
 protected:
  JoinTest() : ca_(*make_ca("Beaconry", now())), identity_(identity_in(folder_.path())) {
    const auto server = make_server_certificate(ca_, {"127.0.0.1"}, now());
    HttpServer::Options options;
    options.tls = HttpServer::Tls{server->certificate_pem + ca_.certificate_pem, server->key_pem};
    server_ = std::make_unique<TestServer>(options);
    server_->handler.on_handle = [this](const HttpRequest& request) { return answer(request); };
    pin_ = "SHA256:" + *certificate_fingerprint(ca_.certificate_pem);
    ::setenv("no_proxy", "127.0.0.1", 1);
  }
  HttpResponse answer(const HttpRequest& request) {
    ++requests_;
    HttpResponse response;
    peer_key_ = request.peer.key;
    if (request.path() != "/api/v1/enroll") {
      response.body = R"({"status":"accepted"})";
      return response;
    }
    const auto json = nlohmann::json::parse(request.body);
    EXPECT_EQ(json.at("kind"), "collector");
    EXPECT_EQ(json.at("name"), "tap-1");
    if (json.at("token") != "bce_good") {
      response.status = 403;
      response.body = R"({"error":"the token was used before"})";
      return response;
    }
    const auto key = key_fingerprint(json.at("certificate").get<std::string>());
    nlohmann::json body{{"edge", *key}, {"name", "tap at the server"}};
    if (!fleet_key_.empty()) body["fleet_key"] = fleet_key_;
    response.body = body.dump();
    return response;
  }
  Result<JoinedServer> join(const std::string& token, const std::string& pin) {
    return join_server(identity_, "collector", server_->url, pin, token, folder_.path());
  }

  TestFolder folder_;
  CertificateAndKey ca_;
  EdgeIdentity identity_;
  std::string pin_, peer_key_, fleet_key_;
  int requests_ = 0;
  std::unique_ptr<TestServer> server_;
};

TEST_F(JoinTest, KeepsTheServerThatItJoined) {
  const auto before = joined_server(folder_.path());
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().kind, ErrorKind::not_found);
  const auto joined = join("bce_good", pin_);
  ASSERT_TRUE(joined) << joined.error().message();
  EXPECT_EQ(peer_key_, identity_.fingerprint);
  const auto kept = joined_server(folder_.path());
  ASSERT_TRUE(kept) << kept.error().message();
  EXPECT_EQ(kept->url, server_->url);
  EXPECT_EQ(kept->ca_pem, joined->ca_pem);
  EXPECT_EQ(joined->name, "tap at the server");
  EXPECT_EQ(kept->name, "tap at the server");
  EXPECT_EQ(*certificate_fingerprint(kept->ca_pem), *certificate_fingerprint(ca_.certificate_pem));
}

TEST_F(JoinTest, PinsTheKeyByWhichTheServerSignsDocuments) {
  ASSERT_TRUE(join("bce_good", pin_));  // a server that tells none
  EXPECT_EQ(joined_server(folder_.path())->fleet_key, "");
  fleet_key_ = std::string(64, 'b');
  ASSERT_TRUE(join("bce_good", pin_));
  EXPECT_EQ(joined_server(folder_.path())->fleet_key, fleet_key_);
  fleet_key_ = "../../etc";
  EXPECT_FALSE(join("bce_good", pin_));
  EXPECT_EQ(joined_server(folder_.path())->fleet_key, std::string(64, 'b'));
}

TEST_F(JoinTest, SendsByTheKeyThatItJoinedWith) {
  const auto joined = join("bce_good", pin_);
  ASSERT_TRUE(joined) << joined.error().message();
  Spool::Options spooled;
  spooled.folder = folder_.spool();
  const auto spool = open_spool(spooled);
  put(*spool, "batch");
  Sender::Options options;
  options.server.url = joined->url;
  options.server.ca_pem = joined->ca_pem;
  options.server.certificate_pem = identity_.certificate_pem;
  options.server.key_pem = identity_.key_pem;
  options.edge = identity_.fingerprint;
  peer_key_.clear();
  const auto sender = Sender::start(options, *spool, now);
  ASSERT_TRUE(sender);
  ASSERT_TRUE(wait_for([&] { return spool->first() == 2; })) << (*sender)->status().last_error;
  EXPECT_EQ(peer_key_, identity_.fingerprint);
}

TEST_F(JoinTest, GivesItsTokenToNobodyElse) {
  const auto other = make_ca("Beaconry", now());
  const auto joined =
      join("bce_good", "SHA256:" + *certificate_fingerprint(other->certificate_pem));
  ASSERT_FALSE(joined);
  EXPECT_EQ(requests_, 0);
  EXPECT_FALSE(joined_server(folder_.path()));
}

TEST_F(JoinTest, SaysWhatToDoWithATokenThatIsRefused) {
  const auto joined = join("bce_bad", pin_);
  ASSERT_FALSE(joined);
  EXPECT_NE(joined.error().message().find("the token was used before"), std::string::npos);
  EXPECT_NE(joined.error().message().find("make a new join line"), std::string::npos);
  EXPECT_EQ(joined.error().message().find("bce_bad"), std::string::npos);
}

TEST_F(JoinTest, RefusesWhatProvesNothing) {
  EXPECT_FALSE(join("bce_good", "SHA256:abc"));
  EXPECT_FALSE(join("", pin_));
  const auto plain =
      join_server(identity_, "collector", "http://127.0.0.1:1", pin_, "t", folder_.path());
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().kind, ErrorKind::usage);
  EXPECT_EQ(requests_, 0);
}

}  // namespace
}  // namespace beaconry
