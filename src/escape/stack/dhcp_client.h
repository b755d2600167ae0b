#pragma once
#include <functional>
#include <string>

#include "escape/outbox.h"
#include "escape/stack/dhcp_reply.h"
#include "escape/stack/frame.h"

namespace beaconry {

// Asks for a lease of its own (RFC 2131): by its own client identifier, so that a server gives it
// another address than the host, and renews it. Does not read a clock; never gives up, but asks
// less and less often. One thread.
class DhcpClient {
 public:
  struct Hooks {
    std::function<void(Outgoing)> emit;
    std::function<std::uint32_t()> random;
    // A server granted it; the caller checks that nobody has it, then calls confirm() or decline().
    std::function<void(const DhcpReply&)> granted;
    std::function<void(const std::string& why)> lost;  // a confirmed lease is over
  };
  DhcpClient(const MacAddress& ours, Bytes client_id, Hooks hooks);

  void start(Timestamp now);
  void heard(const Frame& frame, Timestamp now);
  void poll(Timestamp now);
  Timestamp due() const { return waits_ ? kLatest : next_; }

  void confirm();
  void decline(Timestamp now);  // another host has the address
  // Discoveries that no server answered, in a row.
  int unanswered() const { return unanswered_; }
  bool has_lease() const { return state_ >= State::bound; }

 private:
  enum class State : std::uint8_t { stopped, selecting, requesting, checking, bound, renewing };

  void discover(Timestamp now);
  void request(Timestamp now);
  void renew(Timestamp now, bool to_all);
  void ask(const DhcpQuestion& question, const IpAddress& source, const IpAddress& destination,
           const MacAddress& to, Duration again_after);
  DhcpQuestion question(DhcpType type) const;
  void take_grant(const DhcpReply& reply, const Frame& frame, Timestamp now);

  MacAddress ours_;
  Bytes client_id_;
  Hooks hooks_;
  State state_ = State::stopped;
  std::uint32_t transaction_ = 0;
  DhcpReply offer_;
  MacAddress server_mac_;
  Timestamp next_ = kLatest;  // when the state's question is asked again, or renewal begins
  bool waits_ = false;        // a question waits for the budget
  Timestamp renew_at_ = kLatest, rebind_at_ = kLatest, over_at_ = kLatest;
  int unanswered_ = 0, requests_ = 0;
};

}  // namespace beaconry
