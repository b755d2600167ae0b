#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "leak/leak_book.h"
#include "leak/test_observation.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::kStart;

// Tries of two probes by several methods and ways, some arriving more than once, all within ten
// minutes; no two at the same time.
rc::Gen<std::vector<Observation>> arrivals() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::tuple<int, int, int, int>>>(
          rc::gen::tuple(rc::gen::inRange(0, 2), rc::gen::inRange(1, 12), rc::gen::inRange(0, 4),
                         rc::gen::inRange(0, 3))),
      [](const std::vector<std::tuple<int, int, int, int>>& all) {
        std::vector<Observation> seen;
        for (const auto& [probe, sequence, where, copies] : all) {
          for (int copy = 0; copy <= copies; ++copy) {
            Observation o = test::ping_seen(static_cast<std::uint64_t>(sequence));
            o.ping.probe.value += static_cast<std::uint64_t>(probe);
            // A try is of one method, and of a broadcast alone there may be two ways out.
            if (sequence % 3 == 0) {
              o.ping.method = MethodId::ethernet_broadcast;
              o.source = IpAddress::v4(0xc6336401u + (static_cast<std::uint32_t>(where) << 8));
            } else if (sequence % 3 == 1) {
              o.ping.method = MethodId::dns;
              o.carrier = Carrier::dns_question;
              o.ping.via = address("10.0.1.1");
            }
            if (copy == 2) o.ping.leg = Leg::confirmed;
            o.ping.sent = kStart + std::chrono::seconds(sequence);
            o.received = kStart + 30s + Duration(static_cast<std::int64_t>(seen.size()) * 1000);
            seen.push_back(std::move(o));
          }
        }
        return seen;
      });
}

std::vector<Leak> leaks_of(const std::vector<Observation>& seen) {
  LeakBook book;
  for (const Observation& o : seen)
    book.add(o);
  return book.leaks();
}

RC_GTEST_PROP(LeakBook, GivesTheSameLeaksForAnyOrderOfDuplicates, ()) {
  const auto seen = *arrivals();
  auto shuffled = seen;
  const auto seed = *rc::gen::arbitrary<std::uint32_t>();
  std::uint32_t random = seed | 1;
  for (std::size_t at = shuffled.size(); at > 1; --at) {
    random = random * 1'664'525u + 1'013'904'223u;
    std::swap(shuffled[at - 1], shuffled[(random >> 8) % at]);
  }
  RC_ASSERT(leaks_of(seen) == leaks_of(shuffled));
}

RC_GTEST_PROP(LeakBook, OpensNothingForReplays, ()) {
  const auto seen = *arrivals();
  LeakBook book;
  for (const Observation& o : seen)
    book.add(o);
  const std::size_t known = book.leaks().size();
  const auto after = std::chrono::minutes(*rc::gen::inRange(21, 100'000));
  for (Observation o : seen) {
    o.received += after;
    if (*rc::gen::arbitrary<bool>()) o.source = address("192.0.2.99");
    const auto outcome = book.add(o);
    RC_ASSERT(outcome.changes.empty());
    RC_ASSERT(outcome.what == ObservationClass::replayed || outcome.what == ObservationClass::late);
  }
  RC_ASSERT(book.leaks().size() == known);
}

// With controls that home made in between.
std::vector<Observation> with_controls(std::vector<Observation> seen) {
  for (std::size_t at = 0; at < seen.size(); at += 1 + at) {
    Observation o = seen[at];
    o.carrier = Carrier::injected;
    o.ping.method = MethodId::control;
    o.ping.leg = Leg::outbound;
    o.ping.sequence = static_cast<std::uint64_t>(o.received.time_since_epoch().count());
    o.ping.sent = o.received;
    seen.insert(seen.begin() + static_cast<std::ptrdiff_t>(at), std::move(o));
  }
  return seen;
}

RC_GTEST_PROP(LeakBook, RestoredFromWhatWasKeptAnswersAsItWould, ()) {
  const auto seen = with_controls(*arrivals());
  LeakBook book;
  for (const Observation& o : seen)
    book.add(o);
  if (*rc::gen::arbitrary<bool>()) book.tick(kStart + 3h);
  LeakBook again;
  again.restore(book.leaks());
  for (const Observation& o : seen)
    again.remember(o);
  RC_ASSERT(again.leaks() == book.leaks());
  const auto after = std::chrono::minutes(*rc::gen::inRange(0, 1000));
  std::uint64_t sequence = 100;
  for (Observation o : seen) {
    // Some as they were, some anew.
    o.received += after;
    if (o.carrier == Carrier::injected) continue;
    if (*rc::gen::arbitrary<bool>()) {
      o.ping.sent += after;
      o.ping.sequence = ++sequence;
      o.ping.port = static_cast<std::uint16_t>(sequence);
    }
    const auto one = book.add(o), other = again.add(o);
    RC_ASSERT(one.what == other.what);
    RC_ASSERT(one.leak_id == other.leak_id);
    RC_ASSERT(one.changes.size() == other.changes.size());
    for (std::size_t at = 0; at < one.changes.size(); ++at) {
      RC_ASSERT(one.changes[at].kind == other.changes[at].kind);
      RC_ASSERT(one.changes[at].leak == other.changes[at].leak);
    }
  }
  RC_ASSERT(again.leaks() == book.leaks());
  RC_ASSERT(again.tick(kStart + 72h).changes.size() == book.tick(kStart + 72h).changes.size());
}

}  // namespace
}  // namespace beaconry
