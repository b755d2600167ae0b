#include "home/zone.h"

#include <algorithm>

#include "base/text.h"
#include "ping/proof_addresses.h"

namespace beaconry {
namespace {

using Section = DnsAnswerWriter::Section;

constexpr std::string_view kNameServer = "ns", kHostmaster = "hostmaster";
constexpr std::uint32_t kLongTtl = 3600, kNegativeTtl = 60;
// What makes a SOA record: unsigned numbers behind two names (RFC 1035 §3.3.13).
constexpr std::uint32_t kSoa[] = {1, 7200, 3600, 1'209'600, kNegativeTtl};
// As many address records as are no longer than the SOA record that stands there else.
constexpr std::size_t kMostV4 = 3, kMostV6 = 1;
constexpr std::size_t kLongestTcp = 65'535;

// Could this label be one of a ping's name, below its first one?
bool is_ping_label(std::string_view label) {
  return label.size() <= kLongestLabel && std::all_of(label.begin(), label.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
         });
}

// What counts as one network for the limit: a /24 or a /56.
std::uint64_t network_of(const IpAddress& address) {
  if (address.is_v4()) return address.v4_value() >> 8;
  return address.masked(56).high() ^ ~std::uint64_t{0};
}

}  // namespace

Zone::Zone(const std::string& name, const std::vector<IpAddress>& addresses) {
  for (const std::string_view label : split(name, '.'))
    labels_.push_back(ascii_lower(label));
  for (const IpAddress& address : addresses)
    (address.is_v4() ? v4_ : v6_).push_back(address);
}

std::optional<Bytes> Zone::answer(ByteView message, Transport transport, const Observation& seen,
                                  Desk& desk) {
  DnsRequest request;
  const DnsReading reading = read_dns_request(message, request);
  if (reading == DnsReading::ignored) return std::nullopt;
  ++counts_.questions;
  const bool udp = transport == Transport::udp;
  Reply reply;
  if (reading == DnsReading::request) {
    if (const auto ping = find_ping(request.question)) reply = look_up(*ping, seen, message, desk);
  }
  const bool is_ours = place_of(request) != Place::foreign && request.klass == kDnsClassIn;
  DnsAnswerWriter out(request);
  if (udp && (reply.answer == nullptr || reply.is_again || !is_ours)) {
    const Limit limited = limit(seen.source, desk.now());
    if (limited != Limit::none) ++counts_.limited;
    if (limited == Limit::drop) return std::nullopt;
    if (limited == Limit::truncate) return out.truncated();
  }
  ++counts_.answers;
  const std::size_t most =
      udp ? std::min(request.udp_size, DnsAnswerWriter::kUdpSize) : kLongestTcp;
  if (reading != DnsReading::request) {
    ++counts_.malformed;
    const bool known = reading == DnsReading::malformed;
    return out.finish(known ? DnsCode::form_error : DnsCode::not_implemented, most);
  }
  if (request.edns_version != 0) return out.finish(DnsCode::bad_version, most);
  if (!is_ours) {
    ++counts_.refused;
    return out.finish(DnsCode::refused, most);
  }
  if (reply.is_again) ++counts_.again;
  const DnsCode code = write(out, request, reply.answer);
  return out.finish(code, most);
}

// Every ping goes to the desk, which keeps repetitions, too; it answers each once.
Zone::Reply Zone::look_up(const FoundPing& ping, const Observation& seen, ByteView message,
                          Desk& desk) {
  ++counts_.pings;
  const Timestamp now = desk.now();
  Observation observation = seen;
  observation.received = now;
  observation.receiver = "dns";
  observation.carrier = Carrier::dns_question;
  observation.raw.assign(as_text(message.first(std::min(message.size(), Observation::kMostRaw))));
  auto answer = desk.found(ping.sealed, std::move(observation));
  while (!given_.empty() && (given_.front().until < now || given_.size() >= kMostAgain))
    given_.pop_front();
  const Nonce nonce = nonce_in(ping.sealed);
  if (answer) {
    given_.push_back({nonce, std::move(*answer), now + kAgain});
    return {&given_.back().answer, false};
  }
  const auto at = std::find_if(given_.begin(), given_.end(),
                               [&](const Given& given) { return given.of == nonce; });
  if (at == given_.end()) return {};
  return {&at->answer, true};
}

Zone::Place Zone::place_of(const DnsRequest& request) const {
  const auto& labels = request.labels;
  if (labels.size() < labels_.size() ||
      !std::equal(labels_.rbegin(), labels_.rend(), labels.rbegin())) {
    return Place::foreign;
  }
  const std::size_t below = labels.size() - labels_.size();
  if (below == 0) return Place::apex;
  if (below == 1 && labels[0] == kNameServer) return Place::name_server;
  const auto end = labels.begin() + static_cast<std::ptrdiff_t>(below);
  if (!std::all_of(labels.begin() + 1, end, is_ping_label)) return Place::none;
  if (labels[0].substr(0, kPingTextMagic.size()) == kPingTextMagic) return Place::ping;
  return is_ping_label(labels[0]) ? Place::between : Place::none;
}

