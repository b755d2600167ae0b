#include "source/captures.h"

#include <algorithm>
#include <array>
#include <string>

#include "flow/flow_table.h"
#include "packet/parse.h"
#include "source/capture_reader.h"

namespace beaconry {
namespace {

// Why packets are not used: first those of the parser, by its numbers, then ours.
enum Reason : std::size_t {
  kNoTime = kParseResultCount,
  kLaterFragmentPacket,
  kIcmpErrorPacket,
  kStrayPacket,
  kCutRecord,
  kReasonCount
};

constexpr std::array<const char*, kReasonCount> kReasons = {
    "",
    "link type not supported",
    "frame ends inside its link header",
    "not IP (ARP, LLDP, ...)",
    "more than four VLAN tags",
    "packet ends inside its IP header",
    "IP version contradicts the link layer",
    "IP header with an impossible length",
    "more than eight IPv6 extension headers",
    "packet ends before its ports",
    "TCP or UDP header with an impossible length",
    "packet without a usable timestamp",
    "later IP fragment (has no ports)",
    "ICMP error (speaks of another flow)",
    "TCP segment without data outside any known flow",
    "capture ends inside a packet",
};

// One file and its next packet.
struct Input {
  std::unique_ptr<CaptureReader> reader;
  RawPacket packet;
  ParsedPacket parsed;
  std::uint64_t number = 0;  // of the packet, from 1
  std::uint32_t file = 0;
  bool used = false;  // at least one packet was
};

class Merge {
 public:
  using Streams = std::vector<std::unique_ptr<ByteStream>>;

  Merge(const FlowTable::Options& options, Streams streams, FlowSink& sink, ReadReport& report)
      : names_(options.file_names),
        streams_(std::move(streams)),
        table_(options, sink),
        report_(report) {}

  void run();

 private:
  // Opens files until enough are open or none is left.
  void open_more();
  void open(std::unique_ptr<ByteStream> stream, std::uint32_t file);
  // Goes to the file's next packet that can be used; false at its end.
  bool advance(Input& input);
  void add(Input& input);
  void close(Input& input);
  void refuse(std::size_t reason, const Input& input);
  void tell_counts();

  static bool later(const Input& a, const Input& b) {
    return *a.packet.time != *b.packet.time ? *a.packet.time > *b.packet.time : a.file > b.file;
  }
  static bool later_first(const std::unique_ptr<Input>& a, const std::unique_ptr<Input>& b) {
    return later(*a, *b);
  }

