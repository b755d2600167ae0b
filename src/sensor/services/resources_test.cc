// Resources through the services, over a real broker.
#include "sensor/services/resources.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/file.h"
#include "image/digest.h"
#include "image/minisign.h"
#include "sensor/services/test_services.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const std::string kUrl = "http://updates.example/beaconry-escape";

class ResourcesTest : public ServicesTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path() + "/keys");
    keys_ = make_key_pair("test");
    stranger_ = make_key_pair("somebody else");
    ASSERT_TRUE(replace_file(folder_.path() + "/keys/test.pub", keys_.public_text));
    ServicesTest::SetUp();
  }
  // What the downloader's container holds.
  void pull(const std::string& instance, const std::string& path, const std::string& to,
            std::uint64_t most, const std::function<void(Result<void>)>& done) override {
    EXPECT_EQ(instance, "downloader_0");
    const auto at = files_.find(path);
    if (at == files_.end()) return done(fail(ErrorKind::not_found, "pull", path, "not there"));
    if (at->second.size() > most) return done(fail(ErrorKind::limit, "pull", path, "too long"));
    done(replace_file(to, at->second));
  }
  std::string signature(const std::string& content, const MinisignKeyPair& keys,
                        const std::string& comment = "timestamp:100\tfile:beaconry-escape") {
    const std::string path = folder_.path() + "/to-sign";
    EXPECT_TRUE(replace_file(path, content));
    const auto text = sign_file(path, keys.secret_text, comment);
    EXPECT_TRUE(text) << text.error().message();
    return *text;
  }

  TestInstrument& start_downloader() {
    Services::Instance one = instance("downloader_0");
    one.manifest.downloads = true;
    return start(one);
  }
  static Services::Instance beacon(const std::string& name = "beacon_0") {
    Services::Instance one = instance(name);
    one.manifest.resources = true;
    one.config_json = R"({"update":{"url":")" + kUrl + R"(","sha256":")" +
                      sha256_of("unsigned but known") + R"("}})";
    return one;
  }
  static from_instrument::Want want() {
    ResourceWish wish;
    wish.name = "beaconry-escape";
    wish.url = kUrl;
    wish.every = 600s;
    wish.most_bytes = 1000;
    wish.executable = true;
    return {wish};
  }
  // The downloader's answer to its newest order.
  void deliver(const std::string& content, const std::string& minisig, const std::string& etag) {
    TestInstrument& downloader = *instruments_["downloader_0"];
    const std::size_t seen = orders_seen_;
    ASSERT_TRUE(until([&] { return downloader.all<to_instrument::Fetch>().size() > seen; }));
    orders_seen_ = downloader.all<to_instrument::Fetch>().size();
    order_ = downloader.all<to_instrument::Fetch>().back().order;
    FetchResult result;
    result.uuid = order_.uuid;
    result.state = "fetched";
    result.etag = etag;
    result.path = "/transient-data/" + order_.uuid;
    result.bytes = content.size();
    files_[result.path] = content;
    if (!minisig.empty()) {
      result.signature_path = result.path + ".minisig";
      files_[result.signature_path] = minisig;
    }
    downloader.say(from_instrument::Fetched{result});
  }
  InstanceReport::Resource update(const std::string& name = "beacon_0") const {
    const auto all = report(name).resources;
    return all.empty() ? InstanceReport::Resource{} : all.front();
  }
  std::string resource(const std::string& name = "beacon_0") const {
    const auto text =
        read_small_file(folder_.path() + "/state/resources/" + name + "/beaconry-escape", 1 << 20);
    return text ? *text : "";
  }
  // As the lifecycle does when it is asked.
  TestInstrument& restart(const std::string& name = "beacon_0") {
    services_->stopping(name);
    stop(name);
    return start(beacon(name));
  }
  // Wishes, and gets it installed.
  void install(const std::string& content, const std::string& etag) {
    deliver(content, signature(content, keys_), etag);
    const std::size_t before = restarts_.size();
    ASSERT_TRUE(until([&] { return restarts_.size() > before; }));
    restart();
    ASSERT_TRUE(until([&] { return update().state == UpdateState::installed; })) << update().reason;
  }
  bool was_told(const std::string& word, const std::string& name = "beacon_0") {
    return until([&] {
      for (const auto& kept : services_->events(name, 1000))
        if (kept.event.type == "sensor.ev." + word) return true;
      return false;
    });
  }

  MinisignKeyPair keys_, stranger_;
  std::map<std::string, std::string> files_;
  std::size_t orders_seen_ = 0;
  FetchOrder order_;
};

