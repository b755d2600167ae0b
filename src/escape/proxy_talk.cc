#include "escape/proxy_talk.h"

#include "escape/byte_writer.h"
#include "escape/proxy_answer.h"

namespace beaconry {
namespace {

// Proxies look names up and connect before they answer.
constexpr std::chrono::milliseconds kPatience{10'000};
// What leg 3 gets before the connection is closed under it.
constexpr std::chrono::milliseconds kLastWords{2'000};

std::string bracketed(const IpAddress& address) {
  return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

bool by_name(ProxyForm form) {
  return form == ProxyForm::connect_name || form == ProxyForm::socks5_name;
}

bool is_socks5(ProxyForm form) {
  return form == ProxyForm::socks5 || form == ProxyForm::socks5_name;
}

Bytes socks5_request(const std::string& name, const Target& home) {
  ByteWriter out;
  out.u8(5).u8(1).u8(0);
  if (!name.empty()) {
    out.u8(3).counted(1, as_bytes(name));
  } else if (home.destination.is_v4()) {
    out.u8(1).u32(home.destination.v4_value());
  } else {
    out.u8(4).bytes(home.destination.bytes());
  }
  return out.u16(home.port).take();
}

}  // namespace

void ProxyTalk::begin(Wire& wire) {
  wire.set_timeout(kPatience);
  wire.connect(proxy_, port_);
}

// Empty: the ping has no name under this zone.
Bytes ProxyTalk::request(Wire& wire) const {
  const Target& home = wire.current().target;
  std::string name;
  if (by_name(form_)) {
    name = ping_name(wire.ping(), wire.scope().config.home.zone).value_or("");
    if (name.empty()) return {};
  }
  ByteWriter out;
  switch (form_) {
    case ProxyForm::connect:
    case ProxyForm::connect_name: {
      const std::string place =
          (name.empty() ? bracketed(home.destination) : name) + ":" + std::to_string(home.port);
      out.text("CONNECT " + place + " HTTP/1.1\r\nHost: " + place + "\r\n\r\n");
      break;
    }
    case ProxyForm::get: {
      std::string place = bracketed(home.destination);
      if (home.port != 80) place += ":" + std::to_string(home.port);
      out.text("GET http://" + place + "/" + ping_text(wire.ping()) +
               " HTTP/1.1\r\nHost: " + place + "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
      break;
    }
    case ProxyForm::socks5:
    case ProxyForm::socks5_name:
      return socks5_request(name, home);
    case ProxyForm::socks4:
      out.u8(4).u8(1).u16(home.port).u32(home.destination.v4_value()).u8(0);
      break;
  }
  return out.take();
}

void ProxyTalk::connected(Wire& wire) {
  if (is_socks5(form_)) {
    wire.write({5, 1, 0});  // one way to say who we are: none
    state_ = State::greeting;
    return;
  }
  Bytes ask = request(wire);
  if (ask.empty()) return end(wire);
  wire.write(std::move(ask));
  state_ = State::asked;
  if (form_ != ProxyForm::get) return;
  state_ = State::open;
  if (wire.current().leg == Leg::confirmed) {
    state_ = State::last;
    wire.set_timeout(kLastWords);
  }
}

void ProxyTalk::received(Wire& wire, ByteView stream) {
  if (state_ == State::last) return;
  if (state_ == State::open) return read_stream(wire, stream);
  answer_.insert(answer_.end(), stream.begin(), stream.end());
  read_answer(wire);
  if (answer_.size() > kLongestAnswerHead && state_ != State::open) end(wire);
}

// What the proxy itself says before there is a tunnel.
void ProxyTalk::read_answer(Wire& wire) {
  SocksAnswer answer;
  if (state_ == State::greeting) {
    answer = read_socks5_greeting(answer_);
    if (answer.size == 0) return;
    Bytes ask = answer.granted ? request(wire) : Bytes{};
    if (ask.empty()) return end(wire);
    wire.write(std::move(ask));
    state_ = State::asked;
    answer_.erase(answer_.begin(), answer_.begin() + static_cast<std::ptrdiff_t>(answer.size));
    if (answer_.empty()) return;
  }
  if (form_ == ProxyForm::socks4) {
    answer = read_socks4_answer(answer_);
  } else if (is_socks5(form_)) {
    answer = read_socks5_answer(answer_);
  } else {
    const HttpAnswerHead head = read_http_answer(answer_);
    if (head.status == HttpAnswerHead::Status::needs_more) return;
    answer = {head.status == HttpAnswerHead::Status::found && head.code / 100 == 2,
              std::max<std::size_t>(head.size, 1)};
  }
  if (answer.size == 0) return;
  if (!answer.granted) return end(wire);
  wire.write(wire.ping());
  state_ = State::open;
  if (wire.current().leg == Leg::confirmed) return say_last(wire);
  const Bytes rest(answer_.begin() + static_cast<std::ptrdiff_t>(answer.size), answer_.end());
  answer_.clear();
  if (!rest.empty()) read_stream(wire, rest);
}

void ProxyTalk::read_stream(Wire& wire, ByteView stream) {
  if (!stream_.add(wire, stream)) {
    if (stream_.exhausted()) end(wire);
    return;
  }
  if (form_ == ProxyForm::get) {  // leg 3 is another request
    wire.close();
    wire.connect(proxy_, port_);
    return;
  }
  wire.write(wire.ping());  // leg 3
  say_last(wire);
}

void ProxyTalk::say_last(Wire& wire) {
  state_ = State::last;
  wire.set_timeout(kLastWords);
}

void ProxyTalk::end(Wire& wire) {
  wire.close();
  finish();
}

}  // namespace beaconry
