#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "config/schema.h"
#include "packet/mac_address.h"
#include "ping/keys.h"
#include "ping/method_id.h"

namespace beaconry {

enum class Profile : std::uint8_t { ot, office, lab };
std::string_view to_string(Profile profile);
std::optional<Profile> parse_profile(std::string_view word);

struct HomePlace {
  std::vector<IpAddress> addresses;  // v4 and v6, the first of each family is tried
  Key32 key{};                       // its public box key
  std::string zone;                  // "t.example.org": names below it are home's; empty: no DNS

  friend bool operator==(const HomePlace&, const HomePlace&) = default;
};
struct Peer {  // another probe, for zone-to-zone tests
  std::string name;
  IpAddress address;
  Key32 key{};
  bool may_reach = false;  // expected: no leak

  friend bool operator==(const Peer&, const Peer&) = default;
};

// Its keys, for documentation.
ConfigSchema probe_config_schema();

// The one small file, or line, that a probe needs: docs/escape.md. YAML; JSON is YAML too, so that
// one line holds it. Every key but `seed` and `home` has a default.
struct ProbeConfig {
  std::string name;
  Key32 seed{};  // secret
  HomePlace home;
  Profile profile = Profile::ot;
  std::optional<Timestamp> end;                // silent from then on
  std::chrono::seconds short_period{30 * 60};  // a short cycle begins so often
  bool long_cycle = true;

  // Address: by DHCP and router advertisement unless static ones are told.
  bool dhcp = true, router_advertisements = true;
  std::vector<Cidr> addresses;       // static, with prefix length: 10.0.1.9/24
  std::vector<IpAddress> own_hosts;  // the addresses themselves, in the order of `addresses`
  std::vector<IpAddress> gateways, resolvers;

  // Budget contract
  double packets_a_second = 1;
  double bytes_a_second = 1500;
  double broadcasts_a_minute = 6;
  std::vector<Cidr> forbidden_addresses;
  std::vector<MacAddress> forbidden_macs;
  std::vector<MethodId> forbidden_methods;
  std::vector<IpAddress> neighbours;  // that `ot` may send to
  std::vector<std::uint16_t> ports;   // common ports of the short cycle; empty: the usual ones

  // Positive control: an escape that is meant to succeed.
  struct Control {
    IpAddress destination;
    std::uint16_t port = 0;
    bool tcp = false;
    std::chrono::seconds every{30 * 60};

    friend bool operator==(const Control&, const Control&) = default;
  };
  std::optional<Control> control;

  bool listen = false;
  std::vector<Peer> peers;
  std::string evidence;  // file; empty: none is kept

  // `place` names the text in errors: a path, "-", "the environment". The seed, or what may be one,
  // is in no error.
  static Result<ProbeConfig> parse(std::string_view text, const std::string& place);
  // One line without a line break, as `beaconry probes add` prints it: it holds the seed. What is
  // at its default is left out. REQUIRES what parse() would accept.
  std::string to_line() const;

  friend bool operator==(const ProbeConfig&, const ProbeConfig&) = default;
};

}  // namespace beaconry
