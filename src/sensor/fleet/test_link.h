#pragma once
// A sensor in memory, and a server of the test's that speaks the fleet's protocol over HTTP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "config/signed_document.h"
#include "http/certificates.h"
#include "http/test_support.h"
#include "sensor/fleet/fleet_link.h"
#include "spool/test_folder.h"
#include "uplink/zstd_frame.h"

namespace beaconry::test {

inline std::string read_text(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}
inline void write_text(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// Images of these tests are any bytes; a signature that says "good" is right.
inline Result<ImageInfo> inspect(const std::string& file, const std::string&) {
  ImageInfo image;
  const std::string text = read_text(file);
  if (text.empty()) return fail(ErrorKind::malformed, "read", file, "it is no image");
  image.file = file;
  image.fingerprint = sha256_hex(text);
  if (read_text(file + ".minisig") == "good") image.signed_by = "key";
  return image;
}

// Notes what is wished of it. Any thread.
class NotingSensor final : public Sensor {
 public:
  void run() override {}
  void stop() override {}
  SensorReport report() override {
    const std::lock_guard lock(mutex);
    SensorReport report;
    report.name = "sensor001";
    report.desired_version = version;
    report.health.name = "sensor001";
    report.health.state = HealthState::healthy;
    report.pool = pool;
    return report;
  }
  DocumentHistory::Version desired() override {
    const std::lock_guard lock(mutex);
    DocumentHistory::Version now;
    DesiredState state;
    state.instances = wish.instances;
    now.number = version;
    now.json = state.to_json();
    return now;
  }
  std::vector<DocumentHistory::Version> desired_versions() override { return {}; }
  Result<std::uint64_t> set_desired(const std::string&, const std::string&) override { return 0; }
  Result<std::uint64_t> set_fleet(const FleetWish& fleet) override {
    const std::lock_guard lock(mutex);
    if (is_faulty) throw std::runtime_error("it was not thought of");
    if (is_full) return fail(ErrorKind::limit, "write", "desired", "the disk is full");
    wish = fleet;
    return ++version;
  }
  void set_image_fetches(const ImageFetches& all) override {
    const std::lock_guard lock(mutex);
    fetches = all;
    told.push_back(all);
  }
  Result<std::uint64_t> roll_back_desired(std::uint64_t, const std::string&) override { return 0; }
  std::optional<std::uint64_t> management_trial() override {
    const std::lock_guard lock(mutex);
    return trial;
  }
  Result<void> confirm_management(const std::optional<TrialProof>& proof) override {
    const std::lock_guard lock(mutex);
    confirmed = proof;
    trial.reset();
    return {};
  }
  Result<ImageInfo> add_image(const std::string& file) override {
    auto image = inspect(file, "");
    const std::lock_guard lock(mutex);
    if (image) taken.push_back(*image);
    return image;
  }
  std::vector<ImageInfo> images() override {
    const std::lock_guard lock(mutex);
    return taken;
  }
  Result<std::uint64_t> change(const std::string&, const Change&, const std::string&,
                               bool) override {
    return 0;
  }
  Result<std::uint64_t> remove(const std::string&, const std::string&) override { return 0; }
  Result<std::vector<DocumentHistory::Version>> config_versions(const std::string&) override {
    return std::vector<DocumentHistory::Version>{};
  }
  Result<void> update_now(const std::string& instance) override {
    if (instance == "beacon_0") return {};
    return fail(ErrorKind::not_found, "find", instance, "there is none of that name");
  }
  Result<std::string> log(const std::string& instance, std::size_t most) override {
    return instance + " says " + std::string(std::min<std::size_t>(most, 3), '\x01');
  }
  Result<Runtime::Executed> execute(const std::string&, const std::vector<std::string>&,
                                    unsigned) override {
    return Runtime::Executed{};
  }
  std::vector<Services::KeptEvent> events(const std::string&, std::size_t) override { return {}; }

  template <class Look>
  auto with(Look look) {
    const std::lock_guard lock(mutex);
    return look(*this);
  }

  std::mutex mutex;
  FleetWish wish;
  ImageFetches fetches;
  std::vector<ImageInfo> taken;
  PoolSpace pool;
  std::uint64_t version = 0;
  std::optional<std::uint64_t> trial;
  std::optional<TrialProof> confirmed;
  std::vector<ImageFetches> told;  // each time
  bool is_full = false, is_faulty = false;
};

// What beaconry-control is to a sensor: docs/formats/fleet.md.
class FleetPeer {
 public:
  FleetPeer() {
    server.handler.on_admit = [](const HttpRequest&) {
      HttpHandler::Admission admission;
      admission.most_body = 8 << 20;
      return admission;
    };
    server.handler.on_handle = [this](const HttpRequest& request) { return answer(request); };
  }

  void push(const std::string& message) {
    const std::lock_guard lock(mutex);
    document = message;
    if (stream) stream->push("desired", message);
  }
  void ask(const std::string& json) {
    const std::lock_guard lock(mutex);
    stream->push("ask", json);
  }
  template <class Look>
  auto with(Look look) {
    const std::lock_guard lock(mutex);
    return look(*this);
  }

  std::mutex mutex;
  std::string document;  // sent to whoever comes
  std::shared_ptr<EventStream> stream;
  std::vector<std::string> afters;  // of the streams that were opened
  std::vector<nlohmann::json> reports;
  std::map<std::string, nlohmann::json> answers;
  std::map<std::string, std::string> images, signatures;
  std::vector<std::string> ranges;  // of images that were asked for
  int unknown = 0;                  // images that were asked for and are not there
  int refused = 0;                  // reports
  int pieces_left = -1;             // then 503; -1: all
  int status = 200;                 // of streams and reports
  TestServer server;                // ends first

 private:
  HttpResponse answer(const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    HttpResponse response;
    response.status = status;
    const std::string path = request.path();
    constexpr std::string_view kRoot = "/api/v1/fleet/self/";
    if (!path.starts_with(kRoot)) {
      response.status = 404;
      return response;
    }
    const std::string rest = path.substr(kRoot.size());
    if (status != 200) {
      refused += rest == "reported" ? 1 : 0;
      response.body = R"({"error":"no sensor of this server"})";
    } else if (rest == "stream") {
      afters.push_back(request.parameters().at(0).second);
      stream = response.events = EventStream::make(8 << 20);
      response.content_type = "text/event-stream";
      if (!document.empty()) stream->push("desired", document);
    } else if (rest == "reported") {
      const auto plain = uplink::decompress(request.body, 8 << 20);
      EXPECT_TRUE(plain);
      reports.push_back(nlohmann::json::parse(plain->view()));
      response.body = "{}";
    } else if (rest.starts_with("answers/")) {
      answers[rest.substr(8)] = nlohmann::json::parse(request.body);
    } else if (rest.ends_with("/signature")) {
      const auto found = signatures.find(rest.substr(7, 64));
      response.status = found == signatures.end() ? 404 : 200;
      if (found != signatures.end()) response.body = found->second;
    } else {
      give_image(request, rest.substr(7), response);
    }
    return response;
  }
  void give_image(const HttpRequest& request, const std::string& name, HttpResponse& response) {
    const auto found = images.find(name);
    if (found == images.end()) {
      ++unknown;
      response.status = 404;
      return;
    }
    if (pieces_left == 0) {
      response.status = 503;
      return;
    }
    if (pieces_left > 0) --pieces_left;
    const std::string range(request.header("range"));
    ranges.push_back(range);
    const std::string& bytes = found->second;
    const std::size_t first = std::stoul(range.substr(6));
    const std::size_t last =
        std::min(bytes.size() - 1, std::size_t{std::stoul(range.substr(range.find('-') + 1))});
    const std::string total = std::to_string(bytes.size());
    if (first >= bytes.size()) {
      response.status = 416;
      response.headers.emplace_back("content-range", "bytes */" + total);
      return;
    }
    response.status = 206;
    response.content_type = "application/octet-stream";
    response.headers.emplace_back("content-range", "bytes " + std::to_string(first) + '-' +
                                                       std::to_string(last) + '/' + total);
    response.body = bytes.substr(first, last - first + 1);
  }
};

class LinkTest : public testing::Test {
 protected:
  LinkTest() {
    edge = *make_self_signed("sensor001", Timestamp{std::chrono::seconds{1'790'000'000}});
    fingerprint = *key_fingerprint(edge.certificate_pem);
  }

  void launch(bool with_server = true) {
    FleetLink::Options options;
    if (with_server) {
      options.server = HttpClient::Options{};
      options.server->url = peer->server.url;
    }
    options.fleet_key = pinned;
    options.fingerprint = fingerprint;
    options.key_pem = edge.key_pem;
    options.state_folder = folder.path() + "/fleet";
    options.inspect = inspect;
    options.allow_unsigned = allow_unsigned;
    options.head = {"boot", "machine", 0};
    options.clock = [] { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); };
    options.free_bytes = [this] { return free_bytes.load(); };
    options.image_piece = 1000;
    options.first_wait = options.longest_wait = failure_wait;
    options.report_gap = options.look_every = std::chrono::milliseconds{10};
    link = FleetLink::start(options, sensor);
  }
  std::string sign(std::uint64_t version, const std::string& document) {
    return sign_by(key, version, document, fingerprint);
  }
  static std::string sign_by(const DocumentKey& by, std::uint64_t version,
                             const std::string& document, const std::string& sensor_key) {
    const auto message =
        by.sign({sensor_key, version, {}, document, R"({"/instances/beacon_0/image":"fleet"})"});
    EXPECT_TRUE(message) << message.error().message();
    return *message;
  }
  static std::string wish_of(const std::string& image, const std::string& rest = "") {
    return R"({"instances":{"beacon_0":{"image":")" + image + '"' + rest + "}}}";
  }
  // An image that the server has; its fingerprint.
  std::string offer(const std::string& bytes, const std::string& signature = "good") {
    const std::string image = sha256_hex(bytes);
    peer->with([&](FleetPeer& all) {
      all.images[image] = bytes;
      if (!signature.empty()) all.signatures[image] = signature;
    });
    return image;
  }
  bool has(const std::string& image) {
    return sensor.with([&](NotingSensor& all) {
      return std::any_of(all.taken.begin(), all.taken.end(),
                         [&](const ImageInfo& one) { return one.fingerprint == image; });
    });
  }
  std::string fetch_words(const std::string& image, UpdateState state) {
    return sensor.with([&](NotingSensor& all) {
      const auto found = all.fetches.find(image);
      return found == all.fetches.end() || found->second.state != state ? std::string()
                                                                        : found->second.words;
    });
  }
  bool obeys(std::uint64_t version) {
    return wait_for([&] { return link->report().fleet.version == version; });
  }

  TestFolder folder;
  CertificateAndKey edge;
  std::string fingerprint;
  DocumentKey key = DocumentKey::make();
  std::string pinned = key.public_hex();
  bool allow_unsigned = false;
  Duration failure_wait = std::chrono::milliseconds{20};  // after a failure
  std::atomic<std::uint64_t> free_bytes{std::uint64_t{1} << 40};
  NotingSensor sensor;
  std::unique_ptr<FleetPeer> peer = std::make_unique<FleetPeer>();
  std::unique_ptr<FleetLink> link;  // ends first
};

}  // namespace beaconry::test
