#include "source/simulate/traffic.h"

#include <algorithm>
#include <cmath>

#include "flow/server_name.h"

namespace beaconry::simulate {
namespace {

std::uint64_t whole_bytes(double bytes) {
  return static_cast<std::uint64_t>(std::llround(std::clamp(bytes, 0.0, 1e12)));
}

// Every server has an IPv6 address, too, for the clients that speak it: within 2001:db8::/96 or,
// for ours, fd12::/96.
IpAddress v6_twin(const IpAddress& address) {
  const auto& four = address.bytes();
  const bool ours = four[12] == 10;
  std::uint8_t bytes[16] = {};
  bytes[0] = ours ? 0xfd : 0x20;
  bytes[1] = ours ? 0x12 : 0x01;
  bytes[2] = ours ? 0 : 0x0d;
  bytes[3] = ours ? 0 : 0xb8;
  std::copy(four.begin() + 12, four.end(), bytes + 12);
  return IpAddress::v6_bytes(bytes);
}

NameKind name_kind(const SimulatedFlow& flow) {
  if (flow.name == kNoName) return NameKind::none;
  switch (flow.service) {
    case Service::tls:
      return NameKind::tls_sni;
    case Service::http:
      return NameKind::http_host;
    case Service::dns:
      return NameKind::dns_domain;
    default:
      return NameKind::none;
  }
}

}  // namespace

const IpAddress& Server::address_for(const IpAddress& client, Timestamp time) const {
  if (addresses.size() == 1) return addresses.front();
  const auto turn = rotation.count() > 0 ? time.time_since_epoch() / rotation : 0;
  const std::uint64_t draw =
      mix(client.low() ^ client.high(), name, static_cast<std::uint64_t>(turn));
  return addresses[draw % addresses.size()];
}

SimulatedFlow* Traffic::connect(const IpAddress& client, const Server& server, Timestamp time,
                                const Exchange& exchange, Random& random) {
  if (time < start || time >= end) return nullptr;
  SimulatedFlow flow;
  flow.time = time;
  flow.source = client;
  flow.destination = server.address_for(client, time);
  if (!client.is_v4() && flow.destination.is_v4()) flow.destination = v6_twin(flow.destination);
  flow.source_port = static_cast<std::uint16_t>(49152 + random.below(16384));
  flow.port = server.port;
  flow.protocol = server.protocol;
  flow.service = server.service;
  flow.ending = exchange.ending;
  flow.name = server.name;
  flow.id = flows.size() + 1;
  flow.duration = from_seconds(std::max(exchange.seconds, 0.0005));
  flow.bytes_out = whole_bytes(exchange.bytes_out);
  flow.bytes_in = whole_bytes(exchange.bytes_in);
  if (exchange.ending == Ending::rejected || exchange.ending == Ending::unanswered) {
    flow.service = Service::none;
    flow.name = kNoName;
    flow.bytes_in = 0;
    if (flow.protocol == Protocol::tcp) flow.bytes_out = 0;
    if (exchange.ending == Ending::unanswered) flow.duration = Duration{0};
  }
  flows.push_back(flow);
  return &flows.back();
}

void Traffic::sort() {
  std::sort(flows.begin(), flows.end(), [](const SimulatedFlow& a, const SimulatedFlow& b) {
    return a.time != b.time ? a.time < b.time : a.id < b.id;
  });
}

void feed(const Traffic& traffic, FlowSink& sink) {
  for (const HostName& host : traffic.host_names) {
    sink.add_host_name(host.host, host.name, traffic.start);
  }
  for (const SimulatedFlow& flow : traffic.flows) {
    if (flow.service == Service::dns && !flow.answer.is_unspecified()) {
      sink.add_address_name(flow.answer, traffic.names[flow.name], flow.time);
    }
    FlowEvent event;
    event.name_kind = name_kind(flow);
    event.pair = {flow.source, flow.destination, flow.port, flow.protocol};
    event.source_port = flow.source_port;
    event.time = flow.time;
    event.duration = flow.duration;
    if (flow.ending != Ending::unanswered || flow.protocol != Protocol::tcp) {
      event.bytes_out = flow.bytes_out;
      event.bytes_in = flow.bytes_in;
    }
    if (event.name_kind != NameKind::none) event.server_name = traffic.names[flow.name];
    if (event.name_kind == NameKind::dns_domain) {
      event.server_name = registered_domain(event.server_name);
    }
    const std::string uid = uid_of(flow.id);
    event.id = uid;
    sink.add(event);
  }
}

std::string uid_of(std::uint64_t id) {
  static constexpr char kDigits[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string uid = "C";
  std::uint64_t high = mix(id, 1), low = mix(id, 2);
  for (int i = 0; i < 9; ++i, high /= 62)
    uid += kDigits[high % 62];
  for (int i = 0; i < 8; ++i, low /= 62)
    uid += kDigits[low % 62];
  return uid;
}

}  // namespace beaconry::simulate
