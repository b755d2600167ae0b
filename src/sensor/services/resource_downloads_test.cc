// How wished files come, without a bus: who is served when, what a pull may and what is left of it.
#include <gmock/gmock.h>

#include "base/file.h"
#include "sensor/services/resources.h"
#include "sensor/services/test_folder.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

class ResourceDownloadsTest : public testing::Test {
 protected:
  void SetUp() override {
    Resources::Options options;
    options.folder = folder_.path();
    options.keys_folder = folder_.path() + "/keys";
    options.order = [this](const std::string&, const FetchOrder& order) {
      orders_.push_back(order);
      return true;
    };
    options.state = [this](const std::string& instance, const to_instrument::ResourceState& state) {
      states_[instance + " " + state.name] = state.reason;
      words_[instance + " " + state.name] = state.state;
    };
    options.tell = [](const std::string&, const std::string&, const std::string&,
                      const std::string&) {};
    options.restart = [](const std::string&, const std::string&) {};
    options.pull = [this](const std::string&, const std::string&, const std::string& to,
                          std::uint64_t most_bytes, std::function<void(Result<void>)> done) {
      pulls_.push_back({to, most_bytes, std::move(done)});
    };
    options.is_healthy_since = [](const std::string&, Timestamp) { return true; };
    options.is_written = [](const std::string&, const std::string&) { return true; };
    options.downloader = [] { return std::string("downloader_0"); };
    options.free_bytes = [this] { return free_; };
    resources_.emplace(options);
    ASSERT_TRUE(resources_->open());
  }

  void want(const std::string& instance, const std::string& name, const std::string& path = "",
            const std::string& sha256 = "") {
    ResourceWish wish;
    wish.name = name;
    wish.url = "http://updates.example/" + (path.empty() ? instance + "/" + name : path);
    wish.every = 600s;
    wish.sha256 = sha256;
    wish.most_bytes = 50 << 20;
    resources_->want(instance, wish, now_, now_);
  }
  void work(std::chrono::seconds later = 0s) {
    now_ += later;
    resources_->work(now_, now_);
  }
  // The answer to an order.
  void answer(const FetchOrder& order, const std::string& state, std::uint64_t bytes = 4) {
    FetchResult result;
    result.uuid = order.uuid;
    result.state = state;
    result.reason = state == "failed" ? "404" : "";
    result.path = "/transient-data/" + order.uuid;
    result.bytes = bytes;
    resources_->fetched("downloader_0", result, now_, now_);
  }
  std::vector<std::string> staged() const { return files_of("/.staging"); }
  std::vector<std::string> files_of(const std::string& below) const {
    std::vector<std::string> names;
    for (const auto& one : std::filesystem::directory_iterator(folder_.path() + below))
      names.push_back(one.path().filename().string());
    return names;
  }

  struct Pull {
    std::string to;
    std::uint64_t most_bytes;
    std::function<void(Result<void>)> done;
  };
  TestFolder folder_;
  Timestamp now_{std::chrono::hours{24 * 365 * 50}};
  std::uint64_t free_ = std::uint64_t{1} << 40;
  std::vector<FetchOrder> orders_;
  std::vector<Pull> pulls_;
  std::map<std::string, std::string> states_;  // reasons
  std::map<std::string, std::string> words_;   // the states themselves
  std::optional<Resources> resources_;
};

TEST_F(ResourceDownloadsTest, AnInstanceHasOneDownloadAtATimeAndAllHaveTheirTurn) {
  for (const char* name : {"one", "two", "three", "four", "five"})
    want("alpha_0", name);
  for (const char* instance : {"beacon_0", "gamma_0", "omega_0", "psi_0"})
    want(instance, "file");
  work();
  ASSERT_EQ(orders_.size(), 4U);
  EXPECT_THAT(orders_[0].url, HasSubstr("alpha_0"));
  EXPECT_THAT(orders_[1].url, HasSubstr("beacon_0"));
  EXPECT_THAT(orders_[2].url, HasSubstr("gamma_0"));
  EXPECT_THAT(orders_[3].url, HasSubstr("omega_0"));
  // alpha_0 wishes for more, and is first by its name; but it is the turn of the last.
  answer(orders_[0], "failed");
  work();
  ASSERT_EQ(orders_.size(), 5U);
  EXPECT_THAT(orders_[4].url, HasSubstr("psi_0"));
  answer(orders_[1], "failed");
  work();
  ASSERT_EQ(orders_.size(), 6U);
  EXPECT_THAT(orders_[5].url, HasSubstr("alpha_0"));
}

