#pragma once
#include <string>

#include "base/result.h"
#include "http/client.h"

namespace beaconry {

// Who an edge is: a key pair of its own, made at first use, never sent anywhere. Its name is for
// people only.
struct EdgeIdentity {
  std::string fingerprint;  // SHA-256 of the public key (SPKI, DER), 64 hex digits
  std::string name;
  std::string certificate_pem;  // self-signed: the server knows keys, not signatures
  std::string key_pem;

  // From `folder`/edge.key and edge.crt (mode 0600), made if missing, both with the folder. `name`
  // is the one that is told; it may change.
  static Result<EdgeIdentity> open(const std::string& folder, const std::string& name);
};

// What `join` was given and what came of it; kept in the edge's folder as server.json and ca.crt.
struct JoinedServer {
  std::string url;     // https://host:port
  std::string ca_pem;  // what the server's certificate must be signed by
  std::string name;    // what the server calls this edge: of the join line
  // By which the server signs documents for sensors (config/signed_document.h), 64 hex digits;
  // empty: it was joined before servers told one.
  std::string fleet_key{};
};

// Redeems a one-time token: connects, holds the server's CA against the fingerprint of the join
// line, hands in the public key and keeps the CA. The join line is
//   beaconry-collector join https://server:9090 --token-file - --ca SHA256:hex   (token on stdin)
// or with BEACONRY_JOIN_TOKEN in the environment.
Result<JoinedServer> join_server(const EdgeIdentity& identity, const std::string& kind,
                                 const std::string& url, const std::string& ca_fingerprint,
                                 const std::string& token, const std::string& folder);
// What an earlier join left, or ErrorKind::not_found.
Result<JoinedServer> joined_server(const std::string& folder);

}  // namespace beaconry
