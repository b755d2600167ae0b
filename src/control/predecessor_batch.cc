#include "control/predecessor_batch.h"

#include <libdeflate.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr unsigned kDeepest = 32;
constexpr std::size_t kLongestId = 255;

// Clocks that count from the machine's start stand in timestamp_ns, too: no machine has run since
// before 2000 with a kernel that has eBPF.
constexpr std::int64_t kLeastEpochNs = 946'684'800'000'000'000;

enum class Word : std::uint8_t {
  other,
  batch_id,
  node_id,
  events,
  stats,
  dropped_ebpf,
  dropped_overflow,
  timestamp_ns,
  timestamp_utc,
  src_ip,
  dst_ip,
  src_port,
  dst_port,
  packet_size,
  protocol,
  protocol_name,
  tcp_flags,
};

struct Name {
  std::string_view text;
  Word word;
};
constexpr Name kTopWords[] = {{"batch_id", Word::batch_id},
                              {"node_id", Word::node_id},
                              {"events", Word::events},
                              {"data_plane_stats", Word::stats}};
constexpr Name kStatsWords[] = {{"events_dropped_ebpf", Word::dropped_ebpf},
                                {"events_dropped_overflow", Word::dropped_overflow}};
// In the order in which the predecessor writes them: the next one is nearly always the next here.
constexpr Name kEventWords[] = {
    {"timestamp_ns", Word::timestamp_ns},
    {"timestamp_utc", Word::timestamp_utc},
    {"src_ip", Word::src_ip},
    {"dst_ip", Word::dst_ip},
    {"src_port", Word::src_port},
    {"dst_port", Word::dst_port},
    {"packet_size", Word::packet_size},
    {"protocol", Word::protocol},
    {"protocol_name", Word::protocol_name},
    {"tcp_flags", Word::tcp_flags},
};

template <std::size_t N>
Word find_word(const Name (&words)[N], std::string_view text, std::size_t& hint) {
  if (hint >= N) hint = 0;  // it may come from a longer list
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t at = hint + i < N ? hint + i : hint + i - N;
    if (words[at].text == text) {
      hint = at + 1 < N ? at + 1 : 0;
      return words[at].word;
    }
  }
  return Word::other;
}

// An event on its way: what is missing or of the wrong type shows only at its end.
struct Draft {
  std::int64_t ns = -1;
  std::string_view utc, source, destination, protocol_name;
  std::int64_t source_port = -1, destination_port = -1, size = 0, protocol = -1, flags = 0;
};

std::optional<Timestamp> time_of(const Draft& draft) {
  if (draft.ns >= kLeastEpochNs) {
    const Timestamp time{Duration{draft.ns / 1000}};
    if (time <= kLatest) return time;
  }
  std::string_view text = draft.utc;
  // Python's isoformat() of an aware time, and then a Z all the same.
  constexpr std::string_view kBoth = "+00:00Z";
  if (text.size() > kBoth.size() && text.substr(text.size() - kBoth.size()) == kBoth) {
    text.remove_suffix(1);
  }
  return parse_rfc3339(text);
}

// RapidJSON's events, as members.
class BatchReader {
 public:
  BatchReader(PredecessorBatch& batch, const PredecessorLimits& limits)
      : batch_(batch), limits_(limits) {}

  bool has_events() const { return has_events_; }
  const char* refusal() const { return refusal_; }

