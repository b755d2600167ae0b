#include "control/authority.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/ip_address.h"
#include "base/text.h"
#include "control/tokens.h"
#include "control/users.h"
#include "fleet/fleet_store.h"
#include "http/certificates.h"
#include "store/database.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestPem = std::size_t{1} << 20;
constexpr std::size_t kLongestNames = 64 * 1024;
constexpr std::size_t kMostAddresses = 32;
constexpr auto kRenewBefore = std::chrono::hours{24 * 30};

template <class T>
tl::unexpected<Error> moved(Result<T>& failed) {
  return tl::unexpected<Error>(std::move(failed.error()));
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

void add_name(std::vector<std::string>& names, std::string name) {
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
  names.push_back(std::move(name));
}

void add_addresses(std::vector<std::string>& names) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return;
  std::size_t added = 0;
  for (const ifaddrs* each = all; each != nullptr && added < kMostAddresses;
       each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    IpAddress address;
    if (each->ifa_addr->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
      address = IpAddress::v4(ntohl(v4->sin_addr.s_addr));
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(each->ifa_addr);
      address = IpAddress::v6_bytes(v6->sin6_addr.s6_addr);
    } else {
      continue;
    }
    if (address.is_loopback() || address.is_link_local()) continue;
    add_name(names, address.to_string());
    ++added;
  }
  ::freeifaddrs(all);
}

Result<void> make_authority(const StatePaths& paths, Timestamp now,
                            std::vector<std::string>& words) {
  if (exists(paths.file("ca.crt")) && exists(paths.file("ca.key"))) {
    words.push_back("CA: there already, " + paths.file("ca.crt"));
    return {};
  }
  auto made = make_ca("Beaconry CA", now);
  if (!made) return moved(made);
  // The key first: a certificate without its key would be of no use and be taken for whole.
  if (auto done = replace_file(paths.file("ca.key"), made->key_pem); !done) return done;
  if (auto done = replace_file(paths.file("ca.crt"), made->certificate_pem); !done) return done;
  words.push_back("CA: made, " + paths.file("ca.crt"));
  return {};
}

Result<CertificateAndKey> read_pair(const std::string& certificate, const std::string& key) {
  auto certificate_pem = read_small_file(certificate, kLongestPem);
  if (!certificate_pem) return moved(certificate_pem);
  auto key_pem = read_small_file(key, kLongestPem);
  if (!key_pem) return moved(key_pem);
  return CertificateAndKey{std::move(*certificate_pem), std::move(*key_pem)};
}

Result<void> make_certificate(const StatePaths& paths, const std::vector<std::string>& names,
                              Timestamp now) {
  const auto ca = read_pair(paths.file("ca.crt"), paths.file("ca.key"));
  if (!ca) return tl::unexpected<Error>(ca.error());
  auto made = make_server_certificate(*ca, names, now);
  if (!made) return moved(made);
  if (auto done = replace_file(paths.file("server.key"), made->key_pem); !done) return done;
  return replace_file(paths.file("server.crt"), made->certificate_pem + ca->certificate_pem);
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

// What root made in the folder of another user is that user's, who will run the server.
void give_to_owner(const std::string& folder) {
  struct stat status {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &status) != 0 || status.st_uid == 0) return;
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(folder, ignored)) {
    [[maybe_unused]] const int done = ::lchown(file.path().c_str(), status.st_uid, status.st_gid);
  }
}

std::vector<std::string> told_names(const std::string& path) {
  std::vector<std::string> names;
  const auto text = read_small_file(path, kLongestNames);
  if (!text) return names;  // nobody told any
  for (const auto line : split(*text, '\n'))
    add_name(names, std::string(trim(line)));
  return names;
}

}  // namespace

