#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/manifest.h"
#include "packet/mac_address.h"
#include "sensor/network.h"
#include "sensor/network/contract.h"
#include "sensor/network/links.h"
#include "sensor/network/name_space.h"

namespace beaconry {

// The network namespace of a running container, seen from outside: the sockets were opened in it.
struct Inside {
  NameSpace space;
  Links links;
  NetlinkSocket filter;  // nftables
  NetlinkSocket events;  // interfaces that come and go in it

  static Result<Inside> open(int process);
};

// What an interface is made from.
struct TieSpec {
  std::string instance;
  Manifest::Interface interface;
  InterfaceWish wish;
  std::string nft;     // the program
  std::string folder;  // for notes that outlive the daemon

  // "bcy" and ten digits: the same for an instance's interface at all times. With "h" or "c" behind
  // it a name of the kernel's length.
  std::string id() const;
  std::string table() const { return "beaconry_" + id(); }
  std::string alias() const;  // what marks our interfaces: whose they are
  // Nothing is sent: no address of the kernel's own making, no ARP.
  bool silent() const;
  std::optional<MacAddress> mac() const;  // stable on this machine; none where it has no id
};

// Whose an interface is, by its alias.
struct TieMark {
  std::string instance, interface, parent;
  static std::optional<TieMark> parse(const std::string& alias);
};

// One interface of an instance: what is made for it on the host, moved into the container and kept
// in force. One call at a time. `host` is the host's namespace.
class Tie {
 public:
  // Of a wish that check_tie() let pass.
  static std::unique_ptr<Tie> make(const TieSpec& spec);
  virtual ~Tie() = default;

  // Makes it; what LXD is to move in, or nothing: then attach() moves it. An error of the kind
  // not_found: what it is tied to is not there.
  virtual Result<std::optional<ContainerSpec::Nic>> prepare(Links& host) = 0;
  // Into the running container, with its contract: idempotent, also for one that a daemon before
  // this one had prepared.
  Result<void> attach(Links& host, Inside& inside);
  // Away with it; `inside` as long as the namespace is held.
  virtual void release(Links& host, Inside* inside) = 0;
  // Looks at how it is now, and mends what can be; true: only a restart brings it back.
  bool follow(Links& host, Inside* inside);
  // The rules are gone from the host's tables (`flush ruleset`): they are made again.
  virtual Result<void> restore(Links& host, const std::vector<std::string>& tables) = 0;

  InterfaceReport report(Links& host, Inside* inside);
  void set_address(const std::string& address) { address_ = address; }
  std::string other_tie() const;  // what to do to have it tied to something else
  void set_fault(std::string cause, std::string evidence, std::string fix);
  void clear_fault() { set_fault({}, {}, {}); }
  // After its release: that it is not there is no loss.
  void forget_loss();
  const TieSpec& spec() const { return spec_; }
  // What its contract has dropped, ever: a tie in its place counts on from there.
  ContractCounts counts() const;
  void count_from(const ContractCounts& counts) { counts_ = counts; }

 protected:
  enum class State : std::uint8_t { fine, mended, lost, back };
  explicit Tie(TieSpec spec) : spec_(std::move(spec)) {}

  virtual Result<void> bring_in(Links& host, Inside& inside) = 0;
  virtual State look(Links& host, Inside* inside) = 0;
  virtual void count(Links& host, Inside* inside, InterfaceReport& report) = 0;
  // The kernel's chatter is over; what is counted from now on is the instrument's.
  virtual Result<void> end_chatter(Inside& inside) = 0;
  Result<void> apply(const std::string& rules, int name_space = -1) const;
  tl::unexpected<Error> missing(Links& host, const std::string& name);
  void take_counts(NetlinkSocket& filter);
  ContractRules rules(const std::string& device, bool inside) const;

  TieSpec spec_;
  ContractCounts counts_;
  std::uint64_t sent_past_ = 0;  // what a silent interface sent past its rules, since bring_in()
  std::string cause_, evidence_, fix_, address_;
  bool lost_ = false;
};

std::unique_ptr<Tie> make_veth_tie(const TieSpec& spec);  // bridge, mirror
// An interface of the machine that is on the host again, marked, gets back its name.
void return_physical(Links& host, const Link& link, const std::string& name);
std::unique_ptr<Tie> make_moved_tie(const TieSpec& spec);  // physical, macvlan

}  // namespace beaconry
