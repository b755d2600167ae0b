#include "sensor/lxd_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "http/server.h"
#include "sensor/runtime.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// As much of LXD's and Incus's API as says who it is.
class FakeDaemon : public HttpHandler {
 public:
  FakeDaemon(std::string name, const std::string& folder) : name_(std::move(name)) {
    std::filesystem::create_directories(folder);
    HttpServer::Options options;
    options.listen = {"unix:" + folder + "/unix.socket"};
    auto server = HttpServer::start(options, *this);
    EXPECT_TRUE(server) << server.error().message();
    if (server) server_ = std::move(*server);
  }
  Admission admit(const HttpRequest&) override { return {{}, 4096}; }
  HttpResponse handle(HttpRequest request) override {
    HttpResponse response;
    if (request.path() == "/1.0") {
      response.body = R"({"type": "sync", "status_code": 200, "metadata": {"environment":
          {"server": ")" +
                      name_ + R"(", "server_version": "6.0.4"}}})";
    } else {
      response.status = 404;
      response.body = R"({"type": "error", "error": "not found", "error_code": 404})";
    }
    return response;
  }

 private:
  std::string name_;
  std::unique_ptr<HttpServer> server_;  // goes first
};

class LxdConnection : public testing::Test {
 protected:
  LxdConnection() {
    char name[] = "/tmp/bclxc_XXXXXX";
    folder_ = ::mkdtemp(name);
    ::unsetenv("LXD_DIR");
    ::unsetenv("INCUS_DIR");
  }
  ~LxdConnection() override {
    ::unsetenv("LXD_DIR");
    ::unsetenv("INCUS_DIR");
    std::filesystem::remove_all(folder_);
  }
  std::string folder_;
};

TEST_F(LxdConnection, LooksWhereDebianTheSnapAndIncusHaveTheirSockets) {
  EXPECT_THAT(lxd::known_sockets(),
              ElementsAre("/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket",
                          "/var/lib/incus/unix.socket"));
  ::setenv("LXD_DIR", "/a", 1);
  ::setenv("INCUS_DIR", "/b", 1);
  EXPECT_EQ(lxd::known_sockets().at(0), "/a/unix.socket");
  EXPECT_EQ(lxd::known_sockets().at(1), "/b/unix.socket");
}

TEST_F(LxdConnection, SpeaksWithWhicheverAnswers) {
  // The first is there and dead, as an LXD that was removed leaves it.
  std::filesystem::create_directories(folder_ + "/lxd");
  ::setenv("LXD_DIR", (folder_ + "/lxd").c_str(), 1);
  ::setenv("INCUS_DIR", (folder_ + "/incus").c_str(), 1);
  const auto runtime = open_lxd({});
  ASSERT_TRUE(runtime) << runtime.error().message();
  {
    const FakeDaemon incus("incus", folder_ + "/incus");
    EXPECT_EQ((*runtime)->version().value_or(""), "Incus 6.0.4");
    const FakeDaemon lxd("lxd", folder_ + "/lxd");
    EXPECT_EQ((*runtime)->version().value_or(""), "LXD 6.0.4");
  }
  LxdOptions away;
  away.socket = folder_ + "/none";
  const auto nothing = (*open_lxd(away))->version();
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message(), HasSubstr("beaconry sensor setup"));
}

}  // namespace
}  // namespace beaconry