  bool Null() { return other_value(true); }
  bool Bool(bool) { return other_value(false); }
  bool Int(int number) { return whole(number); }
  bool Uint(unsigned number) { return whole(number); }
  bool Int64(std::int64_t number) { return whole(number); }
  bool Uint64(std::uint64_t number) {
    return whole(number > INT64_MAX ? -1 : static_cast<std::int64_t>(number));
  }
  bool Double(double number) {
    const bool fits = number >= 0 && number < 9.2e18;
    return whole(fits ? static_cast<std::int64_t>(std::llround(number)) : -1);
  }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return false; }  // never called

  bool String(const char* data, rapidjson::SizeType size, bool) {
    const std::string_view text(data, size);
    if (skipped_ > 0) return true;
    if (place_ == Place::event) return event_text(text), true;
    if (place_ == Place::top && (key_ == Word::batch_id || key_ == Word::node_id)) {
      if (size > kLongestId) return refuse("'batch_id' or 'node_id' is longer than 255 bytes");
      (key_ == Word::batch_id ? batch_.batch_id : batch_.node_id).assign(text);
      if (key_ == Word::batch_id) batch_.batch_id_is_text = true;
      return true;
    }
    return other_value(false);
  }

  bool Key(const char* data, rapidjson::SizeType size, bool) {
    if (skipped_ > 0) return true;
    const std::string_view text(data, size);
    key_ = place_ == Place::event ? find_word(kEventWords, text, hint_)
           : place_ == Place::top ? find_word(kTopWords, text, hint_)
                                  : find_word(kStatsWords, text, hint_);
    return true;
  }

  bool StartObject() {
    if (!deeper()) return false;
    if (skipped_ > 0) return ++skipped_, true;
    if (place_ == Place::nothing) return place_ = Place::top, true;
    if (place_ == Place::events) {
      if (batch_.events.size() + batch_.invalid_events >= limits_.most_events) {
        return refuse("more events than a batch may have");
      }
      draft_ = {};
      hint_ = 0;
      place_ = Place::event;
      return true;
    }
    if (place_ == Place::top && key_ == Word::stats) return place_ = Place::stats, true;
    return other_value(false) && (++skipped_, true);
  }
  bool StartArray() {
    if (!deeper()) return false;
    if (skipped_ > 0) return ++skipped_, true;
    if (place_ == Place::top && key_ == Word::events) {
      place_ = Place::events;
      has_events_ = true;
      return true;
    }
    return other_value(false) && (++skipped_, true);
  }
  bool EndObject(rapidjson::SizeType) {
    if (place_ == Place::event && skipped_ == 0) {
      finish_event();
      --depth_;
      place_ = Place::events;
      return true;
    }
    return leave();
  }
  bool EndArray(rapidjson::SizeType) { return leave(); }

 private:
  enum class Place : std::uint8_t { nothing, top, events, event, stats };

  bool deeper() { return ++depth_ <= kDeepest || refuse("nested too deeply"); }
  bool leave() {
    --depth_;
    if (skipped_ > 0) return --skipped_, true;
    place_ = place_ == Place::top ? Place::nothing : Place::top;
    return true;
  }
  bool refuse(const char* why) {
    refusal_ = why;
    return false;
  }

  // What nobody asked for, or what stands in the wrong place.
  bool other_value(bool null) {
    if (skipped_ > 0) return true;
    if (place_ == Place::nothing) return refuse("a batch is an object");
    if (place_ == Place::events) return invalid("is not an object"), true;
    if (place_ != Place::top) return true;
    if (key_ == Word::events) return refuse("'events' is not a list");
    if (null || (key_ != Word::batch_id && key_ != Word::node_id)) return true;
    return refuse("'batch_id' and 'node_id' are texts");
  }

  void event_text(std::string_view text) {
    switch (key_) {
      case Word::timestamp_utc:
        draft_.utc = text;
        break;
      case Word::src_ip:
        draft_.source = text;
        break;
      case Word::dst_ip:
        draft_.destination = text;
        break;
      case Word::protocol_name:
        draft_.protocol_name = text;
        break;
      case Word::protocol:
        if (draft_.protocol_name.empty()) draft_.protocol_name = text;
        break;
      default:
        break;
    }
  }

  bool whole(std::int64_t number) {
    if (skipped_ > 0) return true;
    if (place_ == Place::event) return event_number(number), true;
    if (place_ == Place::stats) {
      const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
      if (key_ == Word::dropped_ebpf) batch_.dropped_ebpf = count;
      if (key_ == Word::dropped_overflow) batch_.dropped_overflow = count;
      return true;
    }
    if (place_ == Place::top && (key_ == Word::batch_id || key_ == Word::node_id)) {
      (key_ == Word::batch_id ? batch_.batch_id : batch_.node_id) = std::to_string(number);
      if (key_ == Word::batch_id) batch_.batch_id_is_text = false;
      return true;
    }
    return other_value(false);
  }

  void event_number(std::int64_t number) {
    switch (key_) {
      case Word::timestamp_ns:
        draft_.ns = number;
        break;
      case Word::src_port:
        draft_.source_port = number;
        break;
      case Word::dst_port:
        draft_.destination_port = number;
        break;
      case Word::packet_size:
        draft_.size = number;
        break;
      case Word::protocol:
        draft_.protocol = number;
        break;
      case Word::tcp_flags:
        draft_.flags = number;
        break;
      default:
        break;
    }
  }

  void invalid(const std::string& why) {
    if (batch_.invalid_events == 0) {
      batch_.first_invalid = "events[" + std::to_string(batch_.events.size()) + "] " + why;
    }
    ++batch_.invalid_events;
  }

  void finish_event() {
    PacketEvent event;
    const auto time = time_of(draft_);
    if (!time) {
      return invalid(draft_.utc.empty() ? "has no time: timestamp_ns since 1970, or timestamp_utc"
                                        : "timestamp_utc " + in_quotes(draft_.utc) + " is no time");
    }
    event.time = *time;
    const auto source = IpAddress::parse(draft_.source);
    if (!source) return invalid("src_ip " + in_quotes(draft_.source) + " is not an address");
    const auto destination = IpAddress::parse(draft_.destination);
    if (!destination)
      return invalid("dst_ip " + in_quotes(draft_.destination) + " is not an address");
    event.source = *source;
    event.destination = *destination;
    if (draft_.protocol >= 0 && draft_.protocol <= 255) {
      event.protocol = static_cast<Protocol>(draft_.protocol);
    } else if (const auto named = parse_protocol(draft_.protocol_name); named) {
      event.protocol = *named;
    } else {
      return invalid("has no protocol: a number from 0 to 255, or protocol_name");
    }
    if (event.protocol == Protocol::tcp || event.protocol == Protocol::udp ||
        event.protocol == Protocol::sctp) {
      draft_.source_port = std::max<std::int64_t>(draft_.source_port, 0);
      if (draft_.destination_port < 0) return invalid("has no dst_port");
      if (draft_.destination_port > 65'535 || draft_.source_port > 65'535) {
        return invalid("has a port that is not from 0 to 65535");
      }
      event.source_port = static_cast<std::uint16_t>(draft_.source_port);
      event.destination_port = static_cast<std::uint16_t>(draft_.destination_port);
    }
    event.size = static_cast<std::uint32_t>(std::clamp<std::int64_t>(draft_.size, 0, UINT32_MAX));
    event.tcp_flags = static_cast<std::uint8_t>(draft_.flags & 0xff);
    batch_.events.push_back(event);
  }

  PredecessorBatch& batch_;
  const PredecessorLimits& limits_;
  Draft draft_;
  Place place_ = Place::nothing;
  Word key_ = Word::other;
  unsigned depth_ = 0;
  unsigned skipped_ = 0;  // levels of what nobody asked for
  std::size_t hint_ = 0;
  bool has_events_ = false;
  const char* refusal_ = nullptr;
};