TEST_F(ResourceDownloadsTest, ChangingTheUrlAfterAFailureGainsNothing) {
  want("beacon_0", "file");
  work();
  for (int n = 0; n < 5; ++n) {
    answer(orders_.back(), "failed");
    want("beacon_0", "file", "other" + std::to_string(n));
    const std::size_t before = orders_.size();
    work(50s);
    EXPECT_EQ(orders_.size(), before);
    work(1h);
    EXPECT_EQ(orders_.size(), before + 1);
  }
}

TEST_F(ResourceDownloadsTest, WhatIsOnItsWayIsSharedUnlessItMustBeAnotherFile) {
  const std::string a(64, 'a'), b(64, 'b');
  want("alpha_0", "file", "shared");
  work();
  want("beacon_0", "file", "shared", a);  // held against its hash when it is there
  work();
  EXPECT_EQ(orders_.size(), 1U);
  EXPECT_EQ(words_["beacon_0 file"], "DOWNLOADING");

  want("alpha_0", "pinned", "other", a);
  answer(orders_[0], "failed");
  work();
  ASSERT_EQ(orders_.size(), 2U);
  EXPECT_EQ(orders_[1].sha256, a);
  want("gamma_0", "same", "other", a);
  want("omega_0", "another", "other", b);
  want("psi_0", "any", "other");
  work();
  ASSERT_EQ(orders_.size(), 3U);  // one for those two
  EXPECT_EQ(orders_[2].sha256, "");
  EXPECT_EQ(words_["gamma_0 same"], "DOWNLOADING");
}

TEST_F(ResourceDownloadsTest, ADownloadDoesNotExpireWhileItIsPulled) {
  want("beacon_0", "file");
  work();
  answer(orders_[0], "fetched");
  ASSERT_EQ(pulls_.size(), 1U);
  work(1h);
  EXPECT_EQ(states_["beacon_0 file"], "");
  EXPECT_EQ(orders_.size(), 1U);
  pulls_[0].done(fail(ErrorKind::io, "pull", "it", "the runtime is away"));
  EXPECT_THAT(states_["beacon_0 file"], HasSubstr("the runtime is away"));
  // One that nobody fetches does.
  work(1h);
  ASSERT_EQ(orders_.size(), 2U);
  work(15min);
  EXPECT_THAT(states_["beacon_0 file"], HasSubstr("in time"));
}

TEST_F(ResourceDownloadsTest, WhatHasNoRoomIsRefusedWithTheNumbers) {
  want("beacon_0", "file");
  work();
  free_ = 100 << 20;
  answer(orders_[0], "fetched", 45 << 20);  // twice that, and what stays free
  EXPECT_THAT(pulls_, IsEmpty());
  EXPECT_THAT(states_["beacon_0 file"], HasSubstr("no room"));
  EXPECT_THAT(states_["beacon_0 file"], HasSubstr("45.0 MiB"));
  EXPECT_THAT(states_["beacon_0 file"], HasSubstr("100.0 MiB"));
  work(1h);
  ASSERT_EQ(orders_.size(), 2U);
  answer(orders_[1], "fetched", 40 << 20);
  ASSERT_EQ(pulls_.size(), 1U);
  EXPECT_EQ(pulls_[0].most_bytes, std::uint64_t{40} << 20);  // what was said of it holds
}

TEST_F(ResourceDownloadsTest, NothingIsLeftOfAFileWhoseWishIsGone) {
  want("beacon_0", "file");
  work();
  answer(orders_[0], "fetched");
  ASSERT_EQ(pulls_.size(), 1U);
  resources_->removed("beacon_0");
  ASSERT_TRUE(replace_file(pulls_[0].to, "text"));
  pulls_[0].done({});
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!staged().empty() && std::chrono::steady_clock::now() < end)
    work();
  EXPECT_THAT(staged(), IsEmpty());
  EXPECT_THAT(files_of(""), testing::Not(testing::Contains("beacon_0")));
}

}  // namespace
}  // namespace beaconry
