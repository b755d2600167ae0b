#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace CLI {
class App;
}

namespace beaconry {

class HttpClient;
struct HttpRequest;
struct HttpResponse;

// Where the server is and how to come in: --host, --port, --token-file and the TLS options, before
// or after the subcommand. BEACONRY_HOST and BEACONRY_TOKEN stand in for what is not given. Where
// nothing at all is given, the server's local socket is taken if it may be opened.
struct ServerOptions {
  std::string host;  // name, address, URL or unix:/path; empty: as above, else localhost
  std::optional<std::uint16_t> port;
  std::string token_file;
  bool tls = false;
  std::string ca_file, ca_fingerprint;
  bool insecure = false;

  // Adds the options to a subcommand, and once to the program itself.
  static std::shared_ptr<ServerOptions> add_to(CLI::App& app);
  // "https://127.0.0.1:9090", or what is wrong with the options.
  Result<std::string> url() const;
};

using Query = std::vector<std::pair<std::string, std::string>>;

// The server as the command line sees it. Any status but 2xx is an error in the server's words.
class Server {
 public:
  static Result<Server> connect(const ServerOptions& options);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

  Result<std::string> get(const std::string& path, const Query& query = {});
  Result<std::string> post(const std::string& path, const std::string& json);
  Result<std::string> put(const std::string& path, const std::string& json);
  Result<std::string> patch(const std::string& path, const std::string& json);
  Result<std::string> remove(const std::string& path);
  // Bytes of a file, or a piece of one.
  Result<std::string> put_bytes(const std::string& path, const Query& query, std::string bytes);
  // With the token added. Here any status is an answer.
  Result<HttpResponse> send(HttpRequest request);
  // Server-sent events until `take` returns false; it is called with "" every second.
  Result<void> events(const std::string& path, const std::function<bool(std::string_view)>& take);

  const std::string& shown_host() const { return shown_host_; }  // "localhost:9090"

 private:
  Server(std::unique_ptr<HttpClient> client, std::string token, std::string shown_host);
  Result<std::string> ask(const std::string& method, const std::string& path, std::string body,
                          const char* type = "application/json");

  std::unique_ptr<HttpClient> client_;
  std::string token_, shown_host_;
};

// Connects, does `work` and says on standard error what failed. Returns the exit status.
int with_server(const ServerOptions& options, const std::function<Result<void>(Server&)>& work);

}  // namespace beaconry
