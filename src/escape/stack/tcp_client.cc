#include "escape/stack/tcp_client.h"

#include <algorithm>

namespace beaconry {
namespace {

constexpr std::chrono::seconds kFirstRepeat{1};
constexpr std::uint8_t kPush = 0x08;
constexpr std::uint16_t kLeastSegment = 64, kUsualSegment = 536;  // RFC 9293 §3.7.1

// Sequence numbers wrap: a is before b.
bool is_before(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

std::uint16_t most_segment_in(const Frame& frame) {
  if (frame.transport.size() < 20) return kUsualSegment;
  const std::size_t header = std::size_t{frame.transport[12]} / 16 * 4;
  if (header < 20 || header > frame.transport.size()) return kUsualSegment;
  ByteView options = frame.transport.subspan(20, header - 20);
  while (!options.empty() && options[0] != 0) {
    if (options[0] == 1) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) break;
    if (options[0] == 2 && options[1] == 4) {
      return std::max(kLeastSegment, parse_be16(options.data() + 2));
    }
    options = options.subspan(options[1]);
  }
  return kUsualSegment;
}

}  // namespace

TcpClient::TcpClient(User& user, const Ends& ends, std::uint32_t first_sequence,
                     std::uint16_t most_segment)
    : user_(user),
      ends_(ends),
      first_(first_sequence),
      acknowledged_(first_sequence),
      next_(first_sequence),
      our_segment_(most_segment),
      segment_(kUsualSegment) {}

bool TcpClient::is_for_us(const Frame& frame) const {
  return frame.kind == Frame::Kind::ip && frame.protocol == kProtocolTcp &&
         frame.fragment == kWhole && frame.transport.size() >= 20 &&
         frame.ip_source == ends_.destination && frame.ip_destination == ends_.source &&
         frame.source_port == ends_.port && frame.destination_port == ends_.source_port;
}

bool TcpClient::is_over() const {
  if (state_ == State::over) return true;
  return closing_ && fin_sent_ && fin_heard_ && !answer_due_ && out_.empty() &&
         acknowledged_ == next_;
}

bool TcpClient::write(ByteView stream) {
  if (state_ == State::over || closing_ || out_.size() + stream.size() > kMostUnsent) return false;
  out_.insert(out_.end(), stream.begin(), stream.end());
  return true;
}

void TcpClient::close() {
  closing_ = true;
  if (state_ == State::opening) state_ = State::over;
}

void TcpClient::end(std::string_view why) {
  state_ = State::over;
  armed_ = false;
  repeat_at_ = kLatest;
  if (!closed_told_) {
    closed_told_ = true;
    user_.tcp_closed(why);
  }
}

void TcpClient::packet(std::uint8_t flags, std::uint32_t sequence, ByteView payload) {
  TcpHeader header;
  header.source_port = ends_.source_port;
  header.destination_port = ends_.port;
  header.sequence = sequence;
  header.flags = flags;
  if ((flags & kTcpAck) != 0) header.acknowledgement = expected_;
  if ((flags & kTcpSyn) != 0) header.most_segment = our_segment_;
  user_.tcp_packet(ip(ends_.source, ends_.destination, kProtocolTcp,
                      tcp(ends_.source, ends_.destination, header, payload)));
  if ((flags & kTcpAck) != 0) answer_due_ = false;
}

void TcpClient::heard(const Frame& frame) {
  if (state_ == State::over) return;
  const std::uint32_t sequence = parse_be32(frame.transport.data() + 4);
  const std::uint32_t acknowledged = parse_be32(frame.transport.data() + 8);
  const bool acknowledges = (frame.tcp_flags & kTcpAck) != 0;
  if (state_ == State::opening) {
    if (!begun_ || !acknowledges || acknowledged != first_ + 1) return;
    if ((frame.tcp_flags & kTcpRst) != 0) return end("refused");
    if ((frame.tcp_flags & kTcpSyn) == 0) return;
    state_ = State::connected;
    acknowledged_ = acknowledged;
    expected_ = sequence + 1;
    window_ = parse_be16(frame.transport.data() + 14);
    segment_ = std::min(our_segment_, most_segment_in(frame));
    answer_due_ = true;
    armed_ = false;
    repeats_ = 0;
    return user_.tcp_connected();
  }
  if ((frame.tcp_flags & kTcpRst) != 0) {
    // RFC 5961 §3.2: only the very next number is one.
    if (sequence == expected_) end("reset");
    return;
  }
  if ((frame.tcp_flags & kTcpSyn) != 0) {
    answer_due_ = true;  // our ACK was lost
    return;
  }
  if (acknowledges) read_synchronized(frame, sequence, acknowledged);
}

void TcpClient::read_synchronized(const Frame& frame, std::uint32_t sequence,
                                  std::uint32_t acknowledged) {
  if (is_before(next_, acknowledged)) return;  // of what we have not sent
  take_acknowledgement(acknowledged);
  window_ = parse_be16(frame.transport.data() + 14);
  take_data(sequence, frame.payload, (frame.tcp_flags & kTcpFin) != 0);
}

void TcpClient::take_acknowledgement(std::uint32_t acknowledged) {
  if (!is_before(acknowledged_, acknowledged)) return;
  const std::size_t bytes = std::min<std::size_t>(acknowledged - acknowledged_, out_.size());
  out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(bytes));
  acknowledged_ = acknowledged;
  repeats_ = 0;
  armed_ = false;
}

