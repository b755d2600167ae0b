#pragma once
#include "packet/craft.h"

namespace beaconry {

// A client's first QUIC v1 datagram (RFC 9000 §17.2.2, §14.1): one Initial packet, protected with
// the keys that follow from its connection id (RFC 9001 §5), padded to 1,200 bytes or what it
// takes. Uses libcrypto's bare AES and GCM: EVP would bring all of it into a static program.
// REQUIRES a destination id of 8 to 20 bytes, a source id of at most 20.
struct QuicInitial {
  Bytes destination_id, source_id;
  Bytes token;  // stands in clear
  Bytes hello;  // a ClientHello message
};
constexpr std::size_t kQuicDatagram = 1200;
Bytes seal_quic_initial(const QuicInitial& initial);

// A variable-length integer, RFC 9000 §16, of values below 16,384: in two bytes.
std::uint16_t quic_varint(std::size_t value);

}  // namespace beaconry
