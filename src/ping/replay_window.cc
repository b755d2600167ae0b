#include "ping/replay_window.h"

#include <algorithm>
#include <array>
#include <list>
#include <unordered_map>
#include <vector>

namespace beaconry {
namespace {

// The newest kWindow numbers as bits, each at its number modulo kWindow.
class Bits {
 public:
  bool add(std::uint64_t sequence) {
    constexpr std::uint64_t kWindow = ReplayWindow::kWindow;
    if (words_.empty()) {
      words_.resize(kWindow / 64);
      newest_ = sequence;
    } else if (sequence > newest_) {
      const std::uint64_t steps = std::min(sequence - newest_, kWindow);
      for (std::uint64_t i = 1; i <= steps; ++i)
        word(newest_ + i) &= ~bit(newest_ + i);
      newest_ = sequence;
    } else if (newest_ - sequence >= kWindow) {
      return false;
    }
    if ((word(sequence) & bit(sequence)) != 0) return false;
    word(sequence) |= bit(sequence);
    return true;
  }

 private:
  std::uint64_t& word(std::uint64_t sequence) {
    return words_[sequence % ReplayWindow::kWindow / 64];
  }
  static std::uint64_t bit(std::uint64_t sequence) { return std::uint64_t{1} << (sequence % 64); }

  std::vector<std::uint64_t> words_;
  std::uint64_t newest_ = 0;
};

struct OfProbe {
  std::array<Bits, 3> legs;
  std::list<std::uint64_t>::iterator age;
};

}  // namespace

struct ReplayWindow::State {
  std::unordered_map<std::uint64_t, OfProbe> probes;
  std::list<std::uint64_t> ages;  // the one not heard for longest is first
};

ReplayWindow::ReplayWindow() : state_(std::make_unique<State>()) {}
ReplayWindow::~ReplayWindow() = default;

bool ReplayWindow::add(ProbeId probe, std::uint64_t sequence, Leg leg) {
  State& s = *state_;
  auto at = s.probes.find(probe.value);
  if (at == s.probes.end()) {
    if (s.probes.size() == kMostProbes) {
      s.probes.erase(s.ages.front());
      s.ages.pop_front();
    }
    at = s.probes.emplace(probe.value, OfProbe{}).first;
    at->second.age = s.ages.insert(s.ages.end(), probe.value);
  } else {
    s.ages.splice(s.ages.end(), s.ages, at->second.age);
  }
  const auto which = static_cast<std::size_t>(leg) - 1;
  return which < at->second.legs.size() && at->second.legs[which].add(sequence);
}

}  // namespace beaconry
