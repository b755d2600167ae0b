// What the server wishes, in the desired state on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "sensor/desired_store.h"
#include "spool/test_folder.h"

namespace beaconry {
namespace {

using testing::HasSubstr;

const std::string kImage(64, 'a');
const std::string kNetwork = R"({"interface": "eth0", "address": "10.0.0.5/24"})";
const std::string kOther = R"({"interface": "eth0", "address": "10.0.0.6/24"})";

class DesiredFleet : public testing::Test {
 protected:
  DesiredFleet() { open(); }
  // As a start of the sensor does.
  void open() {
    store_.reset();
    auto opened = DesiredStore::open(folder_.path() + "/state", "");
    ASSERT_TRUE(opened) << opened.error().message();
    store_.emplace(std::move(*opened));
  }
  Result<std::uint64_t> wish(const std::string& document) {
    auto fleet = read_fleet_wish(document, false);
    EXPECT_TRUE(fleet) << fleet.error().message();
    fleet->server = "https://control:9090";
    return store_->set_fleet(std::move(*fleet),
                             [](const InstanceWish&) -> Result<void> { return {}; }, {});
  }
  Result<std::uint64_t> wish_network(const std::string& management) {
    return wish(R"({"management": )" + management + "}");
  }
  // beacon_FIRST and those behind it.
  static std::string beacons(int first, int count) {
    nlohmann::json all = nlohmann::json::object();
    for (int i = first; i < first + count; ++i)
      all["beacon_" + std::to_string(i)] = {{"image", kImage}};
    return nlohmann::json{{"instances", all}}.dump();
  }
  void install(const std::string& name) {
    DesiredState state = store_->state();
    state.instances[name].name = name;
    state.instances[name].image = kImage;
    ASSERT_TRUE(store_->set(state, "anna", "cli", {}));
  }
  std::string address() const {
    const auto& management = store_->state().management;
    return management ? management->addresses.front() : std::string();
  }
  bool has(const std::string& name) const { return store_->state().instances.contains(name); }
  // No version can be written until free_disk().
  void fill_disk() {
    next_ = folder_.path() + "/state/desired/" +
            std::to_string(1'000'000'000'000 + store_->version() + 1).substr(1) + ".json";
    std::filesystem::create_directories(next_ + "/x");
  }
  void free_disk() { std::filesystem::remove_all(next_); }

