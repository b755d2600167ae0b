#include "dry_run.h"

#include <algorithm>
#include <chrono>
#include <deque>

#include "base/text.h"
#include "escape/evidence_report.h"
#include "escape/probe.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// RFC 5737 and 3849: addresses that nobody has.
constexpr const char* kOwn4 = "192.0.2.9";
constexpr const char* kGateway4 = "192.0.2.1";
constexpr const char* kOwn6 = "2001:db8:ffff::9";
constexpr const char* kGateway6 = "2001:db8:ffff::1";
constexpr MacAddress kOwnMac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x09}};
constexpr std::chrono::hours kLongest{14 * 24};

// A capture file behind which everybody is there: whoever is asked for by ARP or neighbour
// solicitation answers, so that what would follow is sent, too.
class AnsweringLink : public Link {
 public:
  explicit AnsweringLink(Link& file) : file_(file) {}
  const InterfaceFacts& facts() const override { return file_.facts(); }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }
  std::uint64_t bytes() const { return bytes_; }

  Result<void> send(ByteView frame, Timestamp now) override {
    bytes_ += frame.size();
    answer(frame);
    return file_.send(frame, now);
  }
  Result<std::optional<ByteView>> receive(std::chrono::milliseconds wait) override {
    if (answers_.empty()) return file_.receive(wait);
    current_ = std::move(answers_.front());
    answers_.pop_front();
    return std::optional<ByteView>(ByteView(current_));
  }

 private:
  static MacAddress mac_for(const IpAddress& address) {
    const auto& bytes = address.bytes();
    return {{0x02, 0x00, bytes[12], bytes[13], bytes[14], bytes[15]}};
  }
  void answer(ByteView frame) {
    constexpr std::size_t kEthernet = 14, kArp = 28, kIpv6 = 40, kSolicitation = 24;
    constexpr std::uint8_t kIcmpv6 = 58, kSolicit = 135, kAdvertise = 136;
    constexpr std::uint32_t kSolicitedOverride = 0x60000000;
    if (frame.size() >= kEthernet + kArp && frame[12] == 0x08 && frame[13] == 0x06) {
      const ByteView body = frame.subspan(kEthernet);
      const auto sender = IpAddress::v4_bytes(body.data() + 14);
      const auto target = IpAddress::v4_bytes(body.data() + 24);
      // A probe of its own address (RFC 5227) must not meet somebody.
      if (body[7] != 1 || sender.is_unspecified() || sender.v4_value() == 0 || sender == target) {
        return;
      }
      answers_.push_back(ethernet(facts().mac, mac_for(target), kEtherArp,
                                  arp(2, mac_for(target), target, facts().mac, sender)));
    } else if (frame.size() >= kEthernet + kIpv6 + kSolicitation && frame[12] == 0x86 &&
               frame[13] == 0xdd && frame[20] == kIcmpv6 && frame[54] == kSolicit) {
      const auto source = IpAddress::v6_bytes(frame.data() + 22);
      const auto target = IpAddress::v6_bytes(frame.data() + 62);
      if (source.is_unspecified()) return;  // duplicate address detection
      const MacAddress mac = mac_for(target);
      Bytes body(target.bytes().begin(), target.bytes().end());
      body.insert(body.end(), {2, 1});
      body.insert(body.end(), mac.bytes.begin(), mac.bytes.end());
      Ipv6Header header;
      header.source = target;
      header.destination = source;
      header.next_header = kIcmpv6;
      header.hop_limit = 255;
      answers_.push_back(
          ethernet(facts().mac, mac, kEtherIpv6,
                   ipv6(header, icmpv6(target, source, kAdvertise, 0, kSolicitedOverride, body))));
    }
  }

  Link& file_;
  std::deque<Bytes> answers_;
  Bytes current_;
  std::uint64_t bytes_ = 0;
};

// Where only the plan is asked.
class NoLink : public Link {
 public:
  const InterfaceFacts& facts() const override { return facts_; }
  Result<void> send(ByteView, Timestamp) override { return {}; }
  Result<std::optional<ByteView>> receive(std::chrono::milliseconds) override {
    return std::optional<ByteView>();
  }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }

 private:
  InterfaceFacts facts_;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

