#include "server/access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/ip_address.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "http/client.h"
#include "http/target.h"
#include "subcommand.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kDefaultPort = 9090;
constexpr std::size_t kLongestToken = 4096, kLongestCa = 1 << 20;

// Where a server that was made by `beaconry-control init` lets its own user and root in.
constexpr const char* kLocalSocket = "/var/lib/beaconry/control.sock";

bool is_open_to_us(const char* socket) {
  struct stat status {};
  return ::stat(socket, &status) == 0 && S_ISSOCK(status.st_mode) && ::access(socket, W_OK) == 0;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void define(CLI::App& app, ServerOptions& options) {
  constexpr const char* kGroup = "Server";
  app.add_option("--host", options.host,
                 "Where the server is: name, address, https://host:port or unix:/path "
                 "[BEACONRY_HOST, else localhost; without a token and where it may be opened, as "
                 "root may, this machine's unix:/var/lib/beaconry/control.sock]")
      ->group(kGroup);
  app.add_option("--port", options.port, "Its port [9090]")
      ->check(CLI::Range(1, 65'535))
      ->group(kGroup);
  app.add_option("--token-file", options.token_file,
                 "File with the token to come in with [BEACONRY_TOKEN]; - reads standard input")
      ->group(kGroup);
  app.add_flag("--tls", options.tls, "Speak TLS; implied by the next three and by https://")
      ->group(kGroup);
  app.add_option("--ca", options.ca_file, "Certificate (PEM) that the server's must be signed by")
      ->group(kGroup);
  app.add_option("--ca-fingerprint", options.ca_fingerprint,
                 "SHA-256 of that certificate, as `beaconry-control init` printed it")
      ->group(kGroup);
  app.add_flag("--insecure", options.insecure, "Do not check the server's certificate")
      ->group(kGroup);
}

// What the program itself was given before the subcommand's name.
ServerOptions& options_of_program() {
  static ServerOptions options;
  return options;
}

ServerOptions merged(const ServerOptions& own) {
  ServerOptions all = options_of_program();
  if (!own.host.empty()) all.host = own.host;
  if (own.port) all.port = own.port;
  if (!own.token_file.empty()) all.token_file = own.token_file;
  all.tls |= own.tls;
  if (!own.ca_file.empty()) all.ca_file = own.ca_file;
  if (!own.ca_fingerprint.empty()) all.ca_fingerprint = own.ca_fingerprint;
  all.insecure |= own.insecure;
  if (all.host.empty()) all.host = variable("BEACONRY_HOST");
  if (!all.host.empty()) return all;
  // Whoever says nothing of the way means the server of this machine.
  const bool says_nothing = !all.port && !all.tls && !all.insecure && all.ca_file.empty() &&
                            all.ca_fingerprint.empty() && all.token_file.empty() &&
                            variable("BEACONRY_TOKEN").empty();
  all.host = says_nothing && is_open_to_us(kLocalSocket) ? std::string("unix:") + kLocalSocket
                                                         : std::string("localhost");
  return all;
}

Result<std::string> url_of(const ServerOptions& o) {
  const auto refuse = [&](const char* cause) {
    return fail(ErrorKind::usage, "read", "--host " + terminal_safe(o.host), cause);
  };
  if (o.host.compare(0, 5, "unix:") == 0) return o.host;
  std::string scheme =
      o.tls || !o.ca_file.empty() || !o.ca_fingerprint.empty() || o.insecure ? "https" : "http";
  std::string host = o.host;
  if (const std::size_t end = host.find("://"); end != std::string::npos) {
    scheme = host.substr(0, end);
    host.erase(0, end + 3);
    if (scheme != "http" && scheme != "https") return refuse("write http:// or https://");
  }
  while (!host.empty() && host.back() == '/')
    host.pop_back();
  std::uint16_t port = o.port.value_or(kDefaultPort);
  std::string name = host;
  if (!host.empty() && host.front() == '[') {
    const std::size_t end = host.find(']');
    if (end == std::string::npos) return refuse("'[' without ']'");
    name = host.substr(1, end - 1);
    host.erase(0, end + 1);
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    name = host.substr(0, host.find(':'));
    host.erase(0, name.size());
  } else {
    host.clear();  // no port in it; several colons are an IPv6 address
  }
  if (!host.empty()) {
    const auto given = parse_unsigned(std::string_view(host).substr(1));
    if (host.front() != ':' || !given || *given == 0 || *given > 65'535) {
      return refuse("the port is no port");
    }
    if (!o.port) port = static_cast<std::uint16_t>(*given);
  }
  if (name.empty() || name.find_first_of("/?#@ ") != std::string::npos) {
    return refuse("write a name, an address or https://host:port");
  }
  if (name.find(':') != std::string::npos) {
    if (!IpAddress::parse(name)) return refuse("it is no address");
    name = '[' + name + ']';
  }
  return scheme + "://" + name + ':' + std::to_string(port);
}

Result<std::string> read_token(const ServerOptions& options) {
  if (options.token_file.empty()) return variable("BEACONRY_TOKEN");
  auto text = read_small_file(options.token_file, kLongestToken);
  if (!text) return text;
  struct stat status {};
  if (options.token_file != "-" && ::stat(options.token_file.c_str(), &status) == 0 &&
      (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    std::fprintf(stderr, "beaconry: others can read %s; chmod 600 it\n",
                 terminal_safe(options.token_file).c_str());
  }
  return std::string(trim(*text));
}

// What the server says of its refusal, and what to do about it.
Error refusal(int status, const std::string& body, const std::string& where) {
  std::string words;
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_object()) {
    const auto found = json.find("error");
    if (found != json.end() && found->is_string()) words = terminal_safe(found->get<std::string>());
  }
  if (words.empty()) words = "it answered " + std::to_string(status);
  if (status == 401) words += "; set BEACONRY_TOKEN or --token-file";
  return {ErrorKind::io, "ask", where, std::move(words)};
}

}  // namespace

std::shared_ptr<ServerOptions> ServerOptions::add_to(CLI::App& app) {
  CLI::App* root = &app;
  while (root->get_parent() != nullptr)
    root = root->get_parent();
  if (root->get_option_no_throw("--host") == nullptr) define(*root, options_of_program());
  auto options = std::make_shared<ServerOptions>();
  define(app, *options);
  return options;
}

Result<std::string> ServerOptions::url() const {
  return url_of(merged(*this));
}

Server::Server(std::unique_ptr<HttpClient> client, std::string token, std::string shown_host)
    : client_(std::move(client)), token_(std::move(token)), shown_host_(std::move(shown_host)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::connect(const ServerOptions& own) {
  const ServerOptions options = merged(own);
  auto url = url_of(options);
  if (!url) return tl::unexpected<Error>(std::move(url.error()));
  auto token = read_token(options);
  if (!token) return tl::unexpected<Error>(std::move(token.error()));
  HttpClient::Options client_options;
  client_options.url = *url;
  client_options.check_certificate = !options.insecure;
  std::string fingerprint = options.ca_fingerprint;
  if (fingerprint.compare(0, 7, "SHA256:") == 0) fingerprint.erase(0, 7);
  client_options.ca_fingerprint = ascii_lower(fingerprint);
  if (!options.ca_file.empty()) {
    auto pem = read_small_file(options.ca_file, kLongestCa);
    if (!pem) return tl::unexpected<Error>(std::move(pem.error()));
    client_options.ca_pem = std::move(*pem);
  }
  auto client = HttpClient::make(client_options);
  if (!client) return tl::unexpected<Error>(std::move(client.error()));
  const std::size_t scheme = url->find("://");
  std::string shown = scheme == std::string::npos ? *url : url->substr(scheme + 3);
  return Server(std::move(*client), std::move(*token), std::move(shown));
}

namespace {

HttpRequest request_of(const std::string& method, const std::string& path,
                       const std::string& token) {
  HttpRequest request;
  request.method = method;
  request.target = path;
  request.headers = {{"user-agent", "beaconry/" BEACONRY_VERSION}};
  if (!token.empty()) request.headers.emplace_back("authorization", "Bearer " + token);
  return request;
}

std::string target_of(const std::string& path, const Query& query) {
  std::string target = path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += separator + name + '=' + percent_encoded(value);
    separator = '&';
  }
  return target;
}

bool is_success(int status) {
  return status >= 200 && status < 300;
}

}  // namespace

Result<HttpResponse> Server::send(HttpRequest request) {
  if (!token_.empty()) request.headers.emplace_back("authorization", "Bearer " + token_);
  return client_->send(request);
}

Result<std::string> Server::ask(const std::string& method, const std::string& path,
                                std::string body, const char* type) {
  HttpRequest request = request_of(method, path, token_);
  if (!body.empty()) request.headers.emplace_back("content-type", type);
  request.body = std::move(body);
  auto answer = client_->send(request);
  if (!answer) return tl::unexpected<Error>(std::move(answer.error()));
  if (!is_success(answer->status)) {
    return tl::unexpected<Error>(refusal(answer->status, answer->body, shown_host_));
  }
  return std::move(answer->body);
}

Result<std::string> Server::get(const std::string& path, const Query& query) {
  return ask("GET", target_of(path, query), {});
}

Result<std::string> Server::post(const std::string& path, const std::string& json) {
  return ask("POST", path, json.empty() ? "{}" : json);
}

Result<std::string> Server::put(const std::string& path, const std::string& json) {
  return ask("PUT", path, json);
}

Result<std::string> Server::patch(const std::string& path, const std::string& json) {
  return ask("PATCH", path, json);
}

Result<std::string> Server::remove(const std::string& path) {
  return ask("DELETE", path, {});
}

Result<std::string> Server::put_bytes(const std::string& path, const Query& query,
                                      std::string bytes) {
  return ask("PUT", target_of(path, query), std::move(bytes), "application/octet-stream");
}

Result<void> Server::events(const std::string& path,
                            const std::function<bool(std::string_view)>& take) {
  const auto answer = client_->stream(request_of("GET", path, token_), take);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (!is_success(answer->status)) {
    return tl::unexpected<Error>(refusal(answer->status, answer->body, shown_host_));
  }
  return {};
}

int with_server(const ServerOptions& options, const std::function<Result<void>(Server&)>& work) {
  auto server = Server::connect(options);
  Result<void> done;
  if (server) {
    done = work(*server);
  } else {
    done = tl::unexpected<Error>(std::move(server.error()));
  }
  if (done) return kExitDone;
  std::fprintf(stderr, "beaconry: %s\n", done.error().message().c_str());
  return done.error().kind == ErrorKind::usage ? kExitUsage : kExitFound;
}

}  // namespace beaconry
