#include "escape/stack/dhcp_client.h"

#include <algorithm>

namespace beaconry {
namespace {

using std::chrono::seconds;

constexpr std::uint16_t kClientPort = 68, kServerPort = 67;
constexpr int kMostRequests = 3;
constexpr seconds kAgain{4}, kLongestWait{64}, kAfterDecline{10};
constexpr std::uint32_t kLeastLease = 60, kUsualLease = 3600;

}  // namespace

DhcpClient::DhcpClient(const MacAddress& ours, Bytes client_id, Hooks hooks)
    : ours_(ours), client_id_(std::move(client_id)), hooks_(std::move(hooks)) {}

void DhcpClient::start(Timestamp now) {
  state_ = State::selecting;
  next_ = now;
}

DhcpQuestion DhcpClient::question(DhcpType type) const {
  DhcpQuestion made;
  made.type = type;
  made.transaction = transaction_;
  made.client = ours_;
  made.client_id = client_id_;
  return made;
}

void DhcpClient::ask(const DhcpQuestion& question, const IpAddress& source,
                     const IpAddress& destination, const MacAddress& to, Duration again_after) {
  Outgoing out;
  out.frame =
      ethernet(to, ours_, kEtherIpv4,
               ip(source, destination, kProtocolUdp,
                  udp(source, destination, kClientPort, kServerPort, dhcp_question(question))));
  waits_ = true;
  out.done = [this, again_after](const std::string&, Timestamp then) {
    waits_ = false;
    next_ = std::max(next_, then + again_after);
  };
  hooks_.emit(std::move(out));
}

void DhcpClient::discover(Timestamp now) {
  state_ = State::selecting;
  transaction_ = hooks_.random();
  next_ = now;
  const Duration again = std::min<Duration>(kLongestWait, kAgain * (1 << std::min(unanswered_, 5)));
  ++unanswered_;
  ask(question(DhcpType::discover), IpAddress::v4(0), IpAddress::v4(0xffffffffU),
      MacAddress::broadcast(), again);
}

void DhcpClient::request(Timestamp now) {
  state_ = State::requesting;
  next_ = now;
  if (++requests_ > kMostRequests) return discover(now);
  DhcpQuestion asked = question(DhcpType::request);
  asked.requested = offer_.address;
  asked.server = offer_.server;
  ask(asked, IpAddress::v4(0), IpAddress::v4(0xffffffffU), MacAddress::broadcast(), kAgain);
}

void DhcpClient::renew(Timestamp now, bool to_all) {
  state_ = State::renewing;
  DhcpQuestion asked = question(DhcpType::request);
  asked.ours = offer_.address;
  next_ = now;
  // Half of the time that is left, at least a minute (RFC 2131 §4.4.5).
  const Timestamp end = to_all ? over_at_ : rebind_at_;
  const Duration again = std::max<Duration>(seconds{60}, (end - now) / 2);
  if (to_all) {
    ask(asked, offer_.address, IpAddress::v4(0xffffffffU), MacAddress::broadcast(), again);
  } else {
    ask(asked, offer_.address, offer_.server, server_mac_, again);
  }
}

void DhcpClient::poll(Timestamp now) {
  if (has_lease() && now >= over_at_) {
    hooks_.lost("the lease ended without renewal");
    unanswered_ = 0;
    discover(now);
    return;
  }
  if (waits_ || now < next_) return;
  switch (state_) {
    case State::selecting:
      return discover(now);
    case State::requesting:
      return request(now);
    case State::bound:
      transaction_ = hooks_.random();
      return renew(now, now >= rebind_at_);
    case State::renewing:
      return renew(now, now >= rebind_at_);
    case State::stopped:
    case State::checking:
      next_ = kLatest;
      return;
  }
}

void DhcpClient::heard(const Frame& frame, Timestamp now) {
  if (state_ == State::stopped || frame.protocol != kProtocolUdp ||
      frame.source_port != kServerPort || frame.destination_port != kClientPort) {
    return;
  }
  const auto reply = read_dhcp_reply(frame.payload);
  if (!reply || reply->transaction != transaction_ || reply->client != ours_) return;
  if (reply->type == DhcpType::offer && state_ == State::selecting) {
    if (!is_host_address(reply->address) || !is_host_address(reply->server)) return;
    offer_ = *reply;
    requests_ = 0;
    request(now);
  } else if (reply->type == DhcpType::ack &&
             (state_ == State::requesting || state_ == State::renewing)) {
    if (reply->address != offer_.address) return;
    take_grant(*reply, frame, now);
  } else if (reply->type == DhcpType::nak &&
             (state_ == State::requesting || state_ == State::renewing)) {
    const bool had = state_ == State::renewing;
    state_ = State::selecting;
    next_ = now + kAgain;
    if (had) hooks_.lost("the DHCP server took it back");
  }
}

void DhcpClient::take_grant(const DhcpReply& reply, const Frame& frame, Timestamp now) {
  const bool renewed = state_ == State::renewing;
  const IpAddress server = is_host_address(reply.server) ? reply.server : offer_.server;
  offer_ = reply;
  offer_.server = server;
  server_mac_ = frame.source;
  unanswered_ = 0;
  const std::uint32_t lease =
      std::max(kLeastLease, reply.lease_seconds == 0 ? kUsualLease : reply.lease_seconds);
  const auto within = [&](std::uint32_t said, std::uint32_t otherwise) {
    return seconds{said == 0 || said >= lease ? otherwise : said};
  };
  renew_at_ = now + within(reply.renew_seconds, lease / 2);
  rebind_at_ = std::max(renew_at_, now + within(reply.rebind_seconds, lease / 8 * 7));
  over_at_ = now + seconds{lease};
  next_ = renewed ? renew_at_ : kLatest;
  state_ = renewed ? State::bound : State::checking;
  if (!renewed) hooks_.granted(offer_);
}

void DhcpClient::confirm() {
  if (state_ != State::checking) return;
  state_ = State::bound;
  next_ = renew_at_;
}

void DhcpClient::decline(Timestamp now) {
  DhcpQuestion told = question(DhcpType::decline);
  told.requested = offer_.address;
  told.server = offer_.server;
  state_ = State::selecting;
  ask(told, IpAddress::v4(0), IpAddress::v4(0xffffffffU), MacAddress::broadcast(), kAfterDecline);
  next_ = now + kAfterDecline;
}

}  // namespace beaconry
