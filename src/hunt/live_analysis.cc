// LiveHunt::analyze(): the series are copied out of the store a few at a time, so that events can
// come in between, and are measured outside its mutex.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "base/parallel.h"
#include "hunt/live_parts.h"
#include "series/gathering.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = 64;             // pairs a thread takes at once
constexpr std::size_t kCheckInsCopied = 8192;  // with the mutex held, as a rule

// What is kept of a pair between measuring and choosing.
struct Measured {
  std::uint32_t group = 0;
  double score = -1;  // without context; below 0: too few check-ins
  double interval_seconds = 0;
};

class Analysis {
 public:
  Analysis(LiveHunt::Parts& parts, LiveView& view, const std::function<bool()>& proceed)
      : parts_(parts), view_(view), proceed_(proceed) {}

  std::optional<LiveAnalysis> run() {
    LiveAnalysis result;
    const double least = view_.settings->least_kept;
    std::vector<Measured> all = measure_all();
    if (stopped_) return std::nullopt;
    for (const Measured& m : all) {
      if (m.score >= 0 && m.group < view_.index.address_pairs()) ++result.analyzed;
    }
    result.skipped = view_.index.address_pairs() - result.analyzed;
    add_rhythms(all);
    std::erase_if(all, [&](const Measured& m) { return m.score < least; });  // context only lowers
    result.left_out = choose(all);
    result.pairs = conclude_all(all);
    if (stopped_) return std::nullopt;
    std::erase_if(result.pairs, [&](const ScoredPair& pair) {
      return pair.check_ins == 0 || pair.verdict.combined_score < least;
    });
    rank(result.pairs);
    {
      const std::lock_guard lock(parts_.mutex);
      // An address pair that has not scored enough is not listed because a name stands for it.
      const auto none = [](std::uint32_t) { return std::optional<ScoredPair>{}; };
      view_.scorer.represent(view_.index, none, result.pairs);
    }
    rank(result.pairs);
    return result;
  }

 private:
  // Hands use(position, series) what is retained of each of `count` groups. A few are copied, then
  // the mutex is released. copied(position) is called while it is held.
  template <class GroupOf, class Copied, class Use>
  void for_each_series(std::size_t count, const GroupOf& group_of, const Copied& copied,
                       const Use& use) {
    const unsigned threads = std::max(view_.settings->hunt.threads, 1U);
    std::vector<PairScorer::Workshop> workshops(threads, view_.scorer.workshop());
    const Duration gap = view_.settings->hunt.detection.burst_gap;
    parallel_for(count, threads, kBlock, [&](unsigned thread, std::size_t begin, std::size_t end) {
      if (thread == 0 && !proceed_()) stopped_ = true;
      CheckIns copies;
      std::vector<std::size_t> ends;
      for (std::size_t next = begin; next < end && !stopped_;) {
        const std::size_t first = next;
        copies.clear();
        ends.clear();
        {
          const std::lock_guard lock(parts_.mutex);
          while (next < end && copies.size() < kCheckInsCopied) {
            parts_.store.decode(view_.index.pair(group_of(next)).legs, copies);
            ends.push_back(copies.size());
            copied(next++);
          }
        }
        std::size_t from = 0;
        for (std::size_t i = first; i < next; ++i) {
          CheckIns& series = workshops[thread].series;
          series.assign(copies.begin() + static_cast<std::ptrdiff_t>(from),
                        copies.begin() + static_cast<std::ptrdiff_t>(ends[i - first]));
          from = ends[i - first];
          gather_series(series, view_.from, gap);
          view_.scorer.cut(view_.newest, series);
          if (series.size() >= Scorer::kLeastCheckIns) use(i, workshops[thread]);
        }
      }
    });
  }