template <class T>
std::string texts(const std::vector<T>& items) {
  std::vector<std::string> words;
  words.reserve(items.size());
  for (const T& item : items)
    words.push_back(item.to_string());
  return joined(words);
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// The network as a segment would be after the probe has settled in it.
Segment segment_of(const ProbeConfig& config) {
  Segment segment;
  for (std::size_t i = 0; i < config.own_hosts.size(); ++i) {
    Segment::OwnAddress own;
    own.address = config.own_hosts[i];
    own.prefix_length = config.addresses[i].bits() - (own.address.is_v4() ? 96 : 0);
    segment.add_own(own);
  }
  for (const IpAddress& gateway : config.gateways)
    segment.add_gateway(gateway);
  for (const IpAddress& resolver : config.resolvers)
    segment.add_resolver(resolver);
  return segment;
}

std::string traits_in_words(const Method& method) {
  std::vector<std::string> words;
  const auto add = [&](Trait trait, const char* word) {
    if ((method.traits & trait) != 0) words.emplace_back(word);
  };
  add(kSpoofed, "spoofed source");
  add(kMalformed, "malformed");
  add(kFragmented, "fragments");
  add(kSourceRouted, "source route");
  add(kBroadcast, "broadcast");
  add(kToNeighbour, "to neighbours");
  if (method.needs_own_address) words.emplace_back("needs an address of its own");
  return words.empty() ? "" : joined(words);
}

std::string at_least(std::uint64_t tries, const ProbeConfig& config) {
  return to_words(Duration(
      static_cast<std::int64_t>(static_cast<double>(tries) * 1e6 / config.packets_a_second)));
}

}  // namespace

AssumedNetwork assume_network(const ProbeConfig& config) {
  AssumedNetwork assumed{config, {}};
  ProbeConfig& with = assumed.config;
  with.dhcp = with.router_advertisements = false;
  const auto has = [](const std::vector<IpAddress>& list, bool v4) {
    return std::any_of(list.begin(), list.end(),
                       [&](const IpAddress& address) { return address.is_v4() == v4; });
  };
  std::vector<std::string> made;
  for (const bool v4 : {true, false}) {
    if (!has(config.home.addresses, v4)) continue;
    const auto own = *IpAddress::parse(v4 ? kOwn4 : kOwn6);
    const auto gateway = *IpAddress::parse(v4 ? kGateway4 : kGateway6);
    if (!has(config.own_hosts, v4)) {
      if (v4 ? !config.dhcp : !config.router_advertisements) continue;
      with.own_hosts.push_back(own);
      with.addresses.emplace_back(own, v4 ? 24 : 64);
      made.push_back("address " + own.to_string());
    }
    if (!has(config.gateways, v4)) {
      with.gateways.push_back(gateway);
      made.push_back("gateway " + gateway.to_string());
    }
  }
  if (config.resolvers.empty()) {
    with.resolvers.push_back(*IpAddress::parse(kGateway4));
    made.push_back("resolver " + std::string(kGateway4));
  }
  if (!made.empty()) {
    assumed.words = "Assumed, as it is only learnt on the spot: " + joined(made) + ".\n";
  }
  return assumed;
}

std::string methods_text() {
  std::vector<std::vector<std::string>> rows{
      {"METHOD", "RISK", "WHAT IT SENDS AND PROVES", "NEEDS"}};
  for (const Method* method : methods_table()) {
    rows.push_back({std::string(to_string(method->id)), std::string(to_string(method->risk)),
                    std::string(method->words), traits_in_words(*method)});
  }
  return aligned(rows);
}

