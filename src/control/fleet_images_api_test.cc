// Images: uploaded by people, fetched by sensors.
#include <gmock/gmock.h>

#include <fstream>

#include "control/test_fleet.h"
#include "fleet/test_image.h"
#include "image/digest.h"
#include "image/manifest.h"
#include "image/minisign.h"

namespace beaconry {
namespace {

using test::Machine;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kManifest =
    "name: beacon\nversion: \"1.0\"\ncapabilities: [net_raw]\n"
    "interfaces: [{name: probe, contract: rx}]\n"
    "config: {schema: {type: object, properties: {every: {type: integer}}}}\n";

class FleetImagesApi : public test::FleetServer {
 protected:
  std::string path(const std::string& rest = {}) const {
    return "/api/v1/fleet/images/" + sha256_ + rest;
  }
  void upload() {
    constexpr std::size_t kPiece = 100'000;
    for (std::size_t at = 0; at < image_.size(); at += kPiece) {
      const auto answer =
          send("PUT", path("?offset=" + std::to_string(at)), Json(image_.substr(at, kPiece)));
      ASSERT_EQ(answer.status, 200) << answer.body;
    }
  }
  std::string signature() {
    const std::string file = folder_ + "/image";
    std::ofstream(file, std::ios::binary) << image_;
    return sign_file(file, keys_.secret_text, "file:beacon").value();
  }
  void wish() { put("fleet", {{"instances", {{"beacon_0", {{"image", sha256_}}}}}}); }

  const std::string image_ = test::image_bytes(kManifest, 250'000);
  const std::string sha256_ = sha256_of(image_);
  const MinisignKeyPair keys_ = make_key_pair("author");
};

TEST_F(FleetImagesApi, AreUploadedInPiecesAndTellWhatTheyAre) {
  EXPECT_EQ(send("GET", path()).status, 404);
  EXPECT_EQ(call("PUT", path("?offset=0"), Json(image_.substr(0, 1000)))["have"], 1000);
  EXPECT_THAT(call("PUT", path("?offset=2000"), Json("x"), 409)["error"], HasSubstr("1000"));
  EXPECT_EQ(get(path())["have"], 1000);
  EXPECT_EQ(get("/api/v1/fleet/images")["images"][0]["complete"], false);
  upload();
  call("POST", path("/complete"), {{"signature", "none"}}, 400);
  const Json image = call("POST", path("/complete"), {{"signature", signature()}});
  EXPECT_EQ(image["complete"], true);
  EXPECT_EQ(image["signer"], parse_public_key(keys_.public_text, "k")->id);
  const Json shown = get(path());
  EXPECT_EQ(shown["name"], "beacon");
  EXPECT_EQ(shown["schema"]["properties"]["every"]["type"], "integer");
  EXPECT_EQ(shown["permission_digest"], permission_digest(*Manifest::parse(kManifest, "m")));
  EXPECT_THAT(shown["permissions"], testing::Contains("capability net_raw"));
  EXPECT_EQ(shown["interfaces"][0]["contract"], "rx");
  EXPECT_EQ(shown["manifest"]["name"], "beacon");
  for (const std::string name : {"..%2f..%2fetc%2fpasswd", "%2e%2e", "ABC", "x"}) {
    const std::string other = "/api/v1/fleet/images/" + name;
    EXPECT_EQ(send("PUT", other + "?offset=0", Json("x")).status, 400);
    EXPECT_EQ(send("POST", other + "/complete", Json::object()).status, 400);
    EXPECT_EQ(send("GET", other).status, 404);
  }
}

TEST_F(FleetImagesApi, AreOneLineOfTheAuditLogHoweverManyPieces) {
  upload();
  call("POST", path("/complete"), {{"signature", signature()}});
  const Json log = get("/api/v1/audit")["entries"];
  std::vector<std::string> actions;
  for (const Json& entry : log)
    actions.push_back(entry["action"]);
  EXPECT_THAT(actions, testing::ElementsAre("POST /api/v1/fleet/images/{sha256}/complete"));
}

TEST_F(FleetImagesApi, GoToSensorsThatShallHaveThemAndToNobodyElse) {
  upload();
  const std::string signed_by = signature();
  call("POST", path("/complete"), {{"signature", signed_by}});
  const Machine sensor = joined("oulu");
  const std::string self = "/api/v1/fleet/self/images/" + sha256_;
  EXPECT_EQ(sensor.send("GET", self).status, 403);
  EXPECT_EQ(send("GET", self).status, 403);  // people are no sensors
  wish();
  EXPECT_EQ(get(path())["used_by"], 1);
  const HttpResponse whole = sensor.send("GET", self);
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == image_);
  EXPECT_EQ(whole.header("accept-ranges"), "bytes");
  EXPECT_EQ(sensor.send("GET", self + "/signature").body, signed_by);

