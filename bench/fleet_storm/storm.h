#pragma once
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "fleet_storm/server_under_test.h"
#include "fleet_storm/simulated_sensor.h"

namespace beaconry::bench {

struct StormPlan {
  std::string program, folder;
  unsigned sensors = 1000;
  unsigned changes = 5;         // of what the fleet is wished
  unsigned paced_seconds = 60;  // with a batch of each sensor every second
  unsigned events_a_batch = 20;
  unsigned away_minutes = 1440;  // of half of the sensors; a batch of one event an instrument each
  unsigned beacons = 0;          // pairs that call home, found by the analysis; for lists
};

struct Spread {
  double median = 0, p99 = 0, most = 0;  // seconds
  static Spread of(std::vector<double> values);
};

// Many sensors against one server, from their enrolment to the last event in its database. Each
// step waits for what it brings about, with a generous patience, and adds its figures to the table
// and what must never be to the faults. One thread; the sensors live on another.
class Storm {
 public:
  explicit Storm(StormPlan plan) : plan_(std::move(plan)) {}
  ~Storm();

  // An error: a step that did not come to its end.
  Result<void> run();
  const std::string& table() const { return table_; }  // Markdown
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  using Clock = SimulatedSensor::Clock;
  struct Sums {
    std::uint64_t joined = 0, streams = 0, reported = 0;  // sensors
    std::uint64_t waiting = 0, told = 0, accepted = 0;
    std::uint64_t documents = 0, refused_documents = 0, refusals = 0, refused_batches = 0;
    std::string last_error;
  };

  Result<void> begin();
  Result<void> join();
  Result<void> come_online();
  Result<void> change_wishes();
  Result<void> tell_events();
  Result<void> restart();
  Result<void> go_away_and_return();
  Result<void> look_at_sensors();
  Result<void> count_stored();
  Result<void> look_at_beacons();

  template <class Work>
  auto on_loop(const Work& work) -> decltype(work());
  Result<void> wait_for(const std::string& what, const std::function<bool(const Sums&)>& done);
  // Until each of them, from `first` on, has reported the version that the server wishes of it.
  Result<void> wait_for_newest(const std::string& what, std::size_t first = 0);
  void tick();
  Sums sums() const;  // on the loop
  Result<void> wish();
  void row(const std::string& what, const std::string& figure, const std::string& target = {});
  void spread_row(const std::string& what, const Spread& spread, const std::string& target);
  void expect(bool holds, const std::string& fault);
  void say(const std::string& words) const;
  void look_at_memory();

  const StormPlan plan_;
  std::unique_ptr<ServerUnderTest> server_;
  EventLoop loop_;
  std::thread thread_;
  Traffic traffic_;
  std::vector<std::unique_ptr<SimulatedSensor>> sensors_;
  unsigned next_wish_ = 60;
  std::uint64_t peak_memory_ = 0;
  std::string table_;
  std::vector<std::string> faults_;

  // On the loop.
  std::vector<Clock::time_point> next_batch_;  // of each sensor, while events are paced
  Clock::time_point paced_until_{}, second_began_{};
  std::uint64_t handshakes_before_ = 0, most_handshakes_ = 0;
};

template <class Work>
auto Storm::on_loop(const Work& work) -> decltype(work()) {
  std::packaged_task<decltype(work())()> task(work);
  auto done = task.get_future();
  loop_.post([&task] { task(); });
  return done.get();
}

}  // namespace beaconry::bench
