// The server's disk is full: it says so, goes on, and comes back by itself.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "faults/edge.h"
#include "faults/server.h"

namespace beaconry::faults {
namespace {

class AFullDisk : public testing::Test {
 protected:
  void SetUp() override {
    state_ = folder_ / "state";
    ::mkdir(state_.c_str(), 0700);
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", state_.c_str(), "tmpfs", 0, "size=6m,mode=0700") != 0) {
      GTEST_SKIP() << "mounting a small file system needs CAP_SYS_ADMIN";
    }
    is_mounted_ = true;
    server_ = std::make_unique<Server>(folder_.path());
  }
  void TearDown() override {
    server_.reset();
    if (is_mounted_) ::umount2(state_.c_str(), MNT_DETACH);
  }

  // Takes all room that is left.
  void fill() {
    std::ofstream ballast(state_ + "/ballast", std::ios::binary | std::ios::app);
    for (const std::size_t piece : {std::size_t{64} << 10, std::size_t{4096}}) {
      while (ballast.write(std::string(piece, 'x').data(), static_cast<std::streamsize>(piece)) &&
             ballast.flush()) {
      }
      ballast.clear();
    }
  }
  void give_room() { std::filesystem::remove(state_ + "/ballast"); }

  HttpResponse send_batch() {
    const HttpResponse answer =
        server_->send("POST", "/api/v1/telemetry",
                      envelope_of(batch_of(300, sequence_ * 300, now()), sequence_, now()),
                      {{"content-type", "application/x-protobuf"}});
    if (answer.status == 200) {
      ++accepted_;
      ++sequence_;
    }
    return answer;
  }
  void expect_what_was_accepted() {
    const Json status = server_->status();
    EXPECT_EQ(status["storage"]["total_connections"], accepted_ * 300);
    EXPECT_EQ(status["events_received"], accepted_ * 300);
    EXPECT_EQ(status["batches_processed"], accepted_);
  }
  // Sends until the disk takes no more, which must be said in the right words.
  void send_until_full() {
    HttpResponse answer = send_batch();
    for (int i = 0; i < 2000 && answer.status == 200; ++i)
      answer = send_batch();
    EXPECT_EQ(answer.status, 507) << answer.body;
    EXPECT_FALSE(answer.header("retry-after").empty());
    const std::string words = Json::parse(answer.body)["error"];
    EXPECT_NE(words.find("No space left"), std::string::npos) << words;
    EXPECT_NE(words.find(state_), std::string::npos) << words;
  }
  void expect_to_serve() {
    for (const char* target : {"/api/v1/health", "/api/v1/status", "/api/v1/beacons",
                               "/api/v1/connections", "/api/v1/edges", "/api/v1/alerts"}) {
      EXPECT_EQ(server_->send("GET", target).status, 200) << target;
    }
  }

  const Folder folder_;
  std::string state_;
  bool is_mounted_ = false;
  std::unique_ptr<Server> server_;
  std::uint64_t sequence_ = 1, accepted_ = 0;
};

TEST_F(AFullDisk, RefusesWith507AndRecoversByItself) {
  server_->start();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(send_batch().status, 200);
  fill();
  send_until_full();
  expect_to_serve();
  EXPECT_GE(server_->status()["batches_storage_full"], 1);
  const HttpResponse analysis = server_->send("POST", "/api/v1/analyze");
  EXPECT_EQ(analysis.status, 200) << analysis.body;  // its errors are words in it
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(send_batch().status, 507);
  expect_what_was_accepted();

  give_room();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(send_batch().status, 200);
  expect_what_was_accepted();
  server_->crash();
  server_->start();
  expect_what_was_accepted();
}

TEST_F(AFullDisk, LosesNothingInACrash) {
  server_->start();
  fill();
  send_until_full();
  server_->crash();
  give_room();
  server_->start();
  expect_what_was_accepted();
  EXPECT_EQ(send_batch().status, 200);
  expect_what_was_accepted();
}

TEST_F(AFullDisk, DoesNotKeepItFromStarting) {
  server_->start();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(send_batch().status, 200);
  server_->end();
  fill();
  server_->start();
  expect_to_serve();
  expect_what_was_accepted();
  send_until_full();
  give_room();
  EXPECT_EQ(send_batch().status, 200);
  expect_what_was_accepted();
}

}  // namespace
}  // namespace beaconry::faults