  std::vector<Measured> measure_all() {
    const auto groups = view_.index.groups();
    std::size_t candidates = 0;
    for (const PairIndex::Group& group : groups)
      candidates += group.check_ins >= Scorer::kLeastCheckIns ? 1 : 0;
    std::vector<Measured> all;
    all.reserve(candidates);
    for (std::uint32_t id = 0; id < groups.size(); ++id) {
      if (groups[id].check_ins >= Scorer::kLeastCheckIns) all.push_back({id});
    }
    for_each_series(
        all.size(), [&](std::size_t i) { return all[i].group; }, [](std::size_t) {},
        [&](std::size_t i, PairScorer::Workshop& workshop) {
          ScoredPair pair;
          view_.scorer.measure(workshop, pair);
          all[i].score = pair.verdict.combined_score;
          all[i].interval_seconds = pair.verdict.interval_seconds;
        });
    return all;
  }

  void add_rhythms(const std::vector<Measured>& all) {
    slices(all.size(), [&](std::size_t i) {
      if (all[i].score < kRhythmScore || all[i].group >= view_.index.address_pairs()) return;
      view_.neighbourhood.add_rhythm(view_.index.pair(all[i].group), all[i].interval_seconds);
    });
  }

  // Leaves the best of those that can be kept. Returns how many more there were.
  std::uint64_t choose(std::vector<Measured>& all) {
    const std::size_t most = view_.settings->most_kept;
    if (all.size() <= most) return 0;
    Verdict verdict;
    slices(all.size(), [&](std::size_t i) {
      verdict.interval_seconds = all[i].interval_seconds;
      const PairContext context =
          view_.scorer.context_of(view_.neighbourhood, view_.index.pair(all[i].group), verdict);
      all[i].score = view_.scorer.concluded(context, all[i].score);
    });
    std::erase_if(all, [&](const Measured& m) { return m.score < view_.settings->least_kept; });
    if (all.size() <= most) return 0;
    const auto border = all.begin() + static_cast<std::ptrdiff_t>(most);
    std::nth_element(all.begin(), border, all.end(), [](const Measured& a, const Measured& b) {
      return a.score != b.score ? a.score > b.score : a.group < b.group;
    });
    const std::uint64_t left_out = all.size() - most;
    all.erase(border, all.end());
    return left_out;
  }

  std::vector<ScoredPair> conclude_all(const std::vector<Measured>& all) {
    std::vector<ScoredPair> pairs(all.size());
    const auto legs_of = [&](std::size_t i) { return view_.index.pair(all[i].group); };
    for_each_series(
        all.size(), [&](std::size_t i) { return all[i].group; },
        [&](std::size_t i) { view_.scorer.identify(legs_of(i), pairs[i]); },
        [&](std::size_t i, PairScorer::Workshop& workshop) {
          ScoredPair& pair = pairs[i];
          view_.scorer.measure(workshop, pair);
          pair.series_id = all[i].group;
          PairContext context;
          {
            const std::lock_guard lock(parts_.mutex);
            context = view_.scorer.context_of(view_.neighbourhood, legs_of(i), pair.verdict);
          }
          view_.scorer.conclude(context, pair);
        });
    return pairs;
  }

  // use(i) for each, with the mutex held for a few at a time.
  template <class Use>
  void slices(std::size_t count, const Use& use) {
    constexpr std::size_t kSlice = 1024;
    for (std::size_t begin = 0; begin < count; begin += kSlice) {
      const std::lock_guard lock(parts_.mutex);
      for (std::size_t i = begin; i < std::min(begin + kSlice, count); ++i)
        use(i);
    }
  }

  LiveHunt::Parts& parts_;
  LiveView& view_;
  const std::function<bool()>& proceed_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

std::optional<LiveAnalysis> LiveHunt::analyze(const std::function<bool()>& proceed) {
  const auto began = std::chrono::steady_clock::now();
  const Parts::Pin pin(*parts_);
  std::shared_ptr<LiveView> view;
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->view.reset();  // two at once would be twice the memory
    // At once for all: whoever found none would make a second one, with the mutex held.
    parts_->view = view = parts_->make_view();
  }
  std::optional<LiveAnalysis> result = Analysis(*parts_, *view, proceed).run();
  if (result) {
    result->seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  return result;
}

}  // namespace beaconry
