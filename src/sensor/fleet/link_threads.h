#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sensor/fleet/fleet_link.h"
#include "sensor/fleet/image_fetcher.h"
#include "sensor/fleet/kept_document.h"

namespace beaconry {

// FleetLink with its threads. fleet_link.cc: the stream and what comes by it; reporting.cc: what
// goes up; hand_over.cc: files.
class LinkThreads final : public FleetLink {
 public:
  LinkThreads(Options options, Sensor& sensor);
  ~LinkThreads() override;
  void begin();

  void fill(SensorReport& report) const override;
  SensorReport report() const override;
  Result<std::string> signed_report() override;
  std::string origin_json() const override { return document_.origin_json(); }
  Result<Taken> take(const std::string& path) override;

 private:
  struct Ask {
    std::string id, what, instance;
    std::size_t bytes = 0;
  };
  using Steady = std::chrono::steady_clock;

  HttpClient::Options client_options() const;
  double random();
  bool wait(Duration time);  // false: it is ending
  void run(const std::function<void()>& work);
  void set_not_obeyed(const std::string& why);  // empty: it is; REQUIRES mutex_

  // --- the stream's thread
  void follow();
  Result<void> open_stream();
  // An error: what came could not be kept, and is to be sent again.
  Result<void> take_event(const std::string& name, const std::string& data);
  Result<void> take_document(const std::string& message);
  void take_ask(const std::string& json);
  void note_heard(bool connected, const std::string& error);

  // --- the reporting thread
  void tell();
  void obey();
  void answer_ask(HttpClient& client);
  std::string answer_to(const Ask& ask);
  bool wish_images();
  void report_if_due(HttpClient& client, const SensorReport& report);
  bool prove_way(std::uint64_t version, const SensorReport& report);
  bool send_report(HttpClient& client, const SensorReport& report);
  std::uint64_t next_sequence();

  // --- files
  struct Found {
    std::string message;
    std::string fault, refused;  // why the last one was not taken, and itself unless it is others'
    std::uint64_t version = 0;
    std::optional<FleetWish> wish;  // empty: there is none for this sensor
  };
  Result<Found> find_document(const std::string& path) const;
  void take_images(const std::string& folder, const FleetWish& wish, Taken& taken);

  const Options options_;
  Sensor& sensor_;
  KeptDocument document_;
  ImageFetcher images_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::mt19937_64 random_;
  std::deque<Ask> asks_;
  bool obeyed_ = false;      // the newest document is the sensor's wish
  bool report_now_ = false;  // a document was taken
  bool connected_ = false;
  std::string stream_error_, report_error_;
  KeptDocument::Refusal not_obeyed_;  // why the newest document is not obeyed yet
  std::uint64_t obeyed_version_ = 0;
  std::optional<Timestamp> heard_, taken_;
  std::uint64_t sequence_ = 0;
  std::mutex taking_;         // one document at a time
  std::string sent_meaning_;  // this and what follows: of the reporting thread
  Steady::time_point sent_at_{};
  Duration next_report_{}, next_gap_{};
  std::optional<std::uint64_t> trial_;  // of the machine's network
  unsigned failures_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace beaconry
