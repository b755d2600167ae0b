#include "escape/dns_talk.h"

#include "escape/byte_writer.h"
#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostMessage = 65'535;

}  // namespace

bool DnsTalk::ask(Wire& wire) {
  const auto name = ping_name(wire.ping(), wire.scope().config.home.zone);
  if (!name) return false;
  question_ = {static_cast<std::uint16_t>(wire.random()), *name, wire.current().target.variant};
  port_ = wire.claim_port(kProtocolUdp);
  return send_(wire, port_, dns_query(question_));
}

void DnsTalk::begin(Wire& wire) {
  if (!ask(wire) || wire.current().leg == Leg::confirmed) finish();
}

bool DnsTalk::arrived(Wire& wire, const Arrival& arrival) {
  if (arrival.protocol != kProtocolUdp || arrival.destination_port != port_ ||
      arrival.source_port != kDnsPort) {
    return false;
  }
  if (answers_ == Answers::one && arrival.source != next_stop(wire.current().target)) return false;
  const auto answer = read_dns_answer(arrival.payload, question_);
  if (!answer) return false;
  if (answer->truncated && answer->records.empty() && !over_tcp_) {
    over_tcp_ = true;
    wire.connect(arrival.source, kDnsPort);
  } else {
    take(wire, *answer);
  }
  return true;
}

void DnsTalk::connected(Wire& wire) {
  const Bytes query = dns_query(question_);
  wire.write(ByteWriter().counted(2, query).take());
}

void DnsTalk::received(Wire& wire, ByteView stream) {
  if (stream_.size() < 2 + kMostMessage)
    stream_.insert(stream_.end(), stream.begin(), stream.end());
  ByteCursor cursor(stream_);
  const ByteView message = cursor.take(cursor.u16());
  if (!cursor.ok()) return;
  if (const auto answer = read_dns_answer(message, question_)) take(wire, *answer);
  end(wire);
}

void DnsTalk::take(Wire& wire, const DnsAnswer& answer) {
  if (take_dns_reply(wire, answer)) {
    ask(wire);  // leg 3
    end(wire);
  } else if (answers_ == Answers::one) {
    end(wire);
  }
}

void DnsTalk::end(Wire& wire) {
  if (over_tcp_) wire.close();
  finish();
}

}  // namespace beaconry