constexpr std::uint64_t kSeeds[] = {0x9e3779b97f4a7c15, 0xd6e8feb86659fd93};

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ kSeeds[0]) * (b ^ kSeeds[1]);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

tl::unexpected<Error> refuse(std::string cause) {
  return fail(ErrorKind::malformed, "read", "the batch", std::move(cause));
}

}  // namespace

std::array<std::uint64_t, 2> PredecessorBatch::digest() const {
  std::array<std::uint64_t, 2> sum{kSeeds[0] ^ events.size(), kSeeds[1] ^ invalid_events};
  const auto add = [&](std::uint64_t a, std::uint64_t b) {
    sum[0] = mix(sum[0] ^ a, b);
    sum[1] = mix(sum[1] ^ b, a + kSeeds[0]);
  };
  for (const PacketEvent& event : events) {
    add(static_cast<std::uint64_t>(event.time.time_since_epoch().count()),
        event.source.low() ^ event.source.high());
    add(event.destination.low() ^ event.destination.high(),
        static_cast<std::uint64_t>(event.source_port) << 48 |
            static_cast<std::uint64_t>(event.destination_port) << 32 | event.size);
    add(static_cast<std::uint64_t>(event.protocol), event.tcp_flags);
  }
  for (const std::string* name : {&node_id, &batch_id}) {
    for (const char c : *name)
      add(static_cast<std::uint8_t>(c), name->size());
  }
  return sum;
}

