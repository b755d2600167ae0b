#include "source/simulate/pcap_writer.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/text.h"
#include "source/simulate/payload.h"

namespace beaconry::simulate {
namespace {

constexpr std::uint8_t kFin = 1, kSyn = 2, kReset = 4, kPush = 8, kAck = 16;

void put16(std::string& text, std::size_t value) {
  text += static_cast<char>(value >> 8);
  text += static_cast<char>(value);
}

void put32(std::string& text, std::size_t value) {
  put16(text, value >> 16);
  put16(text, value);
}

void put32_little(std::string& text, std::size_t value) {
  for (int i = 0; i < 4; ++i, value >>= 8)
    text += static_cast<char>(value);
}

// RFC 1071, over text as 16-bit words, begun with `sum`.
std::size_t checksum(const std::string& text, std::size_t sum) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    sum += i % 2 == 0 ? static_cast<std::size_t>(byte) << 8 : byte;
  }
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

void set16(std::string& text, std::size_t at, std::size_t value) {
  text[at] = static_cast<char>(value >> 8);
  text[at + 1] = static_cast<char>(value);
}

std::string address_bytes(const IpAddress& address) {
  const auto* bytes = reinterpret_cast<const char*>(address.bytes().data());
  return address.is_v4() ? std::string(bytes + 12, 4) : std::string(bytes, 16);
}

// One end of a conversation.
struct End {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t sequence = 0;
};

// Frames of all flows, kept until they can be put into order of time.
class Frames {
 public:
  void add(Timestamp time, const End& from, const End& to, Protocol protocol, std::string segment) {
    const std::string source = address_bytes(from.address), destination = address_bytes(to.address);
    const auto number = static_cast<std::size_t>(protocol);
    const std::size_t checksum_at = protocol == Protocol::tcp ? 16 : 6;
    std::string pseudo = source + destination;
    put32(pseudo, segment.size());
    put32(pseudo, number);
    const std::size_t pseudo_sum = ~checksum(pseudo, 0) & 0xffff;
    set16(segment, checksum_at, checksum(segment, pseudo_sum));

    std::string frame;
    for (const std::string* address : {&destination, &source}) {
      frame.append("\x02\x00", 2);
      frame.append(address->substr(address->size() - 4));
    }
    std::string header;
    if (from.address.is_v4()) {
      put16(frame, 0x0800);
      put16(header, 0x4500);
      put16(header, 20 + segment.size());
      put32(header, (segment.size() & 0xffff) << 16 | 0x4000);
      put16(header, 64 << 8 | number);
      put16(header, 0);
      header += source;
      header += destination;
      set16(header, 10, checksum(header, 0));
    } else {
      put16(frame, 0x86dd);
      put32(header, 0x60000000);
      put16(header, segment.size());
      put16(header, number << 8 | 64);
      header += source;
      header += destination;
    }
    frame += header;
    frame += segment;
    order_.push_back({time, bytes_.size(), frame.size()});
    bytes_ += frame;
  }

  // `data` in one segment; the sender's sequence number moves on.
  void tcp(Timestamp time, End& from, const End& to, std::uint8_t flags, const std::string& data) {
    std::string segment;
    put16(segment, from.port);
    put16(segment, to.port);
    put32(segment, from.sequence);
    put32(segment, (flags & kAck) != 0 ? to.sequence : 0);
    put16(segment, static_cast<std::size_t>(5) << 12 | flags);
    put16(segment, 64240);
    put32(segment, 0);
    add(time, from, to, Protocol::tcp, segment + data);
    const std::size_t control = (flags & (kSyn | kFin)) != 0 ? 1 : 0;
    from.sequence += static_cast<std::uint32_t>(data.size() + control);
  }

  void udp(Timestamp time, const End& from, const End& to, const std::string& data) {
    std::string segment;
    put16(segment, from.port);
    put16(segment, to.port);
    put16(segment, 8 + data.size());
    put16(segment, 0);
    add(time, from, to, Protocol::udp, segment + data);
  }