  TestFolder folder_;
  std::optional<DesiredStore> store_;
  std::string next_;
};

TEST_F(DesiredFleet, ANetworkThatCannotBeReadStaysAsItWas) {
  ASSERT_TRUE(wish_network(kNetwork));
  for (const char* bad : {R"({"interface": "eth0", "address": "10.0.0.5"})",
                          R"({"interface": "eth0", "address": "dhcp", "metric": 5})"}) {
    ASSERT_TRUE(wish_network(bad));
    EXPECT_EQ(address(), "10.0.0.5/24");
    ASSERT_EQ(store_->problems().size(), 1U);
    EXPECT_THAT(store_->problems()[0], HasSubstr("/management"));
  }
  open();
  EXPECT_EQ(address(), "10.0.0.5/24");
  ASSERT_TRUE(wish_network("null"));
  EXPECT_EQ(address(), "");
}

TEST_F(DesiredFleet, ANetworkThatTheServerNamesNoMoreGoesAlsoAfterARestart) {
  ASSERT_TRUE(wish_network(kNetwork));
  open();  // the document behind it was kept, and not obeyed yet
  ASSERT_TRUE(wish("{}"));
  EXPECT_EQ(address(), "");
}

TEST_F(DesiredFleet, ANetworkThatTheServerNamesNoMoreGoesAlsoAfterAFullDisk) {
  ASSERT_TRUE(wish_network(kNetwork));
  fill_disk();
  EXPECT_FALSE(wish("{}"));
  EXPECT_EQ(address(), "10.0.0.5/24");
  free_disk();
  ASSERT_TRUE(wish("{}"));
  EXPECT_EQ(address(), "");
}

TEST_F(DesiredFleet, ANetworkThatWasSetHereHoldsAndIsTold) {
  ASSERT_TRUE(wish_network(kNetwork));
  auto local = DesiredState::parse(R"({"management": )" + kOther + "}");
  ASSERT_TRUE(local);
  ASSERT_TRUE(store_->set(*local, "anna", "api", {}));
  EXPECT_EQ(address(), "10.0.0.6/24");
  ASSERT_EQ(store_->problems().size(), 1U);
  EXPECT_THAT(store_->problems()[0], HasSubstr("holds"));
  ASSERT_TRUE(wish_network(kNetwork));
  EXPECT_EQ(address(), "10.0.0.6/24");
  ASSERT_TRUE(wish("{}"));
  EXPECT_EQ(address(), "10.0.0.6/24");
  EXPECT_TRUE(store_->problems().empty());
  ASSERT_TRUE(wish_network(kNetwork));
  ASSERT_TRUE(store_->set({}, "anna", "api", {}));  // left to the server
  EXPECT_EQ(address(), "10.0.0.5/24");
  EXPECT_TRUE(store_->problems().empty());
}

TEST_F(DesiredFleet, WhatIsTooManyIsLeftOutAndTheNextStartReadsIt) {
  install("recorder_0");
  ASSERT_TRUE(wish(beacons(0, 256)));
  EXPECT_EQ(store_->state().instances.size(), 256U);
  EXPECT_TRUE(has("recorder_0"));
  EXPECT_EQ(store_->fleet_faults().size(), 1U);
  ASSERT_EQ(store_->problems().size(), 1U);
  EXPECT_THAT(store_->problems()[0], HasSubstr("left out: 1;"));
  const auto before = store_->state().to_json();
  open();
  EXPECT_EQ(store_->state().to_json(), before);
}

TEST_F(DesiredFleet, WhatIsThereStaysBeforeWhatIsTooMany) {
  ASSERT_TRUE(wish(R"({"instances": {"zebra_0": {"image": ")" + kImage + R"("}}})"));
  install("recorder_0");
  nlohmann::json many = nlohmann::json::parse(beacons(0, 255));
  many["instances"]["zebra_0"] = {{"image", kImage}, {"running", false}};
  ASSERT_TRUE(wish(many.dump()));
  ASSERT_TRUE(has("zebra_0"));
  EXPECT_FALSE(store_->state().instances.at("zebra_0").running);
  EXPECT_EQ(store_->state().instances.size(), 256U);
  EXPECT_EQ(store_->fleet_faults().size(), 1U);
}

TEST_F(DesiredFleet, ADocumentOfTooManyRemovesNoneThatIsThere) {
  ASSERT_TRUE(wish(R"({"instances": {"zebra_0": {"image": ")" + kImage + R"("}}})"));
  nlohmann::json many = nlohmann::json::parse(beacons(0, 300));
  many["instances"]["zebra_0"] = {{"image", kImage}};
  ASSERT_TRUE(wish(many.dump()));
  EXPECT_TRUE(has("zebra_0"));
  EXPECT_TRUE(store_->fleet_faults().contains("zebra_0"));
  EXPECT_EQ(store_->state().instances.size(), 256U);
  EXPECT_LE(store_->fleet_faults().size(), 257U);
}

TEST_F(DesiredFleet, WhatTheNextStartCouldNotReadIsNotKept) {
  DesiredState state;
  for (int i = 0; i < 257; ++i) {
    const std::string name = "beacon_" + std::to_string(i);
    state.instances[name].name = name;
    state.instances[name].image = kImage;
  }
  EXPECT_FALSE(store_->set(state, "anna", "api", {}));
  EXPECT_TRUE(store_->state().instances.empty());
  open();
}

}  // namespace
}  // namespace beaconry