  const HttpResponse part = sensor.send("GET", self, {}, {{"range", "bytes=1000-200999"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_TRUE(part.body == image_.substr(1000, 200'000));
  const std::string total = std::to_string(image_.size());
  EXPECT_EQ(part.header("content-range"), "bytes 1000-200999/" + total);
  const HttpResponse behind = sensor.send("GET", self, {}, {{"range", "bytes=" + total + "-"}});
  EXPECT_EQ(behind.status, 416);
  EXPECT_EQ(behind.header("content-range"), "bytes */" + total);
  const HttpHeaders same{{"range", "bytes=0-9"}, {"if-range", '"' + sha256_ + '"'}};
  EXPECT_EQ(sensor.send("GET", self, {}, same).status, 206);
  const HttpHeaders other{{"range", "bytes=0-9"}, {"if-range", "\"x\""}};
  EXPECT_EQ(sensor.send("GET", self, {}, other).status, 200);

  // One of another name, and a path that leads elsewhere.
  const std::string wrong(64, 'a');
  EXPECT_EQ(sensor.send("GET", "/api/v1/fleet/self/images/" + wrong).status, 403);
  EXPECT_EQ(sensor.send("GET", "/api/v1/fleet/self/images/..%2f..%2fserver.key").status, 403);
}

TEST_F(FleetImagesApi, AreKeptWhileSomethingNeedsThem) {
  upload();
  call("POST", path("/complete"));
  const Machine sensor = joined("oulu");
  wish();
  EXPECT_THAT(call("DELETE", path(), {}, 409)["error"], HasSubstr("oulu"));
  put("fleet", Json::object());
  EXPECT_EQ(get(path())["used_by"], 0);
  call("POST", "/api/v1/fleet/rollouts",
       {{"target", "fleet"}, {"document", {{"instances", {{"beacon_0", {{"image", sha256_}}}}}}}},
       201);
  EXPECT_THAT(call("DELETE", path(), {}, 409)["error"], HasSubstr("rollout 1"));
  call("POST", "/api/v1/fleet/rollouts/1/abort");
  control_->fleet().tick(now());
  control_->fleet().tick(now());
  call("DELETE", path());
  EXPECT_EQ(send("GET", path()).status, 404);
  EXPECT_THAT(get("/api/v1/fleet/images")["images"], testing::IsEmpty());
}

TEST_F(FleetImagesApi, AreThereAfterARestart) {
  upload();
  call("POST", path("/complete"));
  start();
  EXPECT_EQ(get(path())["bytes"], image_.size());
  later_ = 3600;
  const std::string half(64, 'b');
  call("PUT", "/api/v1/fleet/images/" + half + "?offset=0", Json("abc"));
  start();
  EXPECT_EQ(get("/api/v1/fleet/images/" + half)["have"], 3);
  later_ = 3600 * 26;
  EXPECT_EQ(send("GET", "/api/v1/fleet/images/" + half).status, 404);
}

}  // namespace
}  // namespace beaconry
