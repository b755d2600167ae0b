#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/client.h"
#include "sensor/fleet/report_body.h"
#include "sensor/image_folder.h"
#include "sensor/sensor.h"

namespace beaconry {

// The sensor's end of the fleet: what the server wishes comes down by a stream that this side opens
// and is obeyed, also while the server is away; what the sensor is goes up. docs/formats/fleet.md.
// One thread has the stream, one reports and answers, one fetches images.
class FleetLink {
 public:
  struct Options {
    std::optional<HttpClient::Options> server;  // with this edge's key; none: by hand alone
    std::string fleet_key;                      // pinned at the join; empty: nothing is obeyed
    std::string fingerprint, key_pem;           // this edge's
    std::string state_folder;                   // STATE/fleet: the document, images under way
    std::string keys_folder;
    InspectImage inspect;
    bool allow_unsigned = false;  // whether the server may let unsigned code run
    ReportHead head;              // of this machine
    std::function<std::uint64_t()> sequence = since_boot;
    std::function<Timestamp()> clock;
    std::function<std::uint64_t()> free_bytes{};  // for images; unset: what statvfs() says
    std::size_t image_piece = 1 << 20;
    Duration first_wait = std::chrono::seconds{1}, longest_wait = std::chrono::minutes{1};
    Duration report_gap = std::chrono::seconds{5}, report_every = std::chrono::seconds{55};
    Duration look_every = std::chrono::seconds{1};  // for what changed
  };
  // The sensor outlives it. Begins at once.
  static std::unique_ptr<FleetLink> start(Options options, Sensor& sensor);
  virtual ~FleetLink() = default;  // ends its threads

  // Adds what is known of the server to the sensor's own report.
  virtual void fill(SensorReport& report) const = 0;
  // The sensor's report with this.
  virtual SensorReport report() const = 0;
  // The report as a file for the server; signed.
  virtual Result<std::string> signed_report() = 0;
  // Which layer each value of the server's document is from, JSON.
  virtual std::string origin_json() const = 0;

  // A signed document, and the images that it wishes for, from a file or a folder of this machine:
  // what lies there for other sensors is left alone.
  struct Taken {
    std::uint64_t version = 0;
    bool is_news = false;
    std::vector<std::string> images;    // fingerprints that were taken in
    std::vector<std::string> problems;  // images that were not, and why
  };
  virtual Result<Taken> take(const std::string& path) = 0;
};

}  // namespace beaconry