Zone::Limit Zone::limit(const IpAddress& source, Timestamp now) {
  if (networks_.size() >= kMostNetworks) networks_.clear();
  Network& network = networks_[network_of(source)];
  if (network.bucket.take(now) && all_.take(now)) return Limit::none;
  network.slip = !network.slip;
  return network.slip ? Limit::truncate : Limit::drop;
}

void Zone::put_addresses(DnsAnswerWriter& out, std::uint16_t type, std::uint32_t ttl,
                         std::size_t most) const {
  const bool is_v4 = type == kRecordA;
  if (!is_v4 && type != kRecordAaaa) return;
  const auto& addresses = is_v4 ? v4_ : v6_;
  for (std::size_t i = 0; i < std::min(addresses.size(), most); ++i) {
    const ByteView bytes = addresses[i].bytes();
    out.add(Section::answer, out.name_from(0), type, ttl, is_v4 ? bytes.last(4) : bytes);
  }
}

void Zone::put_reply(DnsAnswerWriter& out, const DnsRequest& request,
                     const Answerable& answer) const {
  const Bytes owner = out.name_from(0);
  const std::size_t zone = request.labels.size() - labels_.size();
  const std::string text = ping_text(answer.reply);
  switch (request.type) {
    case kRecordTxt:
    case kRecordAny:
      out.add(Section::answer, owner, kRecordTxt, 0, dns_text(text));
      break;
    case kRecordCname: {
      Bytes name;
      for (std::size_t at = 0; at < text.size(); at += kLongestLabel) {
        const ByteView label = as_bytes(std::string_view(text).substr(at, kLongestLabel));
        name.push_back(static_cast<std::uint8_t>(label.size()));
        name.insert(name.end(), label.begin(), label.end());
      }
      const Bytes rest = out.name_from(zone);
      name.insert(name.end(), rest.begin(), rest.end());
      out.add(Section::answer, owner, kRecordCname, 0, name);
      break;
    }
    case kRecordAaaa:
      put_addresses(out, kRecordAaaa, 0, kMostV6);
      out.add(Section::answer, owner, kRecordAaaa, 0, answer.proof);
      break;
    case kRecordA:
      put_addresses(out, kRecordA, 0, kMostV4);
      for (const IpAddress& address : proof_addresses(answer.proof))
        out.add(Section::answer, owner, kRecordA, 0, ByteView(address.bytes()).last(4));
      break;
    default:
      break;
  }
}

DnsCode Zone::write(DnsAnswerWriter& out, const DnsRequest& request,
                    const Answerable* answer) const {
  const Place place = place_of(request);
  const std::size_t zone = request.labels.size() - labels_.size();
  Bytes soa = out.name_from(kNameServer, zone);
  const Bytes hostmaster = out.name_from(kHostmaster, zone);
  soa.insert(soa.end(), hostmaster.begin(), hostmaster.end());
  for (const std::uint32_t number : kSoa) {
    for (int shift = 24; shift >= 0; shift -= 8)
      soa.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  const Bytes owner = out.name_from(zone);
  const bool any = request.type == kRecordAny;
  switch (place) {
    case Place::apex:
      if (request.type == kRecordSoa || any) {
        out.add(Section::answer, owner, kRecordSoa, kLongTtl, soa);
      } else if (request.type == kRecordNs) {
        out.add(Section::answer, owner, kRecordNs, kLongTtl, out.name_from(kNameServer, zone));
      }
      break;
    case Place::name_server:
      put_addresses(out, request.type, kLongTtl, request.type == kRecordA ? kMostV4 : kMostV6);
      break;
    case Place::ping:
      if (answer != nullptr) {
        put_reply(out, request, *answer);
      } else {  // for proxies and firewalls that connect to what they resolved
        put_addresses(out, request.type, 0, request.type == kRecordA ? kMostV4 : kMostV6);
      }
      break;
    default:
      break;
  }
  if (out.is_empty() && any && place != Place::none) {  // RFC 8482
    out.add(Section::answer, out.name_from(0), kRecordHinfo, kLongTtl,
            Bytes{7, 'R', 'F', 'C', '8', '4', '8', '2', 0});
  }
  if (out.is_empty()) out.add(Section::authority, owner, kRecordSoa, kNegativeTtl, soa);
  return place == Place::none ? DnsCode::name_error : DnsCode::no_error;
}

}  // namespace beaconry
