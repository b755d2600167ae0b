#pragma once
#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "packet/craft.h"

namespace beaconry {

// A ClientHello (RFC 8446 §4.1.2) as browsers send it: TLS 1.3 with 1.2 beside it, fifteen cipher
// suites, an X25519 key share, ALPN. It is well-formed to whoever inspects it; nobody goes on with
// the handshake, so that the key share's secret is never needed. Tickets, pre-shared keys: none.
struct ClientHello {
  std::string_view server_name;                 // SNI; empty: none
  std::span<const std::string_view> protocols;  // ALPN
  Bytes quic_parameters;                        // of RFC 9000 §18; empty: TLS over TCP
};
using Random = std::function<std::uint32_t()>;
// The handshake message alone, as QUIC carries it.
Bytes client_hello_message(const ClientHello& hello, const Random& random);
// In one TLS record, as TCP carries it.
Bytes client_hello_record(const ClientHello& hello, const Random& random);

// The random of the ServerHello with which a server's stream begins. `needs_more`: not all of it is
// there; `other`: it begins with something else.
enum class ServerHelloStatus : std::uint8_t { found, needs_more, other };
struct ServerHello {
  ServerHelloStatus status = ServerHelloStatus::other;
  std::array<std::uint8_t, 32> random{};
};
ServerHello read_server_hello(ByteView stream);

}  // namespace beaconry
