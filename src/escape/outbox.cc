#include "escape/outbox.h"

#include <algorithm>

namespace beaconry {

void Outbox::put(Outgoing out, Timestamp now) {
  auto& queue = queues_[static_cast<std::size_t>(out.rank)];
  if (out.rank == Outgoing::Rank::answer && queue.size() >= kMostAnswers) {
    return out.finish("more is asked of the probe than its budget answers", now);
  }
  if (size() >= kMost) return out.finish("too many frames wait for the budget", now);
  queue.push_back(std::move(out));
  due_ = std::min(due_, now);
}

std::size_t Outbox::size() const {
  std::size_t all = 0;
  for (const auto& queue : queues_)
    all += queue.size();
  return all;
}

std::size_t Outbox::own() const {
  return size() - queues_[static_cast<std::size_t>(Outgoing::Rank::answer)].size();
}

bool Outbox::send_one(std::deque<Outgoing>& queue, Egress& egress, Timestamp now,
                      std::string& complaint) {
  for (std::size_t at = 0; at < queue.size() && at < kLookAhead;) {
    Outgoing& out = queue[at];
    const Egress::Answer answer = egress.send(out.frame, out.method, out.traits, now);
    if (answer.verdict == Egress::Verdict::wait && answer.why.empty()) {
      due_ = std::min(due_, answer.when);
      ++at;
      continue;
    }
    std::string why = answer.why;
    if (answer.verdict == Egress::Verdict::wait) {
      complaint = answer.why;
      // A frame that the link will never take must not stop the others for ever.
      if (++failures_ <= kMostFailures) {
        due_ = std::min(due_, answer.when);
        return false;
      }
    }
    failures_ = 0;
    const Outgoing gone = std::move(out);
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(at));
    if (gone.done) gone.done(why, now);
    if (answer.verdict == Egress::Verdict::sent) return true;
  }
  return false;
}

std::string Outbox::pump(Egress& egress, Timestamp now) {
  std::string complaint;
  bool more = true;
  while (more && complaint.empty()) {
    due_ = kLatest;
    more = false;
    auto& answers = queues_[static_cast<std::size_t>(Outgoing::Rank::answer)];
    if (!answered_last_ && send_one(answers, egress, now, complaint)) {
      answered_last_ = more = true;
      continue;
    }
    for (std::size_t rank = 0; rank < kRanks - 1 && !more && complaint.empty(); ++rank)
      more = send_one(queues_[rank], egress, now, complaint);
    if (!more && answered_last_)
      more = send_one(answers, egress, now, complaint);
    else
      answered_last_ = false;
  }
  return complaint;
}

void Outbox::drop_all(const std::string& why, Timestamp now) {
  for (auto& queue : queues_) {
    std::deque<Outgoing> gone;
    gone.swap(queue);
    for (Outgoing& out : gone)
      out.finish(why, now);
  }
  due_ = kLatest;
}

}  // namespace beaconry
