#include "sensor/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "http/client.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

// Notes what it is asked for, and answers with what a test put in.
class FakeSensor : public Sensor {
 public:
  void run() override {}
  void stop() override {}
  SensorReport report() override { return {}; }
  DocumentHistory::Version desired() override { return documents.back(); }
  std::vector<DocumentHistory::Version> desired_versions() override { return documents; }
  Result<std::uint64_t> set_desired(const std::string& json, const std::string& who) override {
    return note("desired " + json, who);
  }
  Result<std::uint64_t> set_fleet(const FleetWish& fleet) override {
    return note("fleet", fleet.server);
  }
  void set_image_fetches(const ImageFetches&) override {}
  Result<std::uint64_t> roll_back_desired(std::uint64_t to, const std::string& who) override {
    return note("desired to " + std::to_string(to), who);
  }
  std::optional<std::uint64_t> management_trial() override { return {}; }
  Result<void> confirm_management(const std::optional<TrialProof>& proof) override {
    if (error) return tl::unexpected<Error>(*error);
    asked = proof ? "confirm that" : "confirm";
    return {};
  }
  Result<ImageInfo> add_image(const std::string& file) override {
    if (error) return tl::unexpected<Error>(*error);
    ImageInfo image;
    image.file = file;
    image.manifest.name = "beacon";
    return image;
  }
  std::vector<ImageInfo> images() override { return {*add_image("/images/beacon")}; }
  Result<std::uint64_t> change(const std::string& instance, const Change& wanted,
                               const std::string& who, bool create) override {
    last = wanted;
    return note((create ? "make " : "change ") + instance, who);
  }
  Result<std::uint64_t> remove(const std::string& instance, const std::string& who) override {
    return note("remove " + instance, who);
  }
  Result<std::vector<DocumentHistory::Version>> config_versions(const std::string&) override {
    if (error) return tl::unexpected<Error>(*error);
    return documents;
  }
  Result<void> update_now(const std::string& instance) override {
    asked = "update " + instance;
    return {};
  }
  Result<std::string> log(const std::string&, std::size_t most_bytes) override {
    return std::string("line \xff\n").substr(0, most_bytes);
  }
  Result<Runtime::Executed> execute(const std::string&, const std::vector<std::string>& command,
                                    unsigned seconds) override {
    if (command.at(0) == "wait") {
      ++waiting;
      until.wait();
    }
    return Runtime::Executed{static_cast<int>(seconds), command.at(0), std::string("\xff")};
  }
  std::vector<Services::KeptEvent> events(const std::string& instance, std::size_t most) override {
    Services::KeptEvent kept;
    kept.instance = instance;
    kept.event.message = std::to_string(most);
    kept.event.data_json = R"({"a": 1})";
    return {kept};
  }

  Result<std::uint64_t> note(const std::string& words, const std::string& who) {
    asked = words;
    asker = who;
    if (error) return tl::unexpected<Error>(*error);
    return 7;
  }

  std::vector<DocumentHistory::Version> documents{{1, {}, "anna", "cli", R"({"a": 1})"},
                                                  {2, {}, "bob", "file", R"({"a": 2})"}};
  std::optional<Error> error;
  std::string asked, asker;
  Change last;
  std::atomic<int> waiting{0};
  std::shared_future<void> until;  // commands called "wait" end then
};

class SensorApiTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "sensor_api_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_);
    HttpServer::Options options;
    options.listen = {"unix:" + folder_ + "/s.sock"};
    options.workers = 4;
    auto server = HttpServer::start(options, api_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    HttpClient::Options client;
    client.url = options.listen.front();
    auto made = HttpClient::make(client);
    ASSERT_TRUE(made) << made.error().message();
    client_ = std::move(*made);
  }
  void TearDown() override {
    client_.reset();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  HttpResponse ask(const std::string& method, const std::string& target,
                   const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers = {{"beaconry-user", "anna"}};
    auto response = client_->send(request);
    EXPECT_TRUE(response) << response.error().message();
    return response ? *response : HttpResponse{};
  }
  Json json(const std::string& method, const std::string& target, const std::string& body = {}) {
    const HttpResponse response = ask(method, target, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body, nullptr, false);
  }

  std::string folder_;
  FakeSensor sensor_;
  SensorApi api_{sensor_};
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(SensorApiTest, MakesAnInstanceOfAllThatTheBodySays) {
  const Json made = json("POST", "/v1/instances/beacon_0", R"({
      "image": "beacon:1.2", "running": false, "retention_hours": 48, "allow_unsigned": true,
      "interfaces": [{"name": "probe", "kind": "bridge", "parent": "br0", "address": "dhcp"},
                     {"name": "tap", "kind": "mirror", "parent": "eth1", "gateway": "10.0.0.1",
                      "resolvers": ["9.9.9.9"]}],
      "config": {"interface": "probe"}})");
  EXPECT_EQ(made["version"], 7);
  EXPECT_EQ(sensor_.asked, "make beacon_0");
  EXPECT_EQ(sensor_.asker, "anna");
  EXPECT_EQ(sensor_.last.image, "beacon:1.2");
  EXPECT_EQ(sensor_.last.running, false);
  EXPECT_EQ(sensor_.last.retention, std::chrono::hours(48));
  EXPECT_EQ(sensor_.last.allow_unsigned, true);
  EXPECT_EQ(sensor_.last.config_json, R"({"interface":"probe"})");
  ASSERT_EQ(sensor_.last.interfaces->size(), 2U);
  EXPECT_EQ(sensor_.last.interfaces->at(0).address, "dhcp");
  EXPECT_EQ(sensor_.last.interfaces->at(1).kind, InterfaceWish::Kind::mirror);
  EXPECT_EQ(sensor_.last.interfaces->at(1).address, "none");
  EXPECT_EQ(sensor_.last.interfaces->at(1).resolvers, std::vector<std::string>{"9.9.9.9"});
}

TEST_F(SensorApiTest, ConfirmsTheManagementNetwork) {
  json("POST", "/v1/management/confirm");
  EXPECT_EQ(sensor_.asked, "confirm");
  EXPECT_EQ(ask("POST", "/v1/management/confirm", R"({"version": 1})").status, 400);
  sensor_.error = Error{ErrorKind::usage, "confirm", "it", "none is on trial"};
  EXPECT_EQ(ask("POST", "/v1/management/confirm").status, 409);
}

TEST_F(SensorApiTest, ChangesOnlyWhatIsNamed) {
  json("PATCH", "/v1/instances/beacon_0", R"({"config": null, "expected_config_version": 3})");
  EXPECT_EQ(sensor_.asked, "change beacon_0");
  EXPECT_EQ(sensor_.last.config_json, "");
  EXPECT_EQ(sensor_.last.expected_config_version, 3U);
  EXPECT_FALSE(sensor_.last.image || sensor_.last.running || sensor_.last.interfaces ||
               sensor_.last.retention || sensor_.last.allow_unsigned);
}

