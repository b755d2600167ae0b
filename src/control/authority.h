#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/signed_document.h"
#include "config/values.h"
#include "store/database.h"

namespace beaconry {

// Where the server keeps what. In its state folder, `control_plane.state_dir`:
//   ca.crt, ca.key          what edges and clients trust
//   server.crt, server.key  the chain (server, CA) and its key
//   server.names            names that init was told, a line each
//   fleet.key               signs what sensors shall be
//   beaconry.db             unless persistence.db_path says otherwise
struct StatePaths {
  std::string folder;
  bool is_there = false;
  std::string database;  // empty: in memory only, as nobody prepared a place

  std::string file(const char* name) const { return folder + '/' + name; }

  // The database is `persistence.db_path`; else in the state folder, if that is there and may be
  // written, or was named by the configuration; else it is in memory.
  static StatePaths of(const ConfigValues& values);
  Result<void> make() const;  // the folder, mode 0700, if it is missing
};

// Names of this server for its certificate and for the Host header: the machine's names and
// addresses, listen_address, control_plane.names and those that init was told.
std::vector<std::string> server_names(const ConfigValues& values);

struct Initialised {
  std::vector<std::string> words;  // what was made and what was there already, a line each
  std::string ca_fingerprint;      // SHA-256 of the CA certificate
  std::string admin_token;         // to be shown once; empty if there was a token already
  std::size_t users = 0;           // people who may log in
};
// `beaconry-control init`: makes CA, server certificate, database and admin token, each unless it
// is there. Run by root, what it makes belongs to the owner of the folder. `new_fleet_key`: in
// place of one that is lost.
Result<Initialised> initialise(const ConfigValues& values, const std::vector<std::string>& names,
                               Timestamp now, bool new_fleet_key = false);

// The key by which this server signs what its sensors shall be: each pins its public half when it
// joins. Made unless it is there; where sensors have joined already only if `anew`, as each of them
// must join again then.
Result<DocumentKey> fleet_key(const StatePaths& paths, Database& database, bool anew = false);

// The first person who may log in, an admin. Refused where there is one: admins make the others.
Result<void> make_first_user(const ConfigValues& values, const std::string& name,
                             const std::string& password, Timestamp now);

struct ServerCertificate {
  std::string chain_pem, key_pem;
  std::string ca_pem, ca_fingerprint;  // empty where the configuration names a certificate
  Timestamp expires{};
  bool renewed = false;
};
// The configuration's certificate, or the one in the state folder, made anew if less than 30 days
// of it are left. ErrorKind::not_found if there is none. To be asked at start and once a day.
Result<ServerCertificate> server_certificate(const ConfigValues& values, Timestamp now);

}  // namespace beaconry
