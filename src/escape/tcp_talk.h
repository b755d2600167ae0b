#pragma once
#include "escape/reply_search.h"

namespace beaconry {

// A connection to the try's destination that carries its ping, and leg 3 once home has answered. A
// transparent proxy may complete the handshake: only home's authenticated answer counts.
class TcpTalk : public Conversation {
 public:
  void begin(Wire& wire) override;
  void connected(Wire& wire) override;
  void received(Wire& wire, ByteView stream) override;
  void closed(Wire&, std::string_view) override { finish(); }
  void timed_out(Wire& wire) override { end(wire); }

 private:
  void end(Wire& wire);
  ReplyStream stream_;
};

}  // namespace beaconry
