#include "home/first_bytes.h"

#include <algorithm>
#include <string>

#include "packet/http_request.h"
#include "packet/tls_client_hello.h"

namespace beaconry {
namespace {

StreamFind found(StreamKind kind, FoundPing&& ping) {
  StreamFind find;
  find.kind = kind;
  find.sealed = std::move(ping.sealed);
  if (kind == StreamKind::tls) {
    find.carrier = Carrier::server_name;
    find.receiver = "tls";
  } else if (kind == StreamKind::http) {
    find.carrier = Carrier::http;
    find.receiver = "http";
  } else {
    find.carrier = ping.as_text ? Carrier::text : Carrier::payload;
    find.used = ping.end;
  }
  return find;
}

StreamFind nothing(ByteView bytes, bool may_follow) {
  StreamFind find;
  if (!may_follow || bytes.size() >= kMostStream) find.kind = StreamKind::nothing;
  return find;
}

// A request whose body may hold what its head does not.
bool may_have_body(std::string_view text) {
  constexpr std::string_view kWith[] = {"POST ", "PUT ", "PATCH ", "REPORT ", "PROPFIND "};
  return std::any_of(std::begin(kWith), std::end(kWith), [&](std::string_view method) {
    return text.substr(0, method.size()) == method;
  });
}

bool has_whole_head(std::string_view text) {
  return text.find("\r\n\r\n") != std::string_view::npos ||
         text.find("\n\n") != std::string_view::npos;
}

void put(Bytes& bytes, std::initializer_list<std::uint8_t> more) {
  bytes.insert(bytes.end(), more);
}

// TLS 1.2: one cipher suite, no session, no extension; it never goes on. What of the random is not
// the proof is taken from the reply, which begins to be random behind its hint.
Bytes server_hello(const Answerable& answer) {
  Bytes random(answer.proof.begin(), answer.proof.end());
  const Nonce nonce = nonce_in(answer.reply);
  random.insert(random.end(), nonce.end() - 16, nonce.end());
  Bytes bytes;
  put(bytes, {22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3});
  bytes.insert(bytes.end(), random.begin(), random.end());
  put(bytes, {0, 0xc0, 0x2f, 0});
  put(bytes, {21, 3, 3, 0, 2, 2, 40});  // fatal: handshake_failure
  return bytes;
}

Bytes http_answer(const Answerable& answer) {
  const std::string text = ping_text(answer.reply) + "\n";
  const std::string all = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
                          std::to_string(text.size()) +
                          "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + text;
  const ByteView bytes = as_bytes(all);
  return Bytes(bytes.begin(), bytes.end());
}

}  // namespace

StreamFind read_stream(ByteView bytes) {
  bytes = bytes.first(std::min(bytes.size(), kMostStream));
  if (looks_like_tls_client(bytes)) {
    std::string scratch;
    const FoundName name = tls_client_hello(bytes, scratch);
    if (name.status == NameStatus::found) {
      if (auto ping = find_ping(as_bytes(name.name))) {
        return found(StreamKind::tls, std::move(*ping));
      }
    }
    if (name.status != NameStatus::other) {
      return nothing(bytes, name.status == NameStatus::needs_more);
    }
  }
  auto ping = find_ping(bytes);
  if (looks_like_http_request(bytes)) {
    if (ping) return found(StreamKind::http, std::move(*ping));
    const std::string_view text = as_text(bytes);
    return nothing(bytes, !has_whole_head(text) || may_have_body(text));
  }
  if (ping) return found(StreamKind::ping, std::move(*ping));
  return nothing(bytes, true);
}

Bytes stream_answer(StreamKind kind, const Answerable& answer) {
  switch (kind) {
    case StreamKind::tls:
      return server_hello(answer);
    case StreamKind::http:
      return http_answer(answer);
    case StreamKind::ping:
      return answer.reply;
    case StreamKind::needs_more:
    case StreamKind::nothing:
      break;
  }
  return {};
}

}  // namespace beaconry