Result<PredecessorBatch> decode_predecessor_batch(std::string& json,
                                                  const PredecessorLimits& limits) {
  if (json.size() > limits.most_bytes) {
    return fail(ErrorKind::limit, "read", "the batch",
                "longer than " + bytes_in_words(static_cast<double>(limits.most_bytes)) +
                    "; send smaller batches");
  }
  PredecessorBatch batch;
  constexpr std::size_t kUsualEvent = 300;  // bytes of JSON
  batch.events.reserve(std::min(limits.most_events, json.size() / kUsualEvent + 1));
  const std::size_t size = json.size();
  rapidjson::InsituStringStream stream(json.data());
  rapidjson::Reader reader;
  BatchReader handler(batch, limits);
  // RapidJSON recurses, but no deeper than the handler lets it enter.
  const auto parsed = reader.Parse<rapidjson::kParseInsituFlag>(stream, handler);
  if (handler.refusal() != nullptr) {
    return refuse(std::string(handler.refusal()) + " (byte " + std::to_string(stream.Tell()) + ")");
  }
  if (parsed.IsError()) {
    return refuse("not JSON at byte " + std::to_string(parsed.Offset()) + ": " +
                  rapidjson::GetParseError_En(parsed.Code()));
  }
  if (stream.Tell() != size) {
    return refuse("not JSON at byte " + std::to_string(stream.Tell()) + ": a zero byte");
  }
  if (!handler.has_events()) return refuse("the key 'events' is missing");
  return batch;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t most_bytes) {
  struct Free {
    void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
  };
  const std::unique_ptr<libdeflate_decompressor, Free> decompressor(
      libdeflate_alloc_decompressor());
  if (!decompressor) return fail(ErrorKind::limit, "unpack", "the body", "no memory");
  std::string out;
  std::size_t used = 0;
  constexpr std::size_t kUsualRatio = 12;
  out.resize(std::min(most_bytes, std::max<std::size_t>(bytes.size() * kUsualRatio, 4096)));
  while (!bytes.empty()) {
    std::size_t in = 0, got = 0;
    const auto result =
        libdeflate_gzip_decompress_ex(decompressor.get(), bytes.data(), bytes.size(),
                                      out.data() + used, out.size() - used, &in, &got);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (out.size() >= most_bytes) {
        return fail(ErrorKind::limit, "unpack", "the body",
                    "longer than " + bytes_in_words(static_cast<double>(most_bytes)) +
                        " when unpacked; send smaller batches");
      }
      out.resize(std::min(most_bytes, out.size() * 2));
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS) {
      return fail(ErrorKind::malformed, "unpack", "the body", "it is not gzip, or cut off");
    }
    used += got;
    bytes.remove_prefix(in);
  }
  out.resize(used);
  return out;
}

}  // namespace beaconry
