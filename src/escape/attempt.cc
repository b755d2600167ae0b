#include "escape/attempt.h"

#include <algorithm>

namespace beaconry {
namespace {

constexpr std::chrono::seconds kLinger{3};
constexpr std::uint16_t kFirstPort = 49'152;  // RFC 6335 §6
constexpr int kPortTries = 64;

}  // namespace

Attempt::Attempt(AttemptHost& host, const Try& made)
    : host_(host), try_(made), scope_{host.config(), host.segment(), made.cycle_kind} {}

void Attempt::start() {
  conversation_ = try_.method->run(*this);
  if (conversation_) conversation_->begin(*this);
}

Bytes Attempt::ping() {
  Ping said;
  said.leg = try_.leg;
  said.method = try_.method->id;
  said.variant = try_.target.variant;
  said.cycle_kind = try_.cycle_kind;
  said.cycle = try_.cycle;
  said.probe = host_.id();
  said.sequence = try_.sequence;
  said.sent = host_.time_of_day();
  said.source = source_for(try_.target.destination).value_or(IpAddress{});
  said.destination = try_.target.destination;
  said.port = try_.target.port;
  said.via = try_.target.via;
  Bytes sealed = seal(said, key());
  if (nonces_.size() >= kMostNonces) nonces_.pop_front();
  nonces_.push_back(nonce_in(sealed));
  return sealed;
}

std::optional<IpAddress> Attempt::source_for(const IpAddress& destination) const {
  const auto own = host_.segment().own_for(destination);
  if (!own) return std::nullopt;
  return own->address;
}

Outgoing Attempt::outgoing(Bytes frame) {
  Outgoing out;
  out.frame = std::move(frame);
  // What goes on comes before what begins: the other side waits for it.
  out.rank =
      left_ || try_.leg == Leg::confirmed ? Outgoing::Rank::conversation : Outgoing::Rank::attempt;
  out.method = try_.method->id;
  out.traits = try_.method->traits;
  ++waiting_;
  out.done = [this](const std::string& why, Timestamp) {
    --waiting_;
    if (!why.empty()) {
      failure_ = why;
    } else if (!left_) {
      left_ = true;
      host_.left(*this);
    }
  };
  return out;
}

void Attempt::send_packet(Bytes packet, const IpAddress& hop) {
  const bool v4 = !packet.empty() && packet[0] >> 4 == 4;
  if (packet.size() < (v4 ? 20U : 40U) || packet.size() > host_.facts().mtu) {
    failure_ = "a packet of " + std::to_string(packet.size()) + " bytes does not fit";
    return;
  }
  if (++frames_ > kMostFrames) {
    failure_ = "more frames than a try may send";
    return;
  }
  const IpAddress destination =
      v4 ? IpAddress::v4_bytes(packet.data() + 16) : IpAddress::v6_bytes(packet.data() + 24);
  host_.put_ip(outgoing(std::move(packet)), destination, hop);
}

void Attempt::send_ip(Bytes packet) {
  send_packet(std::move(packet), {});
}

void Attempt::send_ip_via(Bytes packet, const IpAddress& neighbour) {
  send_packet(std::move(packet), neighbour);
}

void Attempt::send_frame(Bytes frame) {
  if (++frames_ > kMostFrames) {
    failure_ = "more frames than a try may send";
    return;
  }
  host_.put(outgoing(std::move(frame)));
}

std::uint16_t Attempt::claim_port(std::uint8_t protocol) {
  std::uint16_t port = 0;
  for (int i = 0; i < kPortTries; ++i) {
    port = static_cast<std::uint16_t>(kFirstPort + host_.random() % (65'536 - kFirstPort));
    if (host_.claim_port(protocol, port, *this)) break;
  }
  return port;
}

void Attempt::connect(const IpAddress& destination, std::uint16_t port, const IpAddress& via) {
  // A connection may be at its end further up in this very call: it goes at the next poll().
  if (tcp_) former_tcp_ = std::move(tcp_);
  const auto own = host_.segment().own_for(destination);
  if (!own || own->kernel_owned) {
    tcp_refused_ = own ? "the kernel owns the address" : "no address of that family";
    return;
  }
  const TcpClient::Ends ends{own->address, destination, claim_port(kProtocolTcp), port};
  const std::uint32_t headers = destination.is_v4() ? 40 : 60;
  tcp_via_ = via;
  tcp_ = std::make_unique<TcpClient>(*this, ends, host_.random(),
                                     static_cast<std::uint16_t>(host_.facts().mtu - headers));
}

void Attempt::write(Bytes stream) {
  if (tcp_ && !tcp_->write(stream)) failure_ = "the connection takes no more";
}

void Attempt::close() {
  if (tcp_) tcp_->close();
}

void Attempt::tcp_packet(Bytes packet) {
  send_packet(std::move(packet), tcp_via_);
}

void Attempt::tcp_connected() {
  if (is_talking()) conversation_->connected(*this);
}

void Attempt::tcp_received(ByteView stream) {
  if (is_talking()) conversation_->received(*this, stream);
}

void Attempt::tcp_closed(std::string_view why) {
  if (!left_ && failure_.empty()) failure_ = why;
  if (is_talking()) conversation_->closed(*this, why);
}

bool Attempt::arrived(const Frame& frame) {
  if (tcp_ && tcp_->is_for_us(frame)) {
    tcp_->heard(frame);
    poll();
    return true;
  }
  if (!is_talking()) return false;
  Arrival arrival;
  arrival.source = frame.ip_source;
  arrival.destination = frame.ip_destination;
  arrival.protocol = frame.protocol;
  arrival.source_port = frame.source_port;
  arrival.destination_port = frame.destination_port;
  arrival.payload = frame.payload;
  arrival.packet = frame.packet;
  const bool taken = conversation_->arrived(*this, arrival);
  if (taken) poll();
  return taken;
}

void Attempt::poll() {
  former_tcp_.reset();
  if (!tcp_refused_.empty()) {
    const std::string why = std::move(tcp_refused_);
    tcp_refused_.clear();
    if (!left_) failure_ = why;
    if (is_talking()) conversation_->closed(*this, why);
  }
  if (tcp_) {
    // What is done with a connection closes it; one that never came about is left alone.
    if (!is_talking()) tcp_->close();
    tcp_->poll(host_.now(), waiting_ > 0);
  }
  if (waiting_ > 0) {
    deadline_ = linger_until_ = kLatest;
    return;
  }
  if (is_talking()) {
    if (deadline_ == kLatest) deadline_ = host_.now() + timeout_;
    if (host_.now() >= deadline_) time_out();
  } else if (tcp_ && !tcp_->is_over()) {
    if (linger_until_ == kLatest) linger_until_ = host_.now() + kLinger;
    if (host_.now() >= linger_until_) tcp_.reset();
  }
}

void Attempt::time_out() {
  deadline_ = kLatest;
  const std::size_t before = frames_;
  const TcpClient* const tcp = tcp_.get();
  conversation_->timed_out(*this);
  // It may ask again, or connect to another place; one that does nothing is at its end.
  const bool idle = frames_ == before && tcp_.get() == tcp;
  if (idle || ++timeouts_ >= kMostTimeouts) conversation_->finish();
  if (tcp_) tcp_->poll(host_.now(), waiting_ > 0);
}

void Attempt::abandon() {
  if (conversation_) conversation_->finish();
  tcp_.reset();
}

bool Attempt::is_over() const {
  return waiting_ == 0 && !is_talking() && tcp_refused_.empty() && (!tcp_ || tcp_->is_over());
}

Timestamp Attempt::due() const {
  if (waiting_ > 0) return kLatest;
  return std::min({deadline_, linger_until_, tcp_ ? tcp_->due() : kLatest});
}

bool Attempt::take_answer() {
  if (!answered_) {
    answered_ = true;
    host_.answered(*this);
  }
  try_.leg = Leg::confirmed;
  return true;
}

bool Attempt::take_reply(ByteView bytes) {
  const auto found = find_ping(bytes);
  if (!found) return false;
  const auto reply = open_sealed(found->sealed, key());
  if (!reply || reply->leg != Leg::reply || reply->sequence != try_.sequence ||
      reply->probe != host_.id()) {
    return false;
  }
  return take_answer();
}

bool Attempt::take_proof(const ReplyProof& proof) {
  const bool ours = std::any_of(nonces_.begin(), nonces_.end(), [&](const Nonce& nonce) {
    return same_proof(reply_proof(key(), nonce), proof);
  });
  return ours && take_answer();
}

}  // namespace beaconry
