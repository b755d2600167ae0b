#include "sensor/fleet/fleet_link.h"

#include "sensor/fleet/test_link.h"
#include "uplink/signed_report.h"

namespace beaconry {
namespace {

using test::FleetPeer;
using test::NotingSensor;
using testing::HasSubstr;

const std::string kImage(64, 'a'), kOther(64, 'b');

class FleetLinkTest : public test::LinkTest {};

TEST_F(FleetLinkTest, ObeysWhatTheServerPushesAndReportsItsVersion) {
  launch();
  ASSERT_TRUE(
      wait_for([&] { return peer->with([](FleetPeer& all) { return all.stream != nullptr; }); }));
  peer->push(sign(7, wish_of(kImage)));
  ASSERT_TRUE(obeys(7));
  sensor.with([&](NotingSensor& all) {
    EXPECT_EQ(all.wish.instances.at("beacon_0").image, kImage);
    EXPECT_EQ(all.wish.server, peer->server.url);
  });
  ASSERT_TRUE(wait_for([&] {
    return peer->with([](FleetPeer& all) {
      return !all.reports.empty() && all.reports.back()["reported"]["desired_version"] == 7;
    });
  }));
  peer->with([](FleetPeer& all) {
    EXPECT_EQ(all.reports.back()["boot"], "boot");
    EXPECT_EQ(all.reports.back()["machine"], "machine");
    std::uint64_t before = 0;
    for (const auto& report : all.reports) {
      EXPECT_GT(report["sequence"].get<std::uint64_t>(), before);
      before = report["sequence"].get<std::uint64_t>();
    }
  });
  EXPECT_TRUE(link->report().fleet.connected);
  EXPECT_EQ(link->origin_json(), R"({"/instances/beacon_0/image":"fleet"})");
}

TEST_F(FleetLinkTest, RefusesAndCountsWhatIsNotItsServersWord) {
  peer->push(sign(5, wish_of(kImage)));
  launch();
  ASSERT_TRUE(obeys(5));
  const DocumentKey stranger = DocumentKey::make();
  peer->push(sign_by(stranger, 6, wish_of(kOther), fingerprint));
  peer->push(sign_by(key, 6, wish_of(kOther), std::string(64, '0')));
  peer->push(sign(4, wish_of(kOther)));
  peer->push("beaconry-signed-document 2");
  peer->push(sign(6, R"({"instances":7})"));
  ASSERT_TRUE(wait_for([&] {
    const auto refused = link->report().fleet.refused;
    return refused.size() == 4 && refused.at("malformed") == 2;
  }));
  const auto fleet = link->report().fleet;
  EXPECT_EQ(fleet.refused.at("signature"), 1U);
  EXPECT_EQ(fleet.refused.at("other_sensor"), 1U);
  EXPECT_EQ(fleet.refused.at("older"), 1U);
  EXPECT_EQ(fleet.version, 5U);
  EXPECT_FALSE(fleet.refusal.empty());
  EXPECT_EQ(link->report().health.cause, "a document of the server is refused");
  sensor.with([](NotingSensor& all) {
    EXPECT_EQ(all.wish.instances.at("beacon_0").image, kImage);
    EXPECT_EQ(all.version, 1U);
  });
  peer->push(sign(6, wish_of(kOther)));
  ASSERT_TRUE(obeys(6));
  EXPECT_TRUE(link->report().fleet.refusal.empty());
}

TEST_F(FleetLinkTest, ObeysWhatItKeptWhereTheServerIsAway) {
  peer->push(sign(9, wish_of(kImage)));
  launch();
  ASSERT_TRUE(obeys(9));
  link.reset();
  peer->server.server->stop(std::chrono::seconds{0});
  sensor.with([](NotingSensor& all) { all.wish = {}; });
  launch();
  ASSERT_TRUE(obeys(9));
  sensor.with(
      [](NotingSensor& all) { EXPECT_EQ(all.wish.instances.at("beacon_0").image, kImage); });
  EXPECT_TRUE(wait_for([&] { return !link->report().fleet.error.empty(); }));
}

TEST_F(FleetLinkTest, AsksForWhatIsNewerThanWhatItHasAndComesBackByItself) {
  peer->push(sign(9, wish_of(kImage)));
  launch();
  ASSERT_TRUE(obeys(9));
  peer->with([](FleetPeer& all) { all.stream->close(); });
  ASSERT_TRUE(
      wait_for([&] { return peer->with([](FleetPeer& all) { return all.afters.size() > 1; }); }));
  peer->with([](FleetPeer& all) {
    EXPECT_EQ(all.afters[0], "0");
    EXPECT_EQ(all.afters[1], "9");
  });
  EXPECT_EQ(link->report().fleet.refused.size(), 0U);  // the same again is no fault
}

TEST_F(FleetLinkTest, WhatAnotherServerSignedIsObeyedNoMoreAfterAJoin) {
  peer->push(sign(9, wish_of(kImage)));
  launch();
  ASSERT_TRUE(obeys(9));
  link.reset();
  const DocumentKey other = DocumentKey::make();
  pinned = other.public_hex();
  peer->with([](FleetPeer& all) { all.document.clear(); });
  launch();
  ASSERT_TRUE(wait_for([&] { return link->report().fleet.connected; }));
  EXPECT_EQ(link->report().fleet.version, 0U);
  peer->push(sign_by(other, 1, wish_of(kOther), fingerprint));
  EXPECT_TRUE(obeys(1));
}

TEST_F(FleetLinkTest, WithoutAPinnedKeyNothingIsObeyedAndItsHealthSaysWhatToDo) {
  pinned.clear();
  peer->push(sign(9, wish_of(kImage)));
  launch();
  ASSERT_TRUE(
      wait_for([&] { return peer->with([](FleetPeer& all) { return !all.reports.empty(); }); }));
  const auto report = link->report();
  EXPECT_EQ(report.fleet.version, 0U);
  EXPECT_EQ(report.health.state, HealthState::degraded);
  EXPECT_THAT(report.health.fix, HasSubstr("join it again"));
  EXPECT_TRUE(peer->with([](FleetPeer& all) { return all.afters.empty(); }));
}

TEST_F(FleetLinkTest, ADocumentThatCannotBeObeyedYetIsLater) {
  sensor.with([](NotingSensor& all) { all.is_full = true; });
  peer->push(sign(3, wish_of(kImage)));
  launch();
  ASSERT_TRUE(wait_for(
      [&] { return link->report().fleet.error.find("the disk is full") != std::string::npos; }));
  EXPECT_EQ(link->report().fleet.version, 0U);
  sensor.with([](NotingSensor& all) { all.is_full = false; });
  EXPECT_TRUE(obeys(3));
}

TEST_F(FleetLinkTest, ADocumentThatCouldNotBeKeptIsAskedForAgain) {
  const std::string file = folder.path() + "/fleet/document.signed";
  std::filesystem::create_directories(file + "/x");  // nothing can take its place
  peer->push(sign(3, wish_of(kImage)));
  launch();
  ASSERT_TRUE(wait_for(
      [&] { return link->report().fleet.error.find("document.signed") != std::string::npos; }));
  EXPECT_EQ(link->report().fleet.version, 0U);
  EXPECT_EQ(link->report().health.cause, "the server's document is not obeyed yet");
  std::filesystem::remove_all(file);
  EXPECT_TRUE(obeys(3));
  EXPECT_TRUE(wait_for([&] { return link->report().fleet.error.empty(); }));
  EXPECT_NE(link->report().health.cause, "the server's document is not obeyed yet");
}

TEST_F(FleetLinkTest, AFaultOfTheSensorEndsNoThreadOfIt) {
  sensor.with([](NotingSensor& all) { all.is_faulty = true; });
  peer->push(sign(3, wish_of(kImage)));
  launch();
  ASSERT_TRUE(wait_for([&] {
    return link->report().fleet.error.find("it was not thought of") != std::string::npos;
  }));
  sensor.with([](NotingSensor& all) { all.is_faulty = false; });
  EXPECT_TRUE(obeys(3));
  EXPECT_TRUE(wait_for([&] { return link->report().fleet.error.empty(); }));
}

TEST_F(FleetLinkTest, AnswersWhatTheServerAsks) {
  launch();
  ASSERT_TRUE(wait_for([&] {
    return link->report().fleet.connected ||
           peer->with([](FleetPeer& all) { return all.stream != nullptr; });
  }));
  peer->ask(R"({"id":"a1","what":"log","instance":"beacon_0@sensor001","bytes":2})");
  peer->ask(R"({"id":"a2","what":"update","instance":"beacon_0"})");
  peer->ask(R"({"id":"a3","what":"update","instance":"beacon_9"})");
  peer->ask(R"({"id":"a4","what":"exec","instance":"beacon_0"})");
  peer->ask(R"({"id":"../../root","what":"log","instance":"beacon_0"})");
  peer->ask("nonsense");
  peer->ask(R"({"id":"a5","what":"update","instance":"beacon_0"})");
  ASSERT_TRUE(wait_for(
      [&] { return peer->with([](FleetPeer& all) { return all.answers.count("a5") != 0; }); }));
  peer->with([](FleetPeer& all) {
    EXPECT_EQ(all.answers.size(), 5U);
    EXPECT_EQ(all.answers["a1"]["ok"], true);
    EXPECT_EQ(all.answers["a1"]["text"], "beacon_0 says \x01\x01");
    EXPECT_EQ(all.answers["a2"]["ok"], true);
    EXPECT_THAT(all.answers["a3"]["error"].get<std::string>(), HasSubstr("beacon_9"));
    EXPECT_EQ(all.answers["a4"]["ok"], false);
  });
}

TEST_F(FleetLinkTest, SaysWhyTheServerWillNotHaveIt) {
  peer->with([](FleetPeer& all) { all.status = 403; });
  launch();
  EXPECT_TRUE(wait_for([&] {
    return link->report().fleet.error.find("no sensor of this server") != std::string::npos;
  }));
}

TEST_F(FleetLinkTest, ANetworkOnTrialIsKeptOnceAReportArrivedByIt) {
  peer->with([](FleetPeer& all) { all.status = 503; });
  sensor.with([](NotingSensor& all) { all.trial = 4; });
  launch();
  ASSERT_TRUE(
      wait_for([&] { return link->report().fleet.error.find("503") != std::string::npos; }));
  sensor.with([](NotingSensor& all) { EXPECT_FALSE(all.confirmed); });
  peer->with([](FleetPeer& all) { all.status = 200; });
  ASSERT_TRUE(wait_for(
      [&] { return sensor.with([](NotingSensor& all) { return all.confirmed.has_value(); }); }));
  EXPECT_FALSE(peer->with([](FleetPeer& all) { return all.reports.empty(); }));
  sensor.with([](NotingSensor& all) {
    EXPECT_EQ(all.confirmed->version, 4U);
    EXPECT_TRUE(all.confirmed->local.is_loopback());
    EXPECT_TRUE(all.confirmed->peer.is_loopback());
  });
}

TEST_F(FleetLinkTest, ATrialDoesNotWaitForReportsThatFailedBeforeItAndInIt) {
  failure_wait = std::chrono::hours{1};
  peer->with([](FleetPeer& all) { all.status = 503; });
  launch();
  ASSERT_TRUE(
      wait_for([&] { return peer->with([](FleetPeer& all) { return all.refused != 0; }); }));
  sensor.with([](NotingSensor& all) { all.trial = 4; });
  ASSERT_TRUE(wait_for([&] { return peer->with([](FleetPeer& all) { return all.refused > 3; }); }));
  peer->with([](FleetPeer& all) { all.status = 200; });
  EXPECT_TRUE(wait_for(
      [&] { return sensor.with([](NotingSensor& all) { return all.confirmed.has_value(); }); }));
}

TEST_F(FleetLinkTest, TakesADocumentAndItsImagesFromAFolder) {
  const std::string stick = folder.path() + "/stick";
  std::filesystem::create_directories(stick);
  const std::string bytes = "an image", image = sha256_hex(bytes);
  test::write_text(stick + "/beacon.instrument", bytes);
  test::write_text(stick + "/beacon.instrument.minisig", "good");
  test::write_text(stick + "/other.instrument", "another image");
  test::write_text(stick + "/a.txt", sign_by(key, 9, wish_of(kOther), std::string(64, '0')));
  test::write_text(stick + "/b.txt", sign(2, wish_of(image)));
  test::write_text(stick + "/c.txt", sign(1, wish_of(kOther)));
  launch(false);
  const auto taken = link->take(stick);
  ASSERT_TRUE(taken) << taken.error().message();
  EXPECT_EQ(taken->version, 2U);
  EXPECT_TRUE(taken->is_news);
  EXPECT_EQ(taken->images, std::vector<std::string>{image});
  EXPECT_TRUE(taken->problems.empty());
  EXPECT_TRUE(has(image));
  EXPECT_EQ(link->report().fleet.version, 2U);
  EXPECT_TRUE(link->report().fleet.refused.empty());
  const auto again = link->take(stick + "/b.txt");
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_news);
  const auto older = link->take(stick + "/c.txt");
  ASSERT_FALSE(older);
  EXPECT_THAT(older.error().message(), HasSubstr("older than 2"));
  EXPECT_FALSE(link->take(stick + "/a.txt"));
  EXPECT_EQ(link->report().fleet.refused.at("other_sensor"), 1U);
  EXPECT_FALSE(link->take(folder.path() + "/nowhere"));
}

TEST_F(FleetLinkTest, AStickForOthersIsLeftAloneAndAWrongOneIsForgottenByARightOne) {
  const std::string stick = folder.path() + "/stick";
  std::filesystem::create_directories(stick);
  test::write_text(stick + "/a.txt", sign_by(key, 9, wish_of(kOther), std::string(64, '0')));
  launch(false);
  const auto none = link->take(stick);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message(), HasSubstr("a.txt"));
  EXPECT_TRUE(link->report().fleet.refused.empty());
  EXPECT_EQ(link->report().health.state, HealthState::healthy);
  // Of no image, which nobody could bring: that would be a fault of its own.
  test::write_text(stick + "/b.txt", sign(2, R"({"instances":{}})"));
  ASSERT_TRUE(link->take(stick));
  ASSERT_FALSE(link->take(stick + "/a.txt"));
  const auto report = link->report();
  EXPECT_EQ(report.health.cause, "a document of the server is refused");
  EXPECT_GT(report.health.since, Timestamp{std::chrono::hours{24 * 365}});
  ASSERT_TRUE(link->take(stick + "/b.txt"));  // the same again
  EXPECT_EQ(link->report().health.state, HealthState::healthy);
}

