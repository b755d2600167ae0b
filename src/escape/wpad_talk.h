#pragma once
#include <optional>
#include <string>
#include <vector>

#include "escape/dns_query.h"
#include "escape/proxy_answer.h"
#include "escape/proxy_talk.h"

namespace beaconry {

// Finds proxies as browsers do (WPAD) and asks each for a way to home: fetches the configuration
// that `url` names, takes out of it the proxies that stand there literally, and talks to one after
// the other until home has answered. Names are asked of the try's `via`, or of the segment's first
// resolver.
class WpadTalk : public Conversation {
 public:
  explicit WpadTalk(HttpUrl url) : url_(std::move(url)) {}

  void begin(Wire& wire) override;
  bool arrived(Wire& wire, const Arrival& arrival) override;
  void connected(Wire& wire) override;
  void received(Wire& wire, ByteView stream) override;
  void closed(Wire& wire, std::string_view why) override;
  void timed_out(Wire& wire) override;

 private:
  enum class Step : std::uint8_t { find_server, fetch, find_proxy, talk };

  void find(Wire& wire, const std::string& host);
  void reached(Wire& wire, const IpAddress& address);
  void read_script(Wire& wire);
  void next_proxy(Wire& wire);
  void after_talk(Wire& wire);

  HttpUrl url_;
  Step step_ = Step::find_server;
  IpAddress resolver_;
  DnsQuestion question_;
  std::uint16_t port_ = 0;  // of the question
  Bytes answer_;
  std::vector<PacProxy> proxies_;
  std::size_t next_ = 0;  // of them
  std::unique_ptr<ProxyTalk> talk_;
};

}  // namespace beaconry
