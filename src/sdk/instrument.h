#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bus/messages.h"

namespace beaconry::sdk {

// Who we are, from /run/instrument/identity.json, which the platform wrote.
struct Identity {
  std::string instance;                 // beacon_0
  std::string sensor;                   // sensor001
  std::string instrument;               // beacon
  std::vector<std::string> interfaces;  // names inside: "probe"
  std::string full_name() const { return instance + "@" + sensor; }
};

class Instrument;

// What an author writes. Every handler is called on the one thread of run(); what blocks in one
// delays all, so long work goes to threads or child processes of one's own.
struct Handlers {
  // The platform's configuration: it fits the manifest's schema. An error is reported as FAILED
  // with its words, and the platform falls back to the last one that was applied.
  std::function<Result<void>(Instrument&, const nlohmann::json& config)> configure;
  // How one is. Unset: healthy as long as one answers. Parts get their `since` by themselves.
  std::function<Health(Instrument&)> health;
  // Delete everything older; say how much. Unset: there is nothing stored, and it is said so.
  // `uuid` and `before` of the receipt are the command's and set for it.
  std::function<RetentionReceipt(Instrument&, Timestamp before)> retain;
  // About every 100 ms, or what tick_every says: the work.
  std::function<void(Instrument&)> tick;
  std::function<void(Instrument&)> stop;  // before the end
  // Optional: others' messages, events that one's relations subscribe to, resources.
  std::function<nlohmann::json(Instrument&, const std::string& from, const nlohmann::json& body)>
      request;  // its value is the reply
  std::function<void(Instrument&, const std::string& from, const Event& event)> event;
  std::function<void(Instrument&, const to_instrument::ResourceState&)> resource;
  std::function<void(Instrument&, const FetchOrder&)> fetch;  // of the downloader
  std::chrono::milliseconds tick_every{100};
};

class Instrument {
 public:
  virtual ~Instrument() = default;
  virtual const Identity& identity() const = 0;
  // Into the outbox, on disk where there is /persistent-data or /transient-data, until the platform
  // has it on its own disk. It outlives a kill at once, and a power cut once the handler that emits
  // it has returned: those of a burst are synced together. `type` is the last word: "alert" becomes
  // instruments.beacon.ev.alert. Returns the uuid; ErrorKind::limit when the outbox is full (it is
  // counted and told).
  virtual Result<std::string> emit(std::string_view type, std::string_view message,
                                   const nlohmann::json& data) = 0;
  virtual Result<void> subscribe(std::string_view instrument) = 0;  // others' events
  virtual Result<void> find(std::string_view instrument,
                            std::function<void(const std::vector<FoundInstrument>&)> found) = 0;
  virtual Result<void> send(std::string_view to, const nlohmann::json& body) = 0;
  virtual Result<void> request(std::string_view to, const nlohmann::json& body,
                               std::function<void(const Result<nlohmann::json>&)> reply,
                               std::chrono::seconds patience) = 0;
  virtual Result<void> want(const ResourceWish& wish) = 0;  // a file under /resources, kept fresh
  virtual void fetched(const FetchResult& result) = 0;
  virtual void end(int status) = 0;  // run() returns it
};

// Connects to the bus (again and again while it is away), says hello, serves until it is told to
// stop or gets SIGTERM. Returns the exit status for main().
int run(const Handlers& handlers);
// The same for tests: other folders than /run/instrument, /persistent-data, /transient-data.
struct Places {
  std::string run = "/run/instrument", bus = "/run/bus/bus.sock";
  std::string persistent = "/persistent-data", transient = "/transient-data";
};
int run(const Handlers& handlers, const Places& places);

}  // namespace beaconry::sdk