  bool write(std::FILE* file) {
    std::stable_sort(order_.begin(), order_.end(),
                     [](const Frame& a, const Frame& b) { return a.time < b.time; });
    std::string out;
    put32_little(out, 0xa1b2c3d4);
    put32_little(out, 4 << 16 | 2);
    put32_little(out, 0);
    put32_little(out, 0);
    put32_little(out, 262144);
    put32_little(out, 1);  // Ethernet
    for (const Frame& frame : order_) {
      const auto since = static_cast<std::uint64_t>(frame.time.time_since_epoch().count());
      put32_little(out, since / 1'000'000);
      put32_little(out, since % 1'000'000);
      put32_little(out, frame.length);
      put32_little(out, frame.length);
      out.append(bytes_, frame.at, frame.length);
      if (out.size() < (1U << 20)) continue;
      if (std::fwrite(out.data(), 1, out.size(), file) != out.size()) return false;
      out.clear();
    }
    return std::fwrite(out.data(), 1, out.size(), file) == out.size() && std::fflush(file) == 0;
  }

 private:
  struct Frame {
    Timestamp time;
    std::size_t at;
    std::size_t length;
  };
  std::vector<Frame> order_;
  std::string bytes_;
};

// All of `data` from one end to the other, spread over `length`.
void send(Frames& frames, Timestamp time, Duration length, End& from, End& to,
          const std::string& data) {
  const std::size_t count = (data.size() + kLongestSegment - 1) / kLongestSegment;
  for (std::size_t i = 0; i < count; ++i) {
    const auto part = static_cast<Duration::rep>(i), parts = static_cast<Duration::rep>(count);
    const Timestamp at = time + length * part / parts;
    frames.tcp(at, from, to, kPush | kAck, data.substr(i * kLongestSegment, kLongestSegment));
    if (i % 2 == 1 || i + 1 == count) frames.tcp(at + length / (4 * parts), to, from, kAck, "");
  }
}

void converse(Frames& frames, const Traffic& traffic, const SimulatedFlow& flow, End client,
              End server) {
  const Timestamp start = flow.time;
  if (flow.ending == Ending::unanswered) {
    frames.tcp(start, client, server, kSyn, "");
    return;
  }
  // Handshake, request, answer and end share the flow's time.
  const Duration step = std::min<Duration>(flow.duration / 12, std::chrono::milliseconds{25});
  frames.tcp(start, client, server, kSyn, "");
  if (flow.ending == Ending::rejected) {
    frames.tcp(start + flow.duration, server, client, kReset | kAck, "");
    return;
  }
  frames.tcp(start + step, server, client, kSyn | kAck, "");
  frames.tcp(start + 2 * step, client, server, kAck, "");
  const Payload payload = payload_of(traffic, flow);
  // A name stands in the first segments; a long upload goes on while the answer is awaited.
  send(frames, start + 3 * step, 2 * step, client, server, payload.out);
  send(frames, start + 6 * step, 4 * step, server, client, payload.in);
  const Timestamp end = start + flow.duration;
  if (flow.ending == Ending::reset) {
    frames.tcp(end, client, server, kReset | kAck, "");
    return;
  }
  frames.tcp(end - step, client, server, kFin | kAck, "");
  frames.tcp(end - step / 2, server, client, kFin | kAck, "");
  frames.tcp(end, client, server, kAck, "");
}

void exchange(Frames& frames, const Traffic& traffic, const SimulatedFlow& flow, const End& client,
              const End& server) {
  const Payload payload = payload_of(traffic, flow);
  const auto all = [&](const End& from, const End& to, const std::string& data, Timestamp time) {
    std::size_t at = 0;
    do {
      frames.udp(time, from, to, data.substr(at, kLongestSegment));
      at += kLongestSegment;
    } while (at < data.size());
  };
  all(client, server, payload.out, flow.time);
  if (flow.ending == Ending::finished) {
    all(server, client, payload.in, flow.time + flow.duration);
  }
}

}  // namespace

Result<void> write_pcap(const Traffic& traffic, const std::string& path) {
  if (traffic.flows.size() > kMostFlowsInPcap) {
    return fail(ErrorKind::limit, "write", path,
                with_thousands(traffic.flows.size()) +
                    " connections are too many for a pcap; take fewer --hours or --hosts");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"),
                                                             std::fclose);
  if (!file) return fail_errno("open", path);
  Frames frames;
  for (const SimulatedFlow& flow : traffic.flows) {
    const End client{flow.source, flow.source_port, static_cast<std::uint32_t>(mix(flow.id, 11))};
    const End server{flow.destination, flow.port, static_cast<std::uint32_t>(mix(flow.id, 12))};
    if (flow.protocol == Protocol::tcp) {
      converse(frames, traffic, flow, client, server);
    } else {
      exchange(frames, traffic, flow, client, server);
    }
  }
  if (!frames.write(file.get())) return fail_errno("write", path);
  return {};
}

}  // namespace beaconry::simulate
