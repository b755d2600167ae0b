#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "http/endpoint.h"

namespace beaconry::bench {

// A real beaconry-control with TLS on loopback and its state in a folder of ours; a child that does
// not outlive this process. One thread.
class ServerUnderTest {
 public:
  // `init`s it; the port is one that was free.
  static Result<std::unique_ptr<ServerUnderTest>> make(const std::string& program,
                                                       const std::string& folder);
  ~ServerUnderTest();  // kill()s

  Result<void> start();  // returns when it listens
  void kill();           // SIGKILL
  Result<void> stop();   // SIGTERM, and waits for its end

  const Endpoint& endpoint() const { return at_; }
  const std::string& ca_pem() const { return ca_pem_; }
  std::string database() const { return folder_ + "/state/beaconry.db"; }
  std::string log() const { return folder_ + "/log"; }
  // By its local socket, as an admin. Any status but 2xx is an error with the server's words.
  Result<std::string> ask(const std::string& method, const std::string& target,
                          const std::string& body = {},
                          const std::string& type = "application/json");
  struct Timed {
    double first_byte = 0, whole = 0;  // seconds
    std::size_t bytes = 0;
  };
  Result<Timed> time(const std::string& target);

  struct Usage {
    std::uint64_t resident = 0, peak = 0;  // bytes; of this run
    double processor_seconds = 0;
  };
  Usage usage() const;

 private:
  ServerUnderTest(std::string program, std::string folder)
      : program_(std::move(program)), folder_(std::move(folder)) {}
  Result<void> run_init();
  pid_t launch(const std::string& verb) const;

  const std::string program_, folder_;
  Endpoint at_;
  std::string ca_pem_;
  pid_t child_ = -1;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace beaconry::bench