std::string plan_page(const ProbeConfig& config, const std::string& interface) {
  const AssumedNetwork assumed = assume_network(config);
  const Segment segment = segment_of(assumed.config);
  NoLink link;
  Egress egress(assumed.config, link);
  const Plan plan(assumed.config, segment, egress, {});

  std::vector<std::vector<std::string>> tried{{"METHOD", "RISK", "SHORT", "LONG", "WHAT"}};
  std::vector<std::vector<std::string>> dangers, left_out;
  std::uint64_t short_tries = 0, long_tries = 0;
  for (const Method* method : methods_table()) {
    const std::string name(to_string(method->id));
    const std::uint64_t in_short = plan.tries(*method, CycleKind::short_cycle);
    const std::uint64_t in_long =
        config.long_cycle ? plan.tries(*method, CycleKind::long_cycle) : 0;
    if (in_short + in_long == 0) {
      left_out.push_back({"  " + name, plan.why_none(*method, CycleKind::short_cycle)});
      continue;
    }
    short_tries += in_short;
    long_tries += in_long;
    tried.push_back({"  " + name, std::string(to_string(method->risk)), with_thousands(in_short),
                     with_thousands(in_long), std::string(method->words)});
    if (method->risk != Risk::none) dangers.push_back({"  " + name, std::string(method->danger)});
  }
  tried[0][0] = "  METHOD";

  const PartyKeys keys(config.seed);
  std::string page = "PLAN OF THE PROBE '" + terminal_safe(config.name) + "', FOR APPROVAL\n\n";
  page +=
      "A probe inside an isolated network tries to reach its home outside. Nothing is broken "
      "into and\nnothing is stored elsewhere: each packet carries one sealed message, and what "
      "arrives at home is a\nleak. Probe id " +
      keys.id().to_string() + ".\n\n";
  page += "WHERE\n  interface " + (interface.empty() ? "as named at its start" : interface) +
          ", profile " + std::string(to_string(config.profile)) + '\n';
  page += "  own addresses: " + (config.own_hosts.empty() ? "learnt" : texts(config.own_hosts)) +
          (config.dhcp ? "; DHCP" : "") +
          (config.router_advertisements ? "; router advertisements" : "") + '\n';
  page += "TO WHOM\n  home: " + texts(config.home.addresses) +
          (config.home.zone.empty() ? "" : ", DNS names below " + config.home.zone) + '\n';
  page += "  gateways: " + (config.gateways.empty() ? "learnt" : texts(config.gateways)) +
          "; resolvers: " + (config.resolvers.empty() ? "learnt" : texts(config.resolvers)) + '\n';
  page += "  neighbours: " +
          (config.profile == Profile::ot ? texts(config.neighbours)
                                         : std::string("all that are heard")) +
          '\n';
  page +=
      config.profile == Profile::ot
          ? "  proxies: where DHCP, DNS (WPAD) and a configuration script (PAC) name one, only if "
            "it is one of these\n"
          : "  proxies, and where their configuration lies: wherever DHCP, DNS (WPAD) and a "
            "script (PAC) say\n";
  if (config.control) {
    page += "  positive control: " + config.control->destination.to_string() + " port " +
            std::to_string(config.control->port) + (config.control->tcp ? " TCP" : " UDP") +
            ", every " + to_words(config.control->every) + '\n';
  }
  for (const Peer& peer : config.peers) {
    page += "  probe " + terminal_safe(peer.name) + ": " + peer.address.to_string() +
            (peer.may_reach ? " (a way is meant to be open)" : "") + '\n';
  }
  page += "HOW OFTEN\n  short cycle: every " + to_words(config.short_period) + ", " +
          with_thousands(short_tries) + " tries, at least " + at_least(short_tries, config) + '\n';
  page += config.long_cycle ? "  long cycle, in between: " + with_thousands(long_tries) +
                                  " tries, at least " + at_least(long_tries, config) + '\n'
                            : "  no long cycle\n";
  page += "  silent from: " + (config.end ? to_rfc3339(*config.end) : "no end is set") + '\n';
  page += "AT MOST, whatever happens\n  " + number(config.packets_a_second) +
          " packets a second, " + number(config.bytes_a_second) + " bytes a second, " +
          number(config.broadcasts_a_minute) +
          " broadcasts a minute (ARP, DHCP and neighbour discovery included)\n";
  std::vector<std::string> methods;
  for (const MethodId method : config.forbidden_methods)
    methods.emplace_back(to_string(method));
  page += "NEVER\n  to addresses: " + texts(config.forbidden_addresses) +
          "\n  to MACs: " + texts(config.forbidden_macs) + "\n  methods: " + joined(methods) + '\n';
  page += "WHAT IS TRIED, and how often in a cycle\n" + aligned(tried);
  if (!dangers.empty()) page += "WHAT IT MAY DISTURB\n" + aligned(dangers);
  page += "NOT TRIED, and why\n" + (left_out.empty() ? "  nothing\n" : aligned(left_out));
  if (!assumed.words.empty()) page += '\n' + assumed.words;
  return page;
}

Result<std::string> dry_run(const ProbeConfig& config, const std::string& interface,
                            const std::string& capture) {
  InterfaceFacts facts;
  facts.name = interface.empty() ? "dry-run" : interface;
  facts.mac = kOwnMac;
  facts.up = true;
  const auto clock = [] {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  };
  const Timestamp begun = clock();
  Timestamp now = begun;
  auto file = open_capture_link(capture, facts, [&](std::chrono::milliseconds wait) {
    now += std::max<Duration>(wait, Duration(100));
  });
  if (!file) return tl::unexpected<Error>(file.error());
  AnsweringLink link(**file);

  AssumedNetwork assumed = assume_network(config);
  assumed.config.evidence.clear();
  assumed.config.end.reset();
  const auto evidence = ProbeEvidence::open({}, PartyKeys(config.seed), now);
  if (!evidence) return tl::unexpected<Error>(evidence.error());
  Probe::Options options;
  options.config = assumed.config;
  options.once = true;
  options.clock = [&] { return now; };
  options.say = [](const std::string&) {};
  options.stopping = [&] { return now - begun > kLongest; };
  auto probe = Probe::make(std::move(options), link, **evidence);
  if (!probe) return tl::unexpected<Error>(probe.error());
  if (auto ran = (*probe)->run(); !ran) return tl::unexpected<Error>(ran.error());
  const auto& counters = (*probe)->counters();
  return "One short cycle in " + terminal_safe(capture) + ": " + with_thousands(counters.frames) +
         " frames, " + with_thousands(link.bytes()) + " bytes, " +
         with_thousands(counters.broadcasts) + " broadcasts in " + to_words(now - begun) +
         (now - begun > kLongest ? " (cut off there)" : "") + ".\n";
}

}  // namespace beaconry
