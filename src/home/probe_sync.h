#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "home/probe_list.h"
#include "http/client.h"

namespace beaconry {

// Tells the server what this home is, and takes over what it says of the probes: PUT
// /api/v1/homes/self once and every hour, then GET /api/v1/homes/self/probes every kPause, so that
// a probe that was revoked is known to be within two seconds. The last list is kept on disk. A
// thread of its own.
class ProbeSync {
 public:
  static constexpr std::chrono::milliseconds kPause{1'500};
  struct Options {
    HttpClient::Options server;
    std::string token;  // empty: the key of server.certificate_pem counts
    Key32 box_public{};
    std::string zone, program_version;
    std::vector<IpAddress> addresses;
    std::string file;  // where the last list is kept
    std::function<Timestamp()> clock;
  };
  struct Status {
    bool connected = false;
    std::string last_error, version;
    Timestamp last_success{};
    std::uint64_t failures = 0;
  };

  static Result<std::unique_ptr<ProbeSync>> start(Options options);
  virtual ~ProbeSync() = default;  // stops within a second

  virtual int descriptor() const = 0;  // readable: there is something to take
  // The newest list, once.
  virtual std::optional<ProbeList> take() = 0;
  virtual Status status() const = 0;
};

}  // namespace beaconry