StatePaths StatePaths::of(const ConfigValues& values) {
  StatePaths paths;
  paths.folder = *values.text("control_plane.state_dir");
  while (paths.folder.size() > 1 && paths.folder.ends_with('/'))
    paths.folder.pop_back();
  struct stat status {};
  paths.is_there = ::stat(paths.folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  const bool named = values.origin("control_plane.state_dir").from != Origin::From::fallback;
  const bool usable = paths.is_there && ::access(paths.folder.c_str(), W_OK | X_OK) == 0;
  if (const auto path = values.text("persistence.db_path")) {
    paths.database = *path;
  } else if (named || usable) {
    paths.database = paths.file("beaconry.db");
  }
  return paths;
}

Result<void> StatePaths::make() const {
  std::error_code failed;
  const bool made = std::filesystem::create_directories(folder, failed);
  if (failed) {
    return fail(ErrorKind::io, "make", folder,
                failed.message() + "; name another folder by control_plane.state_dir");
  }
  if (made && ::chmod(folder.c_str(), 0700) != 0) return fail_errno("make", folder);
  return {};
}

std::vector<std::string> server_names(const ConfigValues& values) {
  std::vector<std::string> names;
  if (const auto* configured = values.texts("control_plane.names")) {
    for (const ConfigText& name : *configured)
      add_name(names, ascii_lower(name.text));
  }
  for (std::string& name : told_names(StatePaths::of(values).file("server.names")))
    add_name(names, ascii_lower(name));
  // The first one goes into the lines that edges join by. A machine's bare name is seldom known to
  // others; its addresses are.
  const auto listening = IpAddress::parse(*values.text("control_plane.listen_address"));
  if (listening && !listening->is_unspecified()) add_name(names, listening->to_string());
  char host[256] = {};
  const bool has_name = ::gethostname(host, sizeof host - 1) == 0;
  const std::string name = ascii_lower(host);
  if (has_name && name.find('.') != std::string::npos) add_name(names, name);
  add_addresses(names);
  if (has_name) {
    add_name(names, name);
    add_name(names, name.substr(0, name.find('.')));
  }
  for (const char* own : {"localhost", "127.0.0.1", "::1"})
    add_name(names, own);
  return names;
}

Result<DocumentKey> fleet_key(const StatePaths& paths, Database& database, bool anew) {
  const std::string path = paths.file("fleet.key");
  if (exists(path)) {
    auto text = read_small_file(path, kLongestPem);
    if (!text) return moved(text);
    auto key = DocumentKey::parse(*text);
    if (!key) key.error().subject = path;
    return key;
  }
  const auto trusted = FleetStore::has_sensors(database);
  if (!trusted) return tl::unexpected<Error>(trusted.error());
  if (*trusted && !anew) {
    return fail(ErrorKind::not_found, "read", path,
                "it is missing, and the sensors of this server trust nothing that another key "
                "signs: bring it back from a copy of the state folder; if there is none, run "
                "'beaconry-control init --new-fleet-key' and join every sensor again");
  }
  DocumentKey key = DocumentKey::make();
  if (auto kept = replace_file(path, key.secret_text()); !kept) return moved(kept);
  give_to_owner(paths.folder);
  return key;
}

Result<Initialised> initialise(const ConfigValues& values, const std::vector<std::string>& names,
                               Timestamp now, bool new_fleet_key) {
  Initialised done;
  StatePaths paths = StatePaths::of(values);
  if (auto made = paths.make(); !made) return moved(made);
  done.words.push_back(std::string("state folder: ") +
                       (paths.is_there ? "there already, " : "made, ") + paths.folder);
  paths = StatePaths::of(values);
  if (auto made = make_authority(paths, now, done.words); !made) return moved(made);
  std::vector<std::string> told = told_names(paths.file("server.names"));
  const std::size_t known = told.size();
  for (const std::string& name : names)
    add_name(told, ascii_lower(name));
  const bool more_names = told.size() > known;
  if (more_names) {
    if (auto kept = replace_file(paths.file("server.names"), joined(told, "\n") + '\n'); !kept) {
      return moved(kept);
    }
  }
  const bool has_certificate = exists(paths.file("server.crt")) && exists(paths.file("server.key"));
  if (!has_certificate || more_names) {
    if (auto made = make_certificate(paths, server_names(values), now); !made) return moved(made);
    done.words.push_back("server certificate: made for " + joined(server_names(values), ", "));
  } else {
    done.words.push_back("server certificate: there already, " + paths.file("server.crt"));
  }
  const auto ca = read_small_file(paths.file("ca.crt"), kLongestPem);
  if (!ca) return tl::unexpected<Error>(ca.error());
  auto fingerprint = certificate_fingerprint(*ca);
  if (!fingerprint) return moved(fingerprint);
  done.ca_fingerprint = std::move(*fingerprint);

  const bool has_database = exists(paths.database);
  auto database = Database::open(paths.database);
  if (!database) return moved(database);
  const bool has_fleet_key = exists(paths.file("fleet.key"));
  if (const auto key = fleet_key(paths, **database, new_fleet_key); !key)
    return tl::unexpected<Error>(key.error());
  done.words.push_back(std::string("fleet key: ") + (has_fleet_key ? "there already, " : "made, ") +
                       paths.file("fleet.key"));
  auto tokens = Tokens::open(**database);
  if (!tokens) return moved(tokens);
  done.words.push_back(std::string("database: ") + (has_database ? "there already, " : "made, ") +
                       paths.database);
  if ((*tokens)->list().empty()) {
    auto token = (*tokens)->create("admin", Role::admin, std::nullopt, "init", now);
    if (!token) return moved(token);
    done.admin_token = std::move(*token);
    done.words.push_back("token 'admin': made; keep it, it is not shown again");
  } else {
    done.words.push_back("tokens: there already, " + std::to_string((*tokens)->list().size()));
  }
  auto users = Users::open(**database);
  if (!users) return moved(users);
  done.users = (*users)->list().size();
  give_to_owner(paths.folder);
  return done;
}

Result<void> make_first_user(const ConfigValues& values, const std::string& name,
                             const std::string& password, Timestamp now) {
  const StatePaths paths = StatePaths::of(values);
  auto database = Database::open(paths.database);
  if (!database) return moved(database);
  auto users = Users::open(**database);
  if (!users) return moved(users);
  if ((*users)->any()) {
    return fail(ErrorKind::usage, "make", "the first user",
                "there are users already; an admin makes others: beaconry users add");
  }
  auto made = (*users)->create(name, Role::admin, password, "init", now);
  give_to_owner(paths.folder);
  return made;
}

Result<ServerCertificate> server_certificate(const ConfigValues& values, Timestamp now) {
  ServerCertificate server;
  const auto named = values.text("control_plane.tls.certificate");
  const auto named_key = values.text("control_plane.tls.key");
  if (named.has_value() != named_key.has_value()) {
    return fail(ErrorKind::usage, "use", "control_plane.tls",
                "a certificate and its key are needed, only one is named");
  }
  const StatePaths paths = StatePaths::of(values);
  if (!named && !exists(paths.file("server.crt"))) {
    return fail(ErrorKind::not_found, "use", "TLS",
                "there is no certificate; run 'beaconry-control init'");
  }
  const std::string certificate = named.value_or(paths.file("server.crt"));
  const std::string key = named_key.value_or(paths.file("server.key"));
  auto pair = read_pair(certificate, key);
  if (!pair) return moved(pair);
  auto end = expires(pair->certificate_pem);
  if (!end) return moved(end);
  if (!named && *end - now < kRenewBefore && exists(paths.file("ca.key"))) {
    if (auto made = make_certificate(paths, server_names(values), now); !made) return moved(made);
    pair = read_pair(certificate, key);
    if (!pair) return moved(pair);
    end = expires(pair->certificate_pem);
    if (!end) return moved(end);
    server.renewed = true;
  }
  server.chain_pem = std::move(pair->certificate_pem);
  server.key_pem = std::move(pair->key_pem);
  server.expires = *end;
  if (named) return server;
  auto ca = read_small_file(paths.file("ca.crt"), kLongestPem);
  if (!ca) return moved(ca);
  auto fingerprint = certificate_fingerprint(*ca);
  if (!fingerprint) return moved(fingerprint);
  server.ca_pem = std::move(*ca);
  server.ca_fingerprint = std::move(*fingerprint);
  return server;
}

}  // namespace beaconry
