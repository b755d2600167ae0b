#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/result.h"
#include "http/message.h"

namespace beaconry {

// The one HTTP client: blocking, HTTP/1.1, keep-alive, TLS 1.2 and later. One thread at a time.
class HttpClient {
 public:
  struct Options {
    std::string url;  // http://host:port, https://host:port, unix:/path; a path in it is a prefix
    std::string ca_pem;  // empty: the system's
    // SHA-256 of the CA certificate (DER), hex: the chain must hold that certificate and be signed
    // by it. Instead of ca_pem, for the first meeting.
    std::string ca_fingerprint;
    bool check_certificate = true;
    bool check_name = true;                // that the certificate is for the host of the URL
    std::string certificate_pem, key_pem;  // ours, if the server asks
    bool use_proxy = true;                 // of http_proxy, https_proxy and no_proxy
    std::chrono::seconds connect_timeout{5};
    std::chrono::seconds timeout{30};  // for a whole answer
    std::size_t most_body = std::size_t{256} << 20;
    // Asked several times a second while something is waited for: true ends it with an error. Only
    // the look-up of a name cannot be ended.
    std::function<bool()> is_cancelled;
  };

  static Result<std::unique_ptr<HttpClient>> make(const Options& options);
  virtual ~HttpClient() = default;

  // Any status is an answer. A connection that the server closed meanwhile is opened anew, once.
  // Errors say what failed in an operator's words: "connect 127.0.0.1:9090: connection refused".
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
  // With a file of any length for the body, of which a piece at a time is held.
  virtual Result<HttpResponse> send_file(const HttpRequest& request, const std::string& file) = 0;
  // An answer without end: `take` gets the body in pieces as they come, and nothing ("") every
  // second while there is none; it returns false to stop. The response's body is only filled where
  // the status is not 200.
  virtual Result<HttpResponse> stream(const HttpRequest& request,
                                      const std::function<bool(std::string_view)>& take) = 0;
  // In TLS, PEM of the CA certificate that matched ca_fingerprint; empty before the first answer.
  virtual std::string server_ca_pem() const = 0;
  // Of the connection that was made last, as the machine has it: to a proxy where that is between.
  // Nothing before the first, and of Unix sockets.
  struct Ends {
    IpAddress local, peer;
  };
  virtual std::optional<Ends> ends() const = 0;
};

}  // namespace beaconry
