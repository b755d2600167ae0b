#include "escape/tcp_talk.h"

namespace beaconry {

void TcpTalk::begin(Wire& wire) {
  const Target& to = wire.current().target;
  wire.connect(to.destination, to.port);
}

void TcpTalk::connected(Wire& wire) {
  wire.write(wire.ping());
  if (wire.current().leg == Leg::confirmed) end(wire);
}

void TcpTalk::received(Wire& wire, ByteView stream) {
  if (stream_.add(wire, stream)) {
    wire.write(wire.ping());  // leg 3
    end(wire);
  } else if (stream_.exhausted()) {
    end(wire);
  }
}

void TcpTalk::end(Wire& wire) {
  wire.close();
  finish();
}

}  // namespace beaconry
