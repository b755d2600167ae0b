#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "escape/config.h"
#include "escape/outbox.h"
#include "escape/segment.h"
#include "escape/stack/dhcp_client.h"

namespace beaconry {

// Gets the probe addresses of its own and keeps them: static ones, a DHCP lease, one of each
// advertised prefix with a random interface id. Each is asked for before it is used (RFC 5227,
// 4862), and given up, with a word, where another host has it: the probe is a guest. An address
// that the kernel owns is taken as it is, and only where no other is to be had; where there is none
// at all, the profile lab speaks from a neighbour's, which is spoofing. One thread.
class Addresses {
 public:
  struct Hooks {
    std::function<void(Outgoing)> emit;
    std::function<void(const std::string& line)> say;
    std::function<std::uint32_t()> random;
    std::function<void()> changed;  // the segment's own addresses
  };
  // All outlive this.
  Addresses(const ProbeConfig& config, const InterfaceFacts& facts, Segment& segment,
            Bytes client_id, Hooks hooks);

  void start(Timestamp now);
  void heard(const Frame& frame, Timestamp now);
  void poll(Timestamp now);
  Timestamp due() const;
  // Every way to an address has led to one, or was tried long enough.
  bool is_settled() const;

 private:
  enum class Origin : std::uint8_t { fixed, dhcp, advertised };
  struct Claim {  // an address that is being asked for
    IpAddress address;
    unsigned prefix_length = 0;
    Origin origin{};
    Timestamp valid_until = kLatest;
    int questions_left = 0;
    bool question_waits = false;
    Timestamp next{};
  };
  struct Held {
    IpAddress address;
    unsigned prefix_length = 0;
    Origin origin{};
    Timestamp valid_until = kLatest;
  };
  static constexpr std::size_t kMostPrefixes = 4;
  static constexpr int kMostCollisions = 3;

  void claim(const IpAddress& address, unsigned prefix_length, Origin origin, Timestamp valid_until,
             Timestamp now);
  void ask(const IpAddress& address);
  void take(const Claim& claim, Timestamp now);
  void look_for_conflict(const Frame& frame, Timestamp now);
  void conflict(const IpAddress& address, const MacAddress& with, Timestamp now);
  void granted(const DhcpReply& lease, Timestamp now);
  void forget_lease();
  void give_up_lease(const std::string& why);
  void heard_router(const RouterAdvertisement& said, Timestamp now);
  void solicit_routers(Timestamp now);
  void expire(Timestamp now);
  void take_from_kernel();
  void borrow();
  bool kernel_owns(const IpAddress& address) const;
  void own(const IpAddress& address, unsigned prefix_length, bool by_kernel);

  const ProbeConfig& config_;
  const InterfaceFacts& facts_;
  Segment& segment_;
  Hooks hooks_;
  bool wants_lease_ = false, wants_prefixes_ = false;
  std::unique_ptr<DhcpClient> dhcp_;
  IpAddress leased_;
  DhcpReply told_;  // what that lease said
  std::vector<Claim> claims_;
  std::vector<Held> held_;
  int solicitations_ = 0, collisions_ = 0;
  IpAddress borrowed_;
  bool router_heard_ = false, solicitation_waits_ = false, from_kernel_ = false;
  Timestamp solicit_at_ = kLatest;
  struct Later {
    IpAddress address;
    unsigned prefix_length = 0;
    Timestamp when{};
  };
  std::vector<Later> again_;  // static addresses that another host had
  Timestamp now_{};
};

}  // namespace beaconry