TEST_F(ResourcesTest, OneDownloadServesAllThatWantTheSameAndEachIsConfirmedByItsHealth) {
  start_downloader();
  start(beacon("beacon_0"));
  start(beacon("beacon_1"));
  ASSERT_TRUE(until([&] { return report("beacon_1").config.state == ConfigState::applied; }));
  instruments_["beacon_0"]->say(want());
  instruments_["beacon_1"]->say(want());
  deliver("version 1", signature("version 1", keys_), "\"1\"");
  EXPECT_EQ(order_.url, kUrl);
  EXPECT_EQ(order_.etag, "");
  ASSERT_TRUE(until([&] { return restarts_.size() == 2; }));
  for (const char* name : {"beacon_0", "beacon_1"}) {
    EXPECT_EQ(update(name).state, UpdateState::installing);
    TestInstrument& one = restart(name);
    ASSERT_TRUE(until([&] { return update(name).state == UpdateState::installed; }));
    EXPECT_EQ(resource(name), "version 1");
    const std::string path = folder_.path() + "/state/resources/" + name + "/beaconry-escape";
    struct stat of {};
    ASSERT_EQ(::stat(path.c_str(), &of), 0);
    EXPECT_EQ(of.st_mode & 0777U, 0755U);
    EXPECT_TRUE(until([&] {
      const auto states = one.all<to_instrument::ResourceState>();
      return !states.empty() && states.back().state == "INSTALLED" &&
             states.back().sha256 == sha256_of("version 1");
    }));
    EXPECT_TRUE(was_told("resource_installed", name));
  }
  EXPECT_EQ(instruments_["downloader_0"]->all<to_instrument::Fetch>().size(), 1U);
  // Asked again in its time, with the tag.
  pass(605s);
  TestInstrument& downloader = *instruments_["downloader_0"];
  ASSERT_TRUE(until([&] { return downloader.all<to_instrument::Fetch>().size() == 2; }));
  const FetchOrder again = downloader.all<to_instrument::Fetch>().back().order;
  EXPECT_EQ(again.etag, "\"1\"");
  downloader.say(from_instrument::Fetched{{again.uuid, "unchanged", "", "", "", "", "", 0}});
  ASSERT_TRUE(until([&] { return update("beacon_0").state == UpdateState::installed; }));
  EXPECT_EQ(restarts_.size(), 2U);
}

TEST_F(ResourcesTest, WhatIsNotSignedByAPinnedKeyIsRefusedWithWords) {
  start_downloader();
  TestInstrument& one = start(beacon());
  const auto words_of = [&](const std::string& content, const std::string& minisig) {
    services_->fetch_now("beacon_0");
    deliver(content, minisig, "\"x\"");
    EXPECT_TRUE(until([&] { return update().state == UpdateState::failed; }));
    return update().reason;
  };
  one.say(want());
  EXPECT_THAT(words_of("evil", ""), HasSubstr("unsigned"));
  EXPECT_THAT(words_of("evil", signature("evil", stranger_)), HasSubstr("none of the 1 pinned"));
  EXPECT_THAT(words_of("evil", signature("good", keys_)), HasSubstr("not of these bytes"));
  EXPECT_THAT(words_of("evil", "nonsense"), HasSubstr("minisign"));
  EXPECT_THAT(words_of(std::string(1001, 'x'), signature("x", keys_)), HasSubstr("too large"));
  EXPECT_EQ(resource(), "");
  EXPECT_TRUE(restarts_.empty());
  EXPECT_TRUE(was_told("resource_refused"));
  EXPECT_EQ(report("beacon_0").health.state, HealthState::degraded);
  // But a file whose hash was told by name.
  auto pinned = want();
  pinned.wish.sha256 = sha256_of("unsigned but known");
  one.say(pinned);
  deliver("something else", "", "\"x\"");
  ASSERT_TRUE(until([&] { return update().state == UpdateState::failed; }));
  EXPECT_THAT(update().reason, HasSubstr("SHA-256"));
  // But not one whose hash the instrument alone knows.
  auto own = want();
  own.wish.sha256 = sha256_of("its own");
  one.say(own);
  deliver("its own", "", "\"x\"");
  ASSERT_TRUE(until([&] { return update().state == UpdateState::failed; }));
  EXPECT_THAT(update().reason, HasSubstr("if it stood in the instance's configuration"));
  one.say(pinned);
  deliver("unsigned but known", "", "\"x\"");
  EXPECT_TRUE(until([&] { return resource() == "unsigned but known"; }));
}

