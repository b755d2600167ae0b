#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/values.h"

namespace beaconry {

// The server's state folder: its CA, certificate and database.
//   ca.crt, ca.key        what edges and clients trust
//   server.crt, server.key   chain: server, CA
//   beaconry.db, journal/, alerts/
struct StatePaths {
  std::string folder;
  std::string file(const char* name) const { return folder + '/' + name; }
  std::string database;  // empty: in memory only
  bool ready = false;    // the folder is there

  // `persistence.db_path`, else beaconry.db in the state folder if that is there, else memory.
  static StatePaths of(const ConfigValues& values);
};

// `beaconry-control init`. Makes what is not there yet and says what was: doing it twice changes
// nothing.
struct Initialised {
  std::vector<std::string> words;  // what was made, what was there: a line each
  std::string ca_fingerprint;      // SHA-256 of the CA certificate
  std::string admin_token;         // to be shown once; empty if there was a token already
};
Result<Initialised> initialise(const ConfigValues& values, const std::vector<std::string>& names,
                               Timestamp now);

// The server's certificate as it is, or made anew if less than 30 days of it are left.
struct ServerCertificate {
  std::string chain_pem, key_pem, ca_pem;
  std::string ca_fingerprint;
  bool renewed = false;
};
// ErrorKind::not_found if there is none: nobody ran init and the configuration names none.
Result<ServerCertificate> server_certificate(const ConfigValues& values, Timestamp now);

// Names of this machine and of the configuration: for the certificate and for Host.
std::vector<std::string> server_names(const ConfigValues& values);

}  // namespace beaconry
