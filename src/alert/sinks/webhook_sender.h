#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "alert/sink.h"
#include "alert/sinks/webhook_body.h"
#include "http/message.h"

namespace beaconry {

// Posts each alert to a URL; any 2xx is delivery. 400, 413 and 422 say that this body will never be
// taken: the alert is set aside as undeliverable. With a secret, each request carries
//   X-Beaconry-Timestamp: seconds since 1970
//   X-Beaconry-Signature: sha256=HMAC-SHA-256(secret, timestamp + "." + body), hexadecimal
// and always X-Beaconry-Alert-Id, to drop repeats by. Redirects are not followed: headers are
// secrets.
class WebhookSender : public Sink {
 public:
  struct Options {
    std::string url;
    HttpHeaders headers;
    std::string secret;
    WebhookTemplate form = WebhookTemplate::json;
    std::chrono::seconds timeout{10};
    unsigned quick_tries = 3;  // before the queue's growing pauses
    std::string ca_pem;        // empty: the system's
  };
  static Result<std::unique_ptr<Sink>> make(Options options);
};

}  // namespace beaconry
