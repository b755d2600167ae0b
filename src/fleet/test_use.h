#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fleet/fleet.h"
#include "fleet/test_report.h"

namespace beaconry::test {

inline const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");

inline std::string key(int number) {
  const std::string digits = std::to_string(number);
  return std::string(64 - digits.size(), 'a') + digits;
}

// A fleet in memory, its sensors' reports, and its server's clock.
class FleetUse : public testing::Test {
 protected:
  FleetUse() { reopen(); }
  void reopen() {
    fleet_.reset();
    auto opened = Fleet::open({*database_, *DocumentKey::parse(secret_),
                               [this](std::string_view json) { told_.emplace_back(json); }},
                              now_);
    ASSERT_TRUE(opened) << opened.error().message();
    fleet_ = std::move(*opened);
  }
  void enrol(int number, const Labels& labels = {}) {
    ASSERT_TRUE(fleet_->enrol(key(number), "s" + std::to_string(number), now_));
    ASSERT_TRUE(fleet_->change_labels(key(number), {labels.begin(), labels.end()}, now_));
  }
  static std::string document(const std::string& image) {
    return R"({"instances":{"beacon_0":{"image":")" + image + R"("}}})";
  }
  Result<Fleet::Edited> edit(const std::string& target, const std::string& json,
                             bool dry_run = false) {
    Fleet::Edit edit;
    edit.target = target;
    edit.document = json;
    edit.who = "anna";
    edit.dry_run = dry_run;
    return fleet_->edit(edit, now_);
  }
  void group(const std::string& name, const std::string& selector, std::int64_t priority = 0) {
    const auto done = fleet_->set_group({name, *Selector::parse(selector), priority}, now_);
    ASSERT_TRUE(done) << done.error().message();
  }
  nlohmann::json wished(int number) {
    return nlohmann::json::parse(fleet_->find(key(number))->wish.document(), nullptr, false);
  }
  std::string image(int number) {
    return wished(number)["instances"]["beacon_0"].value("image", "");
  }
  std::uint64_t version(int number) { return fleet_->find(key(number))->wish.version; }
  // As a sensor that has its newest version, with these instances.
  void report(int number, const std::string& instances = "[]") {
    const auto taken =
        fleet_->hear(key(number),
                     test::report_text(R"("desired_version":)" + std::to_string(version(number)) +
                                           R"(,"instances":)" + instances,
                                       "b1", ++sequence_),
                     "10.0.0.1", now_);
    ASSERT_TRUE(taken) << taken.error().message();
  }
  Result<std::uint64_t> roll_out(const std::string& target, const std::string& json,
                                 const RolloutPlan& plan = {}) {
    Fleet::Edit next;
    next.target = target;
    next.document = json;
    next.who = "anna";
    return fleet_->roll_out(next, plan, now_);
  }
  void tick(Duration later) {
    now_ += later;
    fleet_->tick(now_);
  }
  static std::string running(const std::string& image, const std::string& more = {}) {
    return R"([{"name":"beacon_0","state":"RUNNING","image":")" + image +
           R"(","config":{"state":"APPLIED"})" + more + "}]";
  }

  const std::string secret_ = DocumentKey::make().secret_text();
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  Timestamp now_ = kStart;
  std::uint64_t sequence_ = 0;
  std::vector<std::string> told_;
  std::unique_ptr<Fleet> fleet_;
};

}  // namespace beaconry::test