TEST_F(SensorApiTest, RefusesBodiesWithTheNameOfWhatIsWrong) {
  const struct {
    const char *target, *body, *word;
  } cases[] = {
      {"beacon_0", "", "no JSON"},
      {"beacon_0", "[]", "no JSON object"},
      {"beacon_0", "{}", "'image' is required"},
      {"beacon_0", R"({"image": 5})", "'image' is no text"},
      {"beacon_0", R"({"image": "b", "imagee": "b"})", "'imagee' is not one of image"},
      {"beacon_0", R"({"image": "b", "running": "yes"})", "'running' is neither"},
      {"beacon_0", R"({"image": "b", "retention_hours": 0})", "'retention_hours'"},
      {"beacon_0", R"({"image": "b", "retention_hours": -1})", "'retention_hours'"},
      {"beacon_0", R"({"image": "b", "config": [1]})", "'config' is neither"},
      {"beacon_0", R"({"image": "b", "interfaces": {}})", "'interfaces' is no list"},
      {"beacon_0", R"({"image": "b", "interfaces": [{"name": "p", "kind": "tun", "parent": "x"}]})",
       "interface 1: 'kind' is not one of physical"},
      {"beacon_0", R"({"image": "b", "interfaces": [{"name": "p", "kind": "bridge"}]})",
       "interface 1: 'parent' is required"},
      {"beacon_0/exec", R"({"command": []})", "'command' is required"},
      {"beacon_0/exec", R"({"command": ["a", 1]})", "'command' holds"},
      {"beacon_0/exec", R"({"command": ["a"], "seconds": 999999})", "'seconds'"},
      {"beacon_0/stop", R"({"now": true})", "'now' is unknown"},
      {"beacon_0/config/rollback", R"({})", "'to' is required"},
  };
  for (const auto& c : cases) {
    const HttpResponse response = ask("POST", std::string("/v1/instances/") + c.target, c.body);
    EXPECT_EQ(response.status, 400) << c.body;
    EXPECT_THAT(response.body, HasSubstr(c.word));
  }
  EXPECT_EQ(ask("POST", "/v1/instances/b_0", std::string(100'000, '[')).status, 400);
  EXPECT_EQ(ask("POST", "/v1/images", R"({"file": "x"})").status, 400);
  EXPECT_EQ(ask("PUT", "/v1/desired", R"({"desired": []})").status, 400);
  EXPECT_EQ(sensor_.asked, "");
}

TEST_F(SensorApiTest, TellsKindsOfErrorsApart) {
  const struct {
    ErrorKind kind;
    int status;
  } cases[] = {{ErrorKind::malformed, 400},
               {ErrorKind::not_found, 404},
               {ErrorKind::usage, 409},
               {ErrorKind::limit, 507},
               {ErrorKind::io, 500}};
  for (const auto& c : cases) {
    sensor_.error = Error{c.kind, "install", "beacon_0", "needs 5 MiB"};
    const HttpResponse response = ask("DELETE", "/v1/instances/beacon_0");
    EXPECT_EQ(response.status, c.status);
    EXPECT_EQ(Json::parse(response.body)["error"], "install beacon_0: needs 5 MiB");
  }
}

TEST_F(SensorApiTest, OrdersAreChangesOfTheDesiredState) {
  json("POST", "/v1/instances/beacon_0/start");
  EXPECT_EQ(sensor_.last.running, true);
  json("POST", "/v1/instances/beacon_0/stop", "{}");
  EXPECT_EQ(sensor_.last.running, false);
  json("POST", "/v1/instances/beacon_0/restart");
  EXPECT_TRUE(sensor_.last.restart);
  json("POST", "/v1/instances/beacon_0/approve");
  EXPECT_TRUE(sensor_.last.approve);
  json("POST", "/v1/instances/beacon_0/update");
  EXPECT_EQ(sensor_.asked, "update beacon_0");
  json("DELETE", "/v1/instances/beacon_0");
  EXPECT_EQ(sensor_.asked, "remove beacon_0");
}

TEST_F(SensorApiTest, GivesDocumentsAndTheirHistory) {
  EXPECT_EQ(json("GET", "/v1/desired")["desired"]["a"], 2);
  EXPECT_EQ(json("GET", "/v1/desired?version=1")["who"], "anna");
  EXPECT_EQ(ask("GET", "/v1/desired?version=9").status, 404);
  EXPECT_NE(ask("GET", "/v1/desired?version=9").body.find("history"), std::string::npos);
  EXPECT_EQ(ask("GET", "/v1/desired?version=x").status, 400);
  EXPECT_EQ(json("GET", "/v1/desired/versions")["versions"].size(), 2U);
  json("PUT", "/v1/desired", R"({"desired": {"instances": {}}})");
  EXPECT_EQ(sensor_.asked, R"(desired {"instances":{}})");
  json("POST", "/v1/desired/rollback", R"({"to": 1})");
  EXPECT_EQ(sensor_.asked, "desired to 1");

  EXPECT_EQ(json("GET", "/v1/instances/b_0/config")["config"]["a"], 2);
  EXPECT_EQ(json("GET", "/v1/instances/b_0/config?version=1")["config"]["a"], 1);
  EXPECT_EQ(json("GET", "/v1/instances/b_0/config/versions")["versions"][1]["how"], "file");
  json("POST", "/v1/instances/b_0/config/rollback", R"({"to": 1})");
  EXPECT_EQ(sensor_.last.config_json, R"({"a": 1})");
  EXPECT_EQ(ask("POST", "/v1/instances/b_0/config/rollback", R"({"to": 9})").status, 404);
  sensor_.documents.clear();
  EXPECT_EQ(json("GET", "/v1/instances/b_0/config")["version"], 0);
}

TEST_F(SensorApiTest, GivesLogsOutputImagesAndEvents) {
  const HttpResponse log = ask("GET", "/v1/instances/b_0/logs?bytes=4");
  EXPECT_EQ(log.body, "line");
  EXPECT_EQ(log.content_type, "text/plain; charset=utf-8");
  const Json done =
      json("POST", "/v1/instances/b_0/exec", R"({"command": ["ls", "-l"], "seconds": 9})");
  EXPECT_EQ(done["status"], 9);
  EXPECT_EQ(done["output"], "ls");
  EXPECT_EQ(done["errors"], "\xef\xbf\xbd");
  EXPECT_EQ(json("GET", "/v1/images")["images"][0]["name"], "beacon");
  EXPECT_EQ(json("POST", "/v1/images", R"({"file": "/x"})")["file"], "/x");
  const Json events = json("GET", "/v1/events?instance=b_0&most=20");
  EXPECT_EQ(events["events"][0]["instance"], "b_0");
  EXPECT_EQ(events["events"][0]["message"], "20");
  EXPECT_EQ(events["events"][0]["data"]["a"], 1);
  EXPECT_EQ(ask("GET", "/v1/events?instanze=b").status, 400);
}

TEST_F(SensorApiTest, CommandsInsideTakeTwoThreadsAtMost) {
  std::promise<void> over;
  sensor_.until = over.get_future().share();
  const std::string wait = R"({"command": ["wait"], "seconds": 9})",
                    path = "/v1/instances/b_0/exec";
  const auto run = [&] {
    HttpClient::Options options;
    options.url = "unix:" + folder_ + "/s.sock";
    HttpRequest request;
    request.method = "POST";
    request.target = path;
    request.body = wait;
    request.headers = {{"content-type", "application/json"}};
    const auto answer = (*HttpClient::make(options))->send(request);
    return answer ? answer->status : 0;
  };
  auto one = std::async(std::launch::async, run), two = std::async(std::launch::async, run);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (sensor_.waiting < 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  ASSERT_EQ(sensor_.waiting, 2);
  const HttpResponse third = ask("POST", path, wait);
  EXPECT_EQ(third.status, 503);
  EXPECT_THAT(third.body, HasSubstr("2 others run in instruments now"));
  EXPECT_EQ(ask("GET", "/v1/sensor").status, 200);
  over.set_value();
  EXPECT_EQ(one.get(), 200);
  EXPECT_EQ(two.get(), 200);
  EXPECT_EQ(ask("POST", path, wait).status, 200);
}

TEST_F(SensorApiTest, KnowsWhatThereIs) {
  EXPECT_EQ(ask("GET", "/v2/sensor").status, 404);
  EXPECT_EQ(ask("GET", "/v1/instances/").status, 404);
  EXPECT_EQ(ask("GET", "/v1/instances/b_0/boot").status, 404);
  const HttpResponse wrong = ask("PUT", "/v1/instances/b_0");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, POST, PATCH, DELETE");
}

}  // namespace
}  // namespace beaconry
