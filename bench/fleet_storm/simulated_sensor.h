#pragma once
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet_storm/async_client.h"
#include "uplink/flow_batch.h"
#include "uplink/instrument_event_batch.h"

namespace beaconry::bench {

constexpr unsigned kInstruments = 5;  // of a sensor

// Events that wait to be sent as one batch: `count` of them from number `first` on, one of each
// instrument at a time, rounds `step` apart. Made when they are sent, so that a day of them is
// small.
struct EventRun {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  Timestamp begin{};
  Duration step{0};
};
InstrumentEvent event_of(unsigned sensor, const EventRun& run, std::uint32_t at);

// A sensor as its server sees it, by the real formats: joins by a token, holds its stream and
// checks what comes by it against the pinned key, reports its state, and sends its events in order
// until each batch was accepted. Pauses and jitter are the sensor's. What a real one keeps on disk
// is in memory here. Belongs to the loop's thread.
class SimulatedSensor {
 public:
  using Clock = AsyncClient::Clock;
  struct Server {
    Endpoint at;
    std::string ca_pem;
  };
  struct Seen {
    std::uint64_t documents = 0, refused_documents = 0;
    std::uint64_t version = 0;                        // that holds
    std::uint64_t reported_version = 0;               // that the server was told and answered
    Clock::time_point checked{}, reported{};          // when these became so
    std::uint64_t accepted = 0, refused_batches = 0;  // events; batches that are set aside
    std::uint64_t stream_tries = 0, refusals = 0;     // answers that were neither 200 nor 503
    std::string last_error;
  };

  static Result<std::unique_ptr<SimulatedSensor>> make(EventLoop& loop, Traffic& traffic,
                                                       const Server& server, unsigned number);

  void join(const std::string& token);
  bool has_joined() const { return joined_; }
  void go_online();
  void go_offline();  // its connections break; events go on waiting
  bool is_online() const { return online_; }
  bool has_stream() const { return streaming_; }
  void tick(Clock::time_point now);  // many times a second

  // Its instruments tell of something; it is sent as soon as what was before it is.
  void add_events(std::uint32_t count, Timestamp begin, Duration step);
  std::uint64_t events() const { return next_event_; }
  std::uint64_t waiting_batches() const { return waiting_.size(); }
  // From when a batch was there until it was acknowledged, in seconds; emptied by whoever reads.
  std::vector<float>& delays() { return delays_; }
  const std::vector<EventRun>& runs() const { return runs_; }  // all that were ever added

  const Seen& seen() const { return seen_; }
  Seen& seen() { return seen_; }
  unsigned number() const { return number_; }
  const std::string& fingerprint() const { return fingerprint_; }
  const std::string& name() const { return name_; }

 private:
  struct Pauses {
    unsigned tries = 0;
    Clock::time_point next{};
  };
  struct Waiting {
    std::uint64_t sequence = 0;
    EventRun run;
    Clock::time_point since{};
  };

  SimulatedSensor(EventLoop& loop, Traffic& traffic, Endpoint server, TlsContext tls,
                  unsigned number);
  void open_stream();
  void take_stream(std::string_view piece);
  void take_line(std::string_view line);
  void take_document(std::string_view message);
  void report();
  void send_batch();
  void pause(Pauses& pauses, bool full_jitter);
  void note(const AsyncClient::Answer& answer, const char* what);

  const unsigned number_;
  const std::string name_;
  std::string fingerprint_, certificate_pem_, fleet_key_;
  AsyncClient stream_client_, report_client_, event_client_;
  std::mt19937_64 random_;
  bool joined_ = false, online_ = false, streaming_ = false;

  std::string line_, event_, data_;
  bool has_data_ = false;
  Pauses stream_pauses_, report_pauses_, event_pauses_;
  bool report_now_ = false;
  Clock::time_point next_report_{};
  std::string boot_;
  std::uint64_t report_sequence_ = 0, config_version_ = 1;
  Timestamp started_{};

  std::string incarnation_;
  std::uint64_t next_event_ = 0, next_sequence_ = 1;
  std::deque<Waiting> waiting_;
  std::vector<EventRun> runs_;
  std::vector<float> delays_;
  Seen seen_;
};

// The state of such a sensor as its platform would tell it: five instruments at work.
std::string reported_state(const std::string& name, std::uint64_t desired_version,
                           std::uint64_t config_version, Timestamp started, Timestamp now,
                           std::uint64_t events);

// The instruments that every sensor shall have: a layer of the fleet. `every` is in their
// configuration.
std::string wished_layer(unsigned every);

}  // namespace beaconry::bench
