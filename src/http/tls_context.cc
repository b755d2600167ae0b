#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/hex.h"
#include "base/text.h"
#include "http/pem.h"

namespace beaconry {
namespace {

Result<std::shared_ptr<SSL_CTX>> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) return fail(ErrorKind::io, "set up", "TLS", take_openssl_error());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  // An idle connection holds no record buffers; a write goes on from another address.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Result<void> use_certificate(SSL_CTX* context, const std::string& chain_pem,
                             const std::string& key_pem) {
  auto chain = certificates_of(chain_pem);
  if (!chain) return tl::unexpected(chain.error());
  const auto key = private_key_of(key_pem);
  if (!key) return tl::unexpected(key.error());
  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1)
    return fail(ErrorKind::malformed, "use", "certificate", take_openssl_error());
  for (std::size_t i = 1; i < chain->size(); ++i)
    SSL_CTX_add1_chain_cert(context, (*chain)[i].get());
  if (SSL_CTX_use_PrivateKey(context, key->get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::malformed, "use", "certificate",
                "the private key does not belong to the certificate");
  }
  return {};
}

// Who a client is, is the program's question: it knows the keys that were enrolled.
int take_any(X509_STORE_CTX*, void*) {
  return 1;
}

// The chain must hold the certificate with this fingerprint, and lead to it.
int verify_pinned(X509_STORE_CTX* store, void* argument) {
  const auto& wanted = *static_cast<const std::string*>(argument);
  STACK_OF(X509)* const presented = X509_STORE_CTX_get0_untrusted(store);
  for (int i = 0; i < sk_X509_num(presented); ++i) {
    X509* const one = sk_X509_value(presented, i);
    if (fingerprint(*one) != wanted) continue;
    STACK_OF(X509)* const trusted = sk_X509_new_null();
    sk_X509_push(trusted, one);
    X509_STORE_CTX_set0_trusted_stack(store, trusted);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(store), X509_V_FLAG_PARTIAL_CHAIN);
    const int verified = X509_verify_cert(store);
    X509_STORE_CTX_set0_trusted_stack(store, nullptr);
    sk_X509_free(trusted);
    return verified;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
  return 0;
}

// Debian's place first; a static program also meets other systems. SSL_CERT_FILE goes before all.
void trust_system(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (access(file, R_OK) == 0 && SSL_CTX_load_verify_file(context, file) == 1) break;
  }
  ERR_clear_error();
}

void free_string(void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(pointer);
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const words = code == 0 ? nullptr : ERR_reason_error_string(code);
  return words == nullptr ? "unknown error" : words;
}

Result<TlsContext> TlsContext::for_server(const std::string& chain_pem, const std::string& key_pem,
                                          bool ask_for_client_certificate) {
  auto context = make_context(TLS_server_method());
  if (!context) return tl::unexpected(context.error());
  if (auto used = use_certificate(context->get(), chain_pem, key_pem); !used)
    return tl::unexpected(used.error());
  // No sessions on the server's side, and no tickets: every connection shows its certificate.
  SSL_CTX_set_session_cache_mode(context->get(), SSL_SESS_CACHE_OFF);
  // A client that just closes is no fault; a server that does may be cut short by somebody else.
  SSL_CTX_set_options(context->get(), SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context->get(), 0);
  if (ask_for_client_certificate) {
    SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context->get(), take_any, nullptr);
  }
  return TlsContext(std::move(*context));
}

Result<TlsContext> TlsContext::for_client(const Trust& trust) {
  static const int kFingerprint =
      CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nullptr, nullptr, nullptr, free_string);
  auto context = make_context(TLS_client_method());
  if (!context) return tl::unexpected(context.error());
  SSL_CTX* const raw = context->get();
  if (!trust.certificate_pem.empty()) {
    if (auto used = use_certificate(raw, trust.certificate_pem, trust.key_pem); !used)
      return tl::unexpected(used.error());
  }
  if (!trust.check_certificate) return TlsContext(std::move(*context));
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  if (!trust.ca_fingerprint.empty()) {
    std::string wanted = ascii_lower(trust.ca_fingerprint);
    std::erase(wanted, ':');
    if (!is_lower_hex(wanted, 64))
      return fail(ErrorKind::usage, "use", "fingerprint", "a SHA-256 has 64 hex digits");
    auto owned = std::make_unique<std::string>(std::move(wanted));
    SSL_CTX_set_cert_verify_callback(raw, verify_pinned, owned.get());
    SSL_CTX_set_ex_data(raw, kFingerprint, owned.release());
  } else if (!trust.ca_pem.empty()) {
    const auto all = certificates_of(trust.ca_pem);
    if (!all) return tl::unexpected(all.error());
    X509_STORE* const store = SSL_CTX_get_cert_store(raw);
    for (const X509Ptr& one : *all)
      X509_STORE_add_cert(store, one.get());
    // What the user named is trusted, whether or not it signed itself.
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  } else {
    trust_system(raw);
  }
  return TlsContext(std::move(*context));
}

}  // namespace beaconry
