#include "uplink/edge_identity.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "http/certificates.h"
#include "spool/disk.h"
#include "uplink/answer.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostFile = 64 << 10;

tl::unexpected<Error> pass_on(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

// Whole or not at all, mode 0600.
Result<void> write_whole(const std::string& folder, const std::string& name,
                         std::string_view text) {
  const std::string path = folder + "/" + name, fresh = path + ".new";
  const auto file = open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return pass_on(file.error());
  auto done = write_at(*file, fresh, 0, text);
  if (done) done = sync_file(*file, fresh);
  if (!done) return done;
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("write", path);
  return sync_folder(folder);
}

std::string text_of(const nlohmann::json& json, const char* key) {
  const auto value = json.is_object() ? json.find(key) : json.end();
  return value != json.end() && value->is_string() ? value->get<std::string>() : std::string();
}

// "SHA256:AB:cd..." as 64 hex digits, or empty.
std::string plain_fingerprint(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  std::string hex = ascii_lower(text);
  if (hex.starts_with(kPrefix)) hex.erase(0, kPrefix.size());
  std::erase(hex, ':');
  return is_lower_hex(hex, 64) ? hex : std::string();
}

}  // namespace

Result<EdgeIdentity> EdgeIdentity::open(const std::string& folder, const std::string& name) {
  const auto made = make_folder(folder);
  if (!made) return pass_on(made.error());
  EdgeIdentity identity;
  identity.name = name;
  auto key = read_small_file(folder + "/edge.key", kMostFile);
  auto certificate = read_small_file(folder + "/edge.crt", kMostFile);
  for (const auto* file : {&key, &certificate}) {
    if (!*file && file->error().kind != ErrorKind::not_found) return pass_on(file->error());
  }
  if (key && certificate) {
    identity.key_pem = std::move(*key);
    identity.certificate_pem = std::move(*certificate);
  } else {
    if (key.has_value() != certificate.has_value()) {
      log_warning("uplink: " + folder + (key ? "/edge.crt" : "/edge.key") +
                  " is missing: making a new key; this edge must join its server again");
    }
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    auto fresh = make_self_signed(name, now);
    if (!fresh) return pass_on(fresh.error());
    identity.key_pem = std::move(fresh->key_pem);
    identity.certificate_pem = std::move(fresh->certificate_pem);
    auto written = write_whole(folder, "edge.key", identity.key_pem);
    if (written) written = write_whole(folder, "edge.crt", identity.certificate_pem);
    if (!written) return pass_on(written.error());
  }
  auto fingerprint = key_fingerprint(identity.certificate_pem);
  if (!fingerprint) {
    return fail(ErrorKind::malformed, "read", folder + "/edge.crt",
                fingerprint.error().message() + "; remove edge.key and edge.crt to make a new key");
  }
  identity.fingerprint = std::move(*fingerprint);
  return identity;
}

Result<JoinedServer> join_server(const EdgeIdentity& identity, const std::string& kind,
                                 const std::string& url, const std::string& ca_fingerprint,
                                 const std::string& token, const std::string& folder) {
  if (!url.starts_with("https://")) {
    return fail(ErrorKind::usage, "join", url,
                "write https://host:port; an edge joins by its key, which only TLS proves");
  }
  HttpClient::Options options;
  options.url = url;
  options.ca_fingerprint = plain_fingerprint(ca_fingerprint);
  options.certificate_pem = identity.certificate_pem;
  options.key_pem = identity.key_pem;
  options.most_body = kMostFile;
  if (options.ca_fingerprint.empty()) {
    return fail(ErrorKind::usage, "join", url,
                "the CA's fingerprint is SHA256: and 64 hex digits, as the join line has it");
  }
  if (token.empty()) return fail(ErrorKind::usage, "join", url, "the token is empty");
  const auto client = HttpClient::make(options);
  if (!client) return pass_on(client.error());

  HttpRequest request;
  request.method = "POST";
  request.target = "/api/v1/enroll";
  request.headers = {{"content-type", "application/json"}};
  request.body = nlohmann::json{{"token", token},
                                {"kind", kind},
                                {"name", identity.name},
                                {"certificate", identity.certificate_pem}}
                     .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto answer = (*client)->send(request);
  if (!answer) return pass_on(answer.error());
  if (answer->status == 401 || answer->status == 403) {
    return fail(ErrorKind::usage, "join", url,
                "the server refuses the token (" + words_of_answer(*answer) +
                    "); it works once and for a while: make a new join line on the server");
  }
  if (answer->status / 100 != 2) {
    return fail(ErrorKind::io, "join", url, words_of_answer(*answer));
  }
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  const auto edge = json.is_object() ? json.find("edge") : json.end();
  if (edge == json.end() || !edge->is_string() ||
      edge->get_ref<const std::string&>() != identity.fingerprint) {
    return fail(ErrorKind::malformed, "join", url,
                "the answer does not name this edge; is that a Beaconry server?");
  }
  const std::string name = text_of(json, "name"), fleet_key = text_of(json, "fleet_key");
  if (!fleet_key.empty() && plain_fingerprint(fleet_key).empty()) {
    return fail(ErrorKind::malformed, "join", url,
                "the answer's fleet_key is none of 64 hex digits; are both of one version?");
  }
  JoinedServer server{url, (*client)->server_ca_pem(), name.empty() ? identity.name : name,
                      plain_fingerprint(fleet_key)};
  auto kept = make_folder(folder);
  if (kept) kept = write_whole(folder, "ca.crt", server.ca_pem);
  if (kept) {
    kept = write_whole(
        folder, "server.json",
        nlohmann::json{{"url", url}, {"name", server.name}, {"fleet_key", server.fleet_key}}.dump(
            -1, ' ', false, nlohmann::json::error_handler_t::replace) +
            "\n");
  }
  if (!kept) return pass_on(kept.error());
  return server;
}

Result<JoinedServer> joined_server(const std::string& folder) {
  const std::string path = folder + "/server.json";
  const auto text = read_small_file(path, kMostFile);
  if (!text && text.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, "open", path,
                "this edge has not joined a server; make a join line there with enroll");
  }
  if (!text) return pass_on(text.error());
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const std::string url = text_of(json, "url");
  if (url.empty()) {
    return fail(ErrorKind::malformed, "read", path, "it has no url; join the server again");
  }
  auto ca = read_small_file(folder + "/ca.crt", kMostFile);
  if (!ca) return pass_on(ca.error());
  return JoinedServer{url, std::move(*ca), text_of(json, "name"), text_of(json, "fleet_key")};
}

}  // namespace beaconry
