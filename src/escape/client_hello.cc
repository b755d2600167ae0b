#include "escape/client_hello.h"

#include <algorithm>

#include "escape/byte_writer.h"

namespace beaconry {
namespace {

constexpr std::uint8_t kHandshake = 22, kClientHello = 1, kServerHello = 2;
constexpr std::uint16_t kTls10 = 0x0301, kTls12 = 0x0303, kTls13 = 0x0304;

enum Extension : std::uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kPointFormats = 11,
  kSignatureAlgorithms = 13,
  kProtocolNames = 16,
  kExtendedMasterSecret = 23,
  kSupportedVersions = 43,
  kPskModes = 45,
  kKeyShare = 51,
  kQuicParameters = 57,
  kRenegotiation = 0xff01,
};

constexpr std::uint16_t kSuites13[] = {0x1301, 0x1302, 0x1303};
constexpr std::uint16_t kSuites12[] = {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                                       0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
constexpr std::uint16_t kX25519 = 0x001d;
constexpr std::uint16_t kGroups[] = {kX25519, 0x0017, 0x0018};
constexpr std::uint16_t kSignatures[] = {0x0403, 0x0804, 0x0401, 0x0503,
                                         0x0805, 0x0501, 0x0806, 0x0601};

Bytes numbers(std::span<const std::uint16_t> list) {
  ByteWriter out;
  for (const std::uint16_t number : list)
    out.u16(number);
  return out.take();
}

Bytes random_bytes(const Random& random, std::size_t count) {
  Bytes bytes;
  while (bytes.size() < count) {
    const std::uint32_t word = random();
    for (int shift = 0; shift < 32 && bytes.size() < count; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(word >> shift));
  }
  return bytes;
}

void put(ByteWriter& out, std::uint16_t type, ByteView body) {
  out.u16(type).counted(2, body);
}

Bytes extensions(const ClientHello& hello, const Random& random) {
  const bool quic = !hello.quic_parameters.empty();
  ByteWriter out;
  if (!hello.server_name.empty()) {
    const Bytes entry = ByteWriter().u8(0).counted(2, as_bytes(hello.server_name)).take();
    put(out, kServerName, ByteWriter().counted(2, entry).view());
  }
  if (!quic) {
    put(out, kExtendedMasterSecret, {});
    put(out, kRenegotiation, ByteWriter().u8(0).view());
    put(out, kPointFormats, ByteWriter().u8(1).u8(0).view());
  }
  put(out, kSupportedGroups, ByteWriter().counted(2, numbers(kGroups)).view());
  ByteWriter protocols;
  for (const std::string_view protocol : hello.protocols)
    protocols.counted(1, as_bytes(protocol));
  put(out, kProtocolNames, ByteWriter().counted(2, protocols.view()).view());
  put(out, kSignatureAlgorithms, ByteWriter().counted(2, numbers(kSignatures)).view());
  const Bytes share = ByteWriter().u16(kX25519).counted(2, random_bytes(random, 32)).take();
  put(out, kKeyShare, ByteWriter().counted(2, share).view());
  put(out, kPskModes, ByteWriter().u8(1).u8(1).view());
  ByteWriter versions;
  versions.u16(kTls13);
  if (!quic) versions.u16(kTls12);
  put(out, kSupportedVersions, ByteWriter().counted(1, versions.view()).view());
  if (quic) put(out, kQuicParameters, hello.quic_parameters);
  return out.take();
}

}  // namespace

Bytes client_hello_message(const ClientHello& hello, const Random& random) {
  const bool quic = !hello.quic_parameters.empty();
  ByteWriter body;
  body.u16(kTls12).bytes(random_bytes(random, 32));
  // RFC 8446 §D.4: a session id for the sake of middleboxes; none in QUIC (RFC 9001 §8.4).
  body.counted(1, quic ? Bytes{} : random_bytes(random, 32));
  Bytes suites = numbers(kSuites13);
  if (!quic) {
    const Bytes more = numbers(kSuites12);
    suites.insert(suites.end(), more.begin(), more.end());
  }
  body.counted(2, suites).u8(1).u8(0);  // no compression
  body.counted(2, extensions(hello, random));
  return ByteWriter().u8(kClientHello).counted(3, body.view()).take();
}

Bytes client_hello_record(const ClientHello& hello, const Random& random) {
  return ByteWriter()
      .u8(kHandshake)
      .u16(kTls10)
      .counted(2, client_hello_message(hello, random))
      .take();
}

ServerHello read_server_hello(ByteView stream) {
  ServerHello read;
  ByteCursor cursor(stream);
  const std::uint8_t type = cursor.u8(), major = cursor.u8();
  if ((!stream.empty() && type != kHandshake) || (stream.size() > 1 && major != 3)) return read;
  cursor.take(3);  // minor version, the record's length
  const std::uint8_t message = cursor.u8();
  if (stream.size() > 5 && message != kServerHello) return read;
  cursor.take(3 + 2);  // the message's length, its version
  const ByteView random = cursor.take(read.random.size());
  if (!cursor.ok()) {
    read.status = ServerHelloStatus::needs_more;
    return read;
  }
  read.status = ServerHelloStatus::found;
  std::copy(random.begin(), random.end(), read.random.begin());
  return read;
}

}  // namespace beaconry