TEST_F(ResourcesTest, ASignatureCountsForItsNameAndNotForAnOlderVersion) {
  start_downloader();
  start(beacon()).say(want());
  const auto words_of = [&](const std::string& comment) {
    services_->fetch_now("beacon_0");
    deliver("another", signature("another", keys_, comment), "\"x\"");
    EXPECT_TRUE(until([&] { return update().state == UpdateState::failed; }));
    return update().reason;
  };
  EXPECT_THAT(words_of("whatever"), HasSubstr("file:NAME"));
  EXPECT_THAT(words_of("file:beaconry-escape"), HasSubstr("timestamp:SECONDS"));
  EXPECT_THAT(words_of("timestamp:100\tfile:p0f.fp\thashed"), HasSubstr("file called p0f.fp"));
  services_->fetch_now("beacon_0");
  install("version 1", "\"1\"");
  EXPECT_THAT(words_of("timestamp:99\tfile:beaconry-escape\thashed"), HasSubstr("older than"));
  EXPECT_EQ(resource(), "version 1");
  services_->fetch_now("beacon_0");
  deliver("another", signature("another", keys_, "timestamp:101\tfile:beaconry-escape\thashed"),
          "\"x\"");
  EXPECT_TRUE(until([&] { return resource() == "another"; }));
}

TEST_F(ResourcesTest, WhatTheAdministratorDidNotWriteIsNotFetched) {
  TestInstrument& downloader = start_downloader();
  Services::Instance unwritten = beacon();
  const std::string written = unwritten.config_json;
  unwritten.manifest.config_defaults_json = written;  // the image's author did
  TestInstrument& one = start(unwritten);
  one.say(want());
  ASSERT_TRUE(until([&] { return update().state == UpdateState::failed; }));
  EXPECT_THAT(update().reason, HasSubstr(kUrl));
  EXPECT_THAT(update().reason, HasSubstr("write it there"));
  auto longer = want();
  longer.wish.url += "?secret=1";
  Services::Instance wished = unwritten;
  wished.config_json = R"({"sources":[{"url":")" + kUrl + R"("}]})";
  wished.config_version = 2;
  services_->changed(wished, now());
  one.say(longer);
  ASSERT_TRUE(until([&] { return update().reason.find("?secret=1") != std::string::npos; }));
  one.say(want());
  ASSERT_TRUE(until([&] { return !downloader.all<to_instrument::Fetch>().empty(); }));
  for (const auto& order : downloader.all<to_instrument::Fetch>())
    EXPECT_EQ(order.order.url, kUrl);
}

TEST_F(ResourcesTest, OneThatMakesItsInstrumentUnhealthyIsTakenBackAndNotTakenAgain) {
  start_downloader();
  start(beacon()).say(want());
  install("version 1", "\"1\"");
  pass(605s);
  deliver("version 2", signature("version 2", keys_), "\"2\"");
  ASSERT_TRUE(until([&] { return restarts_.size() == 2; }));
  EXPECT_EQ(resource(), "version 2");
  restart().state = HealthState::failed;
  ASSERT_TRUE(until([&] { return report("beacon_0").health.state == HealthState::failed; }));
  EXPECT_EQ(update().state, UpdateState::installing);
  pass(65s);
  ASSERT_TRUE(until([&] { return restarts_.size() == 3; }));
  EXPECT_EQ(resource(), "version 1");
  EXPECT_EQ(update().state, UpdateState::failed);
  EXPECT_THAT(update().reason, HasSubstr("not healthy"));
  EXPECT_TRUE(was_told("update_rolled_back"));
  restart();
  // Offered again, as the same or under another tag.
  pass(65s);
  deliver("version 2", signature("version 2", keys_), "\"2b\"");
  ASSERT_TRUE(until([&] { return update().state == UpdateState::failed; }));
  EXPECT_THAT(update().reason, HasSubstr("rolled back before"));
  EXPECT_EQ(resource(), "version 1");
  EXPECT_EQ(restarts_.size(), 3U);
  // A third one is welcome.
  services_->fetch_now("beacon_0");
  install("version 3", "\"3\"");
  EXPECT_EQ(resource(), "version 3");
}

