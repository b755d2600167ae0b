#include "detect/context.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/text.h"

namespace beaconry {
namespace {

// Prevalence is shrunk as if so many hosts more had been seen that do not use the destination:
// two of ten hosts mean nothing, two hundred of a thousand do.
constexpr double kUnseenHosts = 100;
constexpr double kRarePrevalence = 0.004, kCommonPrevalence = 0.02;
constexpr double kMostForPrevalence = 0.45;
constexpr std::uint32_t kFewUsers = 3;  // so few may share one implant
constexpr double kMostForFewUsers = 0.10;

constexpr std::uint32_t kSomePolled = 6, kManyPolled = 16;
constexpr double kMostForFanOut = 0.45;

// Names are looked up in the rhythm of the connections that follow, and once more by each resolver
// on the way: the connection, or the first asker, is the finding.
constexpr double kForLookup = 0.5;
constexpr double kForAskingForOthers = 0.5;

constexpr double kForInternal = 0.08;
constexpr double kForLocalService = 0.35;
constexpr double kForBaseline = 0.60;
constexpr double kForGroup = 0.60;

// 0 at `from`, 1 at `to`, smooth between.
double ramp(double x, double from, double to) {
  const double t = std::clamp((x - from) / (to - from), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

void lower(Verdict& verdict, std::string_view name, double by) {
  if (by > 0) verdict.adjustments.push_back({name, -by, {}});
}

}  // namespace

std::string_view local_service(const PairKey& pair) {
  struct Service {
    std::uint16_t port;
    Protocol protocol;
    std::string_view name;
  };
  static constexpr Service kServices[] = {
      {67, Protocol::udp, "DHCP"},
      {68, Protocol::udp, "DHCP"},
      {546, Protocol::udp, "DHCPv6"},
      {547, Protocol::udp, "DHCPv6"},
      {137, Protocol::udp, "NetBIOS"},
      {138, Protocol::udp, "NetBIOS"},
      {1900, Protocol::udp, "SSDP"},
      {5353, Protocol::udp, "mDNS"},
      {5355, Protocol::udp, "LLMNR"},
      {3702, Protocol::udp, "WS-Discovery"},
      {123, Protocol::udp, "NTP"},
      {319, Protocol::udp, "PTP"},
      {161, Protocol::udp, "SNMP"},
      {520, Protocol::udp, "RIP"},
      {3289, Protocol::udp, "printer discovery"},
      {53, Protocol::udp, "DNS"},
      {53, Protocol::tcp, "DNS"},
      {88, Protocol::tcp, "Kerberos"},
      {88, Protocol::udp, "Kerberos"},
      {464, Protocol::tcp, "Kerberos"},
      {464, Protocol::udp, "Kerberos"},
      {389, Protocol::tcp, "LDAP"},
      {389, Protocol::udp, "LDAP"},
      {636, Protocol::tcp, "LDAP"},
      {3268, Protocol::tcp, "LDAP"},
      {3269, Protocol::tcp, "LDAP"},
      {135, Protocol::tcp, "RPC"},
      {445, Protocol::tcp, "SMB"},
      {2049, Protocol::tcp, "NFS"},
      {514, Protocol::udp, "syslog"},
      {514, Protocol::tcp, "syslog"},
      {6514, Protocol::tcp, "syslog"},
      {631, Protocol::tcp, "printing"},
      {9100, Protocol::tcp, "printing"},
      {10050, Protocol::tcp, "Zabbix"},
      {10051, Protocol::tcp, "Zabbix"},
      {5666, Protocol::tcp, "Nagios"},
  };
  for (const Service& s : kServices) {
    if (s.port == pair.port && s.protocol == pair.protocol) return s.name;
  }
  return {};
}

void adjust_for_context(const PairContext& c, Verdict& verdict) {
  const double others = c.users > 0 ? c.users - 1.0 : 0.0;
  const double prevalence = std::min(others / (c.hosts + kUnseenHosts), 1.0);
  double for_prevalence = 0;
  if (prevalence > 0) {
    for_prevalence = kMostForPrevalence * ramp(std::log(prevalence), std::log(kRarePrevalence),
                                               std::log(kCommonPrevalence));
  }
  if (c.users <= kFewUsers) for_prevalence = std::min(for_prevalence, kMostForFewUsers);
  lower(verdict, "prevalence", for_prevalence);
  lower(verdict, "fan_out", kMostForFanOut * ramp(c.polled_alike, kSomePolled, kManyPolled));

  if (c.lookup && c.contacted) {
    lower(verdict, "lookup", kForLookup);
  } else if (c.lookup && c.asks_for_others) {
    lower(verdict, "resolver", kForAskingForOthers);
  }

  const IpAddress& to = c.pair.destination;
  if (!c.baseline.empty()) {
    lower(verdict, "benign_baseline", kForBaseline);
  } else if (to.is_multicast() || to.is_broadcast()) {
    lower(verdict, "group_address", kForGroup);
  } else if (c.destination_internal && !c.lookup && !local_service(c.pair).empty()) {
    lower(verdict, "known_service", kForLocalService);
  } else if (c.destination_internal && !c.inbound && !c.lookup) {
    lower(verdict, "internal", kForInternal);
  }
}

std::string reason_of(const Adjustment& adjustment, const PairContext& c) {
  const std::string_view name = adjustment.name;
  if (name == "prevalence") {
    return with_thousands(c.users) + " of " + with_thousands(c.hosts) + " hosts use it";
  }
  if (name == "fan_out") return "polls " + with_thousands(c.polled_alike) + " destinations alike";
  if (name == "benign_baseline") return "benign baseline: " + std::string(c.baseline);
  if (name == "lookup") return "looks up what is then connected to";
  if (name == "resolver") return "a resolver that asks for others";
  if (name == "group_address") return "to a group, not to a host";
  if (name == "known_service") {
    return std::string(local_service(c.pair)) + " in the own network";
  }
  if (name == "internal") return "destination is internal";
  if (name == "evidence") return "little evidence against chance";
  if (name == "bounds") return "a score is between 0 and 1";
  return {};
}

}  // namespace beaconry
