#include "escape/wpad_talk.h"

#include <algorithm>

#include "escape/places.h"

namespace beaconry {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

// What a configuration names may be anywhere; it is not to make us talk to ourselves or to groups.
bool may_be_asked(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() &&
         !address.is_broadcast();
}

}  // namespace

void WpadTalk::begin(Wire& wire) {
  find(wire, url_.host);
}

// Goes on with the address of a host: now if that is what it is, else when it is resolved.
void WpadTalk::find(Wire& wire, const std::string& host) {
  wire.set_timeout(kPatience);
  if (const auto address = IpAddress::parse(host)) return reached(wire, *address);
  resolver_ = wire.current().target.via;
  if (resolver_.is_unspecified()) {
    const auto known = resolvers(wire.scope());
    if (!known.empty()) resolver_ = known.front();
  }
  const auto source = wire.source_for(resolver_);
  if (resolver_.is_unspecified() || !source) return timed_out(wire);
  question_ = {static_cast<std::uint16_t>(wire.random()), host, kDnsA};
  port_ = wire.claim_port(kProtocolUdp);
  wire.send_ip(ip(*source, resolver_, kProtocolUdp,
                  udp(*source, resolver_, port_, kDnsPort, dns_query(question_))));
}

bool WpadTalk::arrived(Wire& wire, const Arrival& arrival) {
  if (step_ != Step::find_server && step_ != Step::find_proxy) return false;
  if (arrival.protocol != kProtocolUdp || arrival.destination_port != port_ ||
      arrival.source_port != kDnsPort || arrival.source != resolver_) {
    return false;
  }
  const auto answer = read_dns_answer(arrival.payload, question_);
  if (!answer) return false;
  const auto addresses = answer->addresses();
  if (addresses.empty()) {
    timed_out(wire);
  } else {
    reached(wire, addresses.front());
  }
  return true;
}

void WpadTalk::reached(Wire& wire, const IpAddress& address) {
  if (!may_be_asked(address) || !wire.source_for(address)) return timed_out(wire);
  if (step_ == Step::find_server) {
    step_ = Step::fetch;
    wire.connect(address, url_.port);
    return;
  }
  const PacProxy& proxy = proxies_[next_ - 1];
  step_ = Step::talk;
  talk_ = std::make_unique<ProxyTalk>(address, proxy.port,
                                      proxy.socks ? ProxyForm::socks5 : ProxyForm::connect);
  talk_->begin(wire);
}

void WpadTalk::connected(Wire& wire) {
  if (step_ == Step::fetch) {
    const std::string host =
        url_.host.find(':') == std::string::npos ? url_.host : "[" + url_.host + "]";
    const std::string request = "GET " + url_.path + " HTTP/1.1\r\nHost: " + host +
                                "\r\nAccept: application/x-ns-proxy-autoconfig, */*;q=0.8\r\n"
                                "Connection: close\r\n\r\n";
    wire.write(Bytes(request.begin(), request.end()));
  } else if (talk_) {
    talk_->connected(wire);
    after_talk(wire);
  }
}

void WpadTalk::received(Wire& wire, ByteView stream) {
  if (step_ == Step::talk) {
    talk_->received(wire, stream);
    return after_talk(wire);
  }
  if (step_ != Step::fetch) return;
  constexpr std::size_t kMost = kLongestAnswerHead + kLongestPac;
  const ByteView kept = stream.first(std::min(stream.size(), kMost - answer_.size()));
  answer_.insert(answer_.end(), kept.begin(), kept.end());
  const HttpAnswerHead head = read_http_answer(answer_);
  const bool whole = head.status == HttpAnswerHead::Status::found && head.body_size &&
                     answer_.size() - head.size >= *head.body_size;
  if (!whole && head.status != HttpAnswerHead::Status::other && answer_.size() < kMost) return;
  wire.close();
  read_script(wire);
}

void WpadTalk::closed(Wire& wire, std::string_view why) {
  if (step_ == Step::fetch) {
    read_script(wire);
  } else if (step_ == Step::talk) {
    talk_->closed(wire, why);
    after_talk(wire);
  }
}

// Also where a step leads nowhere.
void WpadTalk::timed_out(Wire& wire) {
  switch (step_) {
    case Step::find_server:
      return finish();
    case Step::fetch:
      wire.close();
      return read_script(wire);
    case Step::find_proxy:
      return next_proxy(wire);
    case Step::talk:
      talk_->timed_out(wire);
      return after_talk(wire);
  }
}

void WpadTalk::read_script(Wire& wire) {
  const HttpAnswerHead head = read_http_answer(answer_);
  if (head.status != HttpAnswerHead::Status::found || head.code != 200) return finish();
  proxies_ = pac_proxies(as_text(ByteView(answer_).subspan(head.size)));
  next_proxy(wire);
}

void WpadTalk::next_proxy(Wire& wire) {
  if (next_ == proxies_.size()) return finish();
  step_ = Step::find_proxy;
  find(wire, proxies_[next_++].host);
}

void WpadTalk::after_talk(Wire& wire) {
  if (!talk_->is_done()) return;
  if (wire.current().leg == Leg::confirmed) return finish();
  next_proxy(wire);
}

}  // namespace beaconry