TEST_F(ResourcesTest, OneThatEndsItsInstrumentIsTakenBackAtOnce) {
  start_downloader();
  start(beacon()).say(want());
  install("version 1", "\"1\"");
  pass(605s);
  deliver("version 2", signature("version 2", keys_), "\"2\"");
  ASSERT_TRUE(until([&] { return restarts_.size() == 2; }));
  restart();
  EXPECT_EQ(resource(), "version 2");
  stop("beacon_0");
  EXPECT_EQ(resource(), "version 1");
  EXPECT_EQ(restarts_.size(), 3U);
  EXPECT_EQ(update().state, UpdateState::failed);
  EXPECT_THAT(update().reason, HasSubstr("it ended with version"));
  // Also one that is quicker than the news of its start.
  start(beacon());
  pass(60s);
  deliver("version 3", signature("version 3", keys_), "\"3\"");
  ASSERT_TRUE(until([&] { return restarts_.size() == 4; }));
  services_->stopping("beacon_0");
  stop("beacon_0");
  EXPECT_EQ(resource(), "version 3");
  ASSERT_TRUE(services_->prepare(beacon()));
  turn();
  services_->stopped("beacon_0", now());
  EXPECT_EQ(resource(), "version 1");
  EXPECT_EQ(restarts_.size(), 5U);
}

TEST_F(ResourcesTest, AnInstallationGoesOnAfterThePlatformWasKilled) {
  start_downloader();
  start(beacon()).say(want());
  install("version 1", "\"1\"");
  pass(605s);
  deliver("version 2", signature("version 2", keys_), "\"2\"");
  ASSERT_TRUE(until([&] { return restarts_.size() == 2; }));
  for (auto& [name, instrument] : instruments_)
    instrument->leave();
  open();  // before the restart was done
  attach(beacon());
  ASSERT_TRUE(until([&] { return restarts_.size() == 3; }));
  EXPECT_EQ(update().state, UpdateState::installing);
  restart();
  ASSERT_TRUE(until([&] { return update().state == UpdateState::installed; }));
  EXPECT_EQ(resource(), "version 2");
}

TEST_F(ResourcesTest, WithoutADownloaderItWaitsAndWhoDidNotAskGetsNone) {
  TestInstrument& one = start(beacon());
  EXPECT_FALSE(services_->fetch_now("beacon_0"));  // nothing was wished for
  one.say(want());
  ASSERT_TRUE(until([&] { return update().reason == "no downloader instrument runs"; }));
  EXPECT_EQ(update().state, UpdateState::pending);
  const auto now_wanted = services_->fetch_now("beacon_0");
  ASSERT_TRUE(now_wanted);
  EXPECT_FALSE(*now_wanted);
  TestInstrument& other = start(instance("recorder_0"));
  other.say(want());
  ASSERT_TRUE(until([&] { return !other.all<to_instrument::ResourceState>().empty(); }));
  EXPECT_EQ(other.all<to_instrument::ResourceState>()[0].state, "FAILED");
  auto many = want();
  for (std::size_t n = 0; n <= Resources::kMostWishes; ++n) {
    many.wish.name = "file" + std::to_string(n);
    one.say(many);
  }
  ASSERT_TRUE(until([&] {
    const auto states = one.all<to_instrument::ResourceState>();
    return !states.empty() && states.back().reason.find("wished for") != std::string::npos;
  }));
}

TEST_F(ResourcesTest, ADownloaderThatFailsOrNamesWhatIsNotThereIsTriedAgainLater) {
  TestInstrument& downloader = start_downloader();
  TestInstrument& one = start(beacon());
  one.say(want());
  const auto answer = [&](FetchResult result, std::size_t orders) {
    ASSERT_TRUE(until([&] { return downloader.all<to_instrument::Fetch>().size() == orders; }));
    result.uuid = downloader.all<to_instrument::Fetch>().back().order.uuid;
    one.say(from_instrument::Fetched{result});  // nobody asked beacon_0
    downloader.say(from_instrument::Fetched{result});
    ASSERT_TRUE(until([&] { return update().state == UpdateState::failed; }));
  };
  answer({"", "failed", "404 Not Found", "", "", "", "", 0}, 1);
  EXPECT_EQ(update().reason, "404 Not Found");
  services_->fetch_now("beacon_0");
  answer({"", "fetched", "", "", "", "/transient-data/gone", "", 1}, 2);
  EXPECT_THAT(update().reason, HasSubstr("not there"));
  EXPECT_TRUE(update().retry);
}

}  // namespace
}  // namespace beaconry
