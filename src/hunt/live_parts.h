#pragma once
#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "hunt/live_hunt.h"
#include "hunt/neighbourhood.h"
#include "hunt/pair_index.h"
#include "hunt/pair_scorer.h"
#include "series/series_store.h"

namespace beaconry {

// The pairs as one analysis saw them, and with whose settings. Its index and neighbourhood read the
// store: under the mutex, and their legs may have been removed since.
struct LiveView {
  LiveView(std::shared_ptr<const LiveHunt::Settings> given, const SeriesStore& store,
           Timestamp newest_event)
      : settings(std::move(given)),
        newest(newest_event),
        from(store.from()),
        index(store),
        neighbourhood(store, settings->hunt.networks),
        scorer(settings->hunt, store) {}

  std::shared_ptr<const LiveHunt::Settings> settings;
  Timestamp newest, from;
  PairIndex index;
  Neighbourhood neighbourhood;
  PairScorer scorer;
};

// What LiveHunt is made of. `mutex` guards all that is below it.
struct LiveHunt::Parts {
  explicit Parts(const Settings& given);

  // Numbers of legs stay valid while one of these lives, also without the mutex.
  class Pin {
   public:
    explicit Pin(Parts& parts) : parts_(parts) {
      const std::lock_guard lock(parts_.mutex);
      parts_.store.settle();  // all that was added is there
      parts_.store.pin();
    }
    ~Pin() {
      const std::lock_guard lock(parts_.mutex);
      parts_.store.unpin();
    }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

   private:
    Parts& parts_;
  };

  // Calls each(leg) for every leg that has check-ins, with the mutex held for a slice at a time.
  template <class Each>
  void for_each_leg(const Each& each) {
    for (std::size_t first = 0;; first += kSlice) {
      const std::lock_guard lock(mutex);
      const std::size_t end = std::min(store.legs().size(), first + kSlice);
      for (std::size_t i = first; i < end; ++i) {
        if (store.legs()[i].check_ins != 0) each(static_cast<SeriesStore::LegId>(i));
      }
      if (end == store.legs().size()) return;
    }
  }
  // The legs of a pair, the busiest first; none if it is not retained. REQUIRES a Pin.
  std::vector<SeriesStore::LegId> find(std::string_view identity);
  PairLegs legs_of(PairKind kind, std::vector<SeriesStore::LegId>& legs) const;
  std::shared_ptr<LiveView> make_view();  // with the mutex held
  void take(std::uint16_t edge, Timestamp now, std::span<const FlowEvent> events);
  const Counters& count_distinct();

  static constexpr std::size_t kSlice = 4096;  // legs: less than a millisecond

  std::mutex mutex;
  std::shared_ptr<const Settings> settings;
  SeriesStore store;
  OpenFlows flows;
  std::shared_ptr<LiveView> view;  // of the last analysis or that which runs; null before
  Timestamp newest{};              // of all events that are not from the future
  std::uint64_t events_added = 0, too_old = 0, future_refused = 0;

  std::mutex counting;  // taken before `mutex`
  Counters counted;     // the distinct ones, as of these
  std::uint64_t counted_legs = 0, counted_removed = 0;
};

}  // namespace beaconry