TEST_F(FleetLinkTest, AnImageThatNobodySignedStaysOnTheStick) {
  const std::string stick = folder.path() + "/stick";
  std::filesystem::create_directories(stick);
  test::write_text(stick + "/beacon.instrument", "an image");
  const std::string image = sha256_hex("an image");
  test::write_text(stick + "/b.txt", sign(2, wish_of(image, R"(,"allow_unsigned":true)")));
  launch(false);
  const auto taken = link->take(stick + "/b.txt");
  ASSERT_TRUE(taken) << taken.error().message();
  EXPECT_TRUE(taken->images.empty());
  ASSERT_EQ(taken->problems.size(), 2U);
  EXPECT_THAT(taken->problems[0], HasSubstr("is not signed"));
  EXPECT_FALSE(has(image));
}

TEST_F(FleetLinkTest, SignsItsReportForAStick) {
  launch(false);
  const auto file = link->signed_report();
  ASSERT_TRUE(file) << file.error().message();
  const auto report = check_signed_report(*file);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->sensor, fingerprint);
  const auto json = nlohmann::json::parse(report->body);
  EXPECT_EQ(json["reported"]["name"], "sensor001");
  const auto next = nlohmann::json::parse(check_signed_report(*link->signed_report())->body);
  EXPECT_GT(next["sequence"].get<std::uint64_t>(), json["sequence"].get<std::uint64_t>());
}

}  // namespace
}  // namespace beaconry
