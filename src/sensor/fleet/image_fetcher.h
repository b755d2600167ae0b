#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "http/client.h"
#include "sensor/image_folder.h"
#include "sensor/sensor.h"

namespace beaconry {

// Gets the images that the server's document wishes for and the sensor has not: one at a time, in
// pieces, so that what came stays when the connection or the program ends. An image is handed to
// the sensor once its SHA-256 is the wished one and a key of this machine signed it. work() blocks
// and is one thread's; the rest is any thread's.
class ImageFetcher {
 public:
  struct Options {
    std::optional<HttpClient::Options> server;  // none: images come by hand alone
    std::string folder;                         // of what is under way; made if missing
    std::string keys_folder;
    InspectImage inspect;
    std::function<Timestamp()> clock;
    std::function<double()> random;               // from 0 to 1
    std::function<std::uint64_t()> free_bytes{};  // of the folder; unset: what statvfs() says
    std::size_t piece = 1 << 20;
    Duration first_wait = std::chrono::seconds{2}, longest_wait = std::chrono::minutes{10};
  };
  ImageFetcher(Options options, Sensor& sensor);

  // All that is wished for, by fingerprint; whether it may be unsigned.
  void set_wished(std::map<std::string, bool> wished);
  // Until stop().
  void work();
  void stop();
  ImageFetches fetches() const;

 private:
  struct Fault {
    std::string cause;
    bool lasting = false;  // trying again soon would not help
  };
  struct Entry {
    ImageFetch fetch;
    unsigned failures = 0;  // in a row
    Timestamp again{};
  };
  using Done = std::optional<Fault>;  // nothing: all is well

  Duration pause() const;
  std::set<std::string> images_here();
  std::optional<std::string> next();
  bool has_failed(const std::string& image) const;
  void fetch(const std::string& image);
  Done get(const std::string& image, bool may_be_unsigned);
  Done get_signature(const std::string& image, bool may_be_unsigned);
  Done get_pieces(const std::string& image);
  Done check_room(std::uint64_t total, std::uint64_t have) const;
  Done take(const std::string& image, bool may_be_unsigned, bool resumed);
  Result<HttpResponse> ask(const std::string& rest, HttpHeaders headers);
  void say(const std::string& image, UpdateState state, const std::string& words);
  void drop_unwished();
  std::string part(const std::string& image) const { return options_.folder + '/' + image; }

  const Options options_;
  Sensor& sensor_;
  std::unique_ptr<HttpClient> client_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, changed_ = true;
  std::map<std::string, bool> wished_;
  bool is_known_ = false;  // what is wished
  std::map<std::string, Entry> entries_;
};

}  // namespace beaconry