void TcpClient::take_data(std::uint32_t sequence, ByteView data, bool fin) {
  if (data.empty() && !fin) return;
  answer_due_ = true;
  if (is_before(expected_, sequence) || fin_heard_) return;  // a hole before it, or beyond the end
  const std::uint32_t known = expected_ - sequence;
  if (known > data.size()) return;
  data = data.subspan(known);
  expected_ += static_cast<std::uint32_t>(data.size());
  if (fin) {
    fin_heard_ = true;
    ++expected_;
  }
  received_ += data.size();
  if (received_ > kMostReceived) {
    packet(kTcpRst | kTcpAck, next_, {});
    return end("it sent more than is taken");
  }
  if (!data.empty() && !closed_told_) user_.tcp_received(data);
  if (fin && !closed_told_ && state_ != State::over) {
    closed_told_ = true;
    user_.tcp_closed("closed by the other side");
  }
}

void TcpClient::poll(Timestamp now, bool waiting) {
  if (state_ == State::over) return;
  if (waiting) {
    armed_ = false;  // the time runs from when the last packet has left
    return;
  }
  if (!begun_) {
    begun_ = true;
    next_ = first_ + 1;
    packet(kTcpSyn, first_, {});
    return;
  }
  if (next_ != acknowledged_) {
    if (!armed_) {
      armed_ = true;
      repeat_at_ = now + kFirstRepeat * (1 << repeats_);
    } else if (now >= repeat_at_) {
      if (repeats_ >= kMostRepeats) return end("no answer");
      ++repeats_;
      armed_ = false;
      return repeat();
    }
  } else {
    repeat_at_ = kLatest;
  }
  if (state_ == State::connected) send_new();
}

void TcpClient::repeat() {
  if (state_ == State::opening) return packet(kTcpSyn, first_, {});
  const std::size_t size =
      std::min({out_.size(), std::size_t{segment_}, std::size_t{next_ - acknowledged_}});
  const bool last = size == out_.size();
  packet(static_cast<std::uint8_t>(kTcpAck | (size > 0 ? kPush : 0) |
                                   (fin_sent_ && last ? kTcpFin : 0)),
         acknowledged_, ByteView(out_).first(size));
}

void TcpClient::send_new() {
  // What is beyond the FIN's own number.
  std::size_t sent = next_ - acknowledged_ - (fin_sent_ && next_ != acknowledged_ ? 1U : 0U);
  while (sent < out_.size()) {
    const std::size_t room = window_ > sent ? window_ - sent : 0;
    const std::size_t size = std::min({out_.size() - sent, std::size_t{segment_}, room});
    if (size == 0) break;
    const bool last = sent + size == out_.size();
    const bool fin = last && closing_ && !fin_sent_;
    packet(static_cast<std::uint8_t>(kTcpAck | kPush | (fin ? kTcpFin : 0)), next_,
           ByteView(out_).subspan(sent, size));
    next_ += static_cast<std::uint32_t>(size) + (fin ? 1 : 0);
    fin_sent_ = fin_sent_ || fin;
    sent += size;
  }
  if (closing_ && !fin_sent_ && sent == out_.size()) {
    packet(kTcpFin | kTcpAck, next_, {});
    ++next_;
    fin_sent_ = true;
  }
  if (answer_due_) packet(kTcpAck, next_, {});
}

}  // namespace beaconry
