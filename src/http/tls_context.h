#pragma once
#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace beaconry {

// What both ends of TLS connections are set up with: TLS 1.2 and later, by OpenSSL. Copies share.
class TlsContext {
 public:
  // PEM: the chain (server first) and its key.
  static Result<TlsContext> for_server(const std::string& chain_pem, const std::string& key_pem,
                                       bool ask_for_client_certificate);

  struct Trust {
    std::string ca_pem;          // empty: the system's
    std::string ca_fingerprint;  // instead: SHA-256 of a certificate in the presented chain, hex
    bool check_certificate = true;
    std::string certificate_pem, key_pem;  // ours, or empty
  };
  static Result<TlsContext> for_client(const Trust& trust);

  ssl_ctx_st* get() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

// The oldest error in this thread's OpenSSL queue, which is emptied; "unknown error" without one.
std::string take_openssl_error();

}  // namespace beaconry