  const std::vector<std::string>& names_;
  Streams streams_;
  std::size_t opened_ = 0;  // of streams_
  FlowTable table_;
  ReadReport& report_;
  std::vector<std::unique_ptr<Input>> inputs_;  // a heap: the earliest packet is first
  // Kept here and told to the report in portions: it takes a lock.
  struct Refused {
    std::uint64_t count = 0, first = 0;
    std::uint32_t file = 0;
  };
  std::array<Refused, kReasonCount> refused_{};
  std::uint64_t packets_ = 0;
};

void Merge::refuse(std::size_t reason, const Input& input) {
  Refused& refused = refused_[reason];
  if (refused.count++ == 0) {
    refused.first = input.number;
    refused.file = input.file;
  }
}

void Merge::tell_counts() {
  report_.count_packets(packets_);
  packets_ = 0;
  for (std::size_t reason = 0; reason < refused_.size(); ++reason) {
    Refused& refused = refused_[reason];
    if (refused.count == 0) continue;
    report_.refuse(kReasons[reason],
                   Place{names_[refused.file], Place::Unit::packet, refused.first}, refused.count);
    refused = {};
  }
}

bool Merge::advance(Input& input) {
  for (;;) {
    const CaptureStep step = input.reader->next(input.packet);
    if (step != CaptureStep::packet) {
      ++input.number;
      if (step == CaptureStep::cut) refuse(kCutRecord, input);
      if (step == CaptureStep::failed) {
        report_.fail_input(input.reader->name(), input.reader->error().cause);
      }
      close(input);
      return false;
    }
    ++input.number;
    constexpr std::uint64_t kPortion = 4096;
    if (++packets_ % kPortion == 0) tell_counts();
    if (!input.packet.time) {
      refuse(kNoTime, input);
      continue;
    }
    const ByteView bytes = input.packet.bytes;
    const ParseResult result =
        parse_packet(input.packet.link_type, bytes.data(), bytes.data() + bytes.size(),
                     input.packet.wire_length, &input.parsed);
    if (result == kParsed) return true;
    refuse(result, input);
  }
}

void Merge::add(Input& input) {
  switch (table_.add_packet(input.parsed, *input.packet.time, {input.number, input.file})) {
    case PacketUse::counted:
      input.used = true;
      break;
    case PacketUse::later_fragment:
      refuse(kLaterFragmentPacket, input);
      break;
    case PacketUse::icmp_error:
      refuse(kIcmpErrorPacket, input);
      break;
    case PacketUse::stray_segment:
      refuse(kStrayPacket, input);
      break;
  }
}

void Merge::close(Input& input) {
  if (input.used) report_.count_input_read();
  input.reader.reset();
}

void Merge::open(std::unique_ptr<ByteStream> stream, std::uint32_t file) {
  auto reader = open_capture(std::move(stream));
  if (!reader) {
    report_.fail_input(names_[file], reader.error().cause);
    return;
  }
  auto input = std::make_unique<Input>();
  input->reader = std::move(*reader);
  input->file = file;
  if (!advance(*input)) return;
  inputs_.push_back(std::move(input));
  std::push_heap(inputs_.begin(), inputs_.end(), later_first);
}

void Merge::open_more() {
  for (; opened_ < streams_.size() && inputs_.size() < kMostCapturesOpen; ++opened_) {
    open(std::move(streams_[opened_]), static_cast<std::uint32_t>(opened_));
  }
}

void Merge::run() {
  for (open_more(); !inputs_.empty(); open_more()) {
    std::pop_heap(inputs_.begin(), inputs_.end(), later_first);
    Input& earliest = *inputs_.back();
    // Files mostly follow one another, so the same one is likely to be next again.
    bool goes_on = true;
    do {
      add(earliest);
      goes_on = advance(earliest);
    } while (goes_on && (inputs_.size() == 1 || !later(earliest, *inputs_.front())));
    if (goes_on) {
      std::push_heap(inputs_.begin(), inputs_.end(), later_first);
    } else {
      inputs_.pop_back();
    }
  }
  table_.finish();
  report_.count_records(table_.ended());
  tell_counts();
  if (table_.evicted() > 0) {
    report_.refuse("flow table full: the longest idle flows were ended early", Place{},
                   table_.evicted());
  }
  if (table_.names_given_up() > 0) {
    report_.refuse("server name not read: memory limit", Place{}, table_.names_given_up());
  }
}

}  // namespace

std::optional<Timestamp> first_packet_time(std::unique_ptr<ByteStream> stream) {
  const auto reader = open_capture(std::move(stream));
  if (!reader) return std::nullopt;
  constexpr int kMostLookedAt = 1000;
  RawPacket packet;
  for (int i = 0; i < kMostLookedAt && (*reader)->next(packet) == CaptureStep::packet; ++i) {
    if (packet.time) return packet.time;
  }
  return std::nullopt;
}

void read_captures(std::vector<std::unique_ptr<ByteStream>> streams, const ReadOptions& options,
                   FlowSink& sink, ReadReport& report) {
  FlowTable::Options table;
  table.networks = options.networks;
  table.burst_gap = options.burst_gap;
  const std::uint64_t for_names = options.memory_limit / 4;
  table.most_pending_bytes = static_cast<std::size_t>(for_names);
  table.most_flows =
      static_cast<std::size_t>((options.memory_limit - for_names) / FlowTable::kBytesPerFlow);
  for (const auto& stream : streams)
    table.file_names.push_back(stream->name());
  Merge(table, std::move(streams), sink, report).run();
}

}  // namespace beaconry
