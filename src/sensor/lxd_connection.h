#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "sensor/lxd_json.h"

namespace beaconry::lxd {

// Asks LXD (or Incus) over its socket. Any thread, several at a time: each request has a connection
// of its own. Errors hold only the cause, in LXD's words; by named() they get what was being done.
class Connection {
 public:
  // `socket`: empty: the first of known_sockets() that is listened on, looked for at each request.
  explicit Connection(std::string socket) : socket_(std::move(socket)) {}

  // The answer's "metadata".
  Result<Json> get(const std::string& target, std::chrono::seconds within) const;
  Result<Json> ask(const std::string& method, const std::string& target, const Json& body,
                   std::chrono::seconds within) const;
  // The same for what may be an operation, which is waited for: the operation's metadata. One that
  // is not over within its time goes on; the error says so.
  Result<Json> change(const std::string& method, const std::string& target, const Json& body,
                      std::chrono::seconds within) const;
  Result<Json> change(const HttpRequest& request, std::chrono::seconds within) const;
  // With a file for the body.
  Result<Json> upload(const HttpRequest& request, const std::string& file,
                      std::chrono::seconds within) const;
  // Starts an operation: its address, "/1.0/operations/UUID".
  Result<std::string> start(const std::string& method, const std::string& target, const Json& body,
                            std::chrono::seconds within) const;

  // An answer that is no JSON; one of an error status is an error.
  Result<HttpResponse> raw(const HttpRequest& request, std::chrono::seconds within) const;
  Result<HttpResponse> stream(const HttpRequest& request,
                              const std::function<bool(std::string_view)>& take,
                              std::chrono::seconds within) const;

  // Where it is listened on; an error says where was looked.
  Result<std::string> socket() const;

 private:
  using Take = std::function<bool(std::string_view)>;
  Result<HttpResponse> talk(const HttpRequest& request, const Take& take, const std::string& file,
                            std::chrono::seconds within) const;
  Result<Json> answer(const HttpRequest& request, const std::string& file,
                      std::chrono::seconds within) const;

  const std::string socket_;
};

// $LXD_DIR's, Debian's, the snap's, Incus's.
std::vector<std::string> known_sockets();
bool is_listened_on(const std::string& socket);

HttpRequest make_request(std::string method, std::string target, const Json* body = nullptr);

// Says what was being done when the error came.
template <class T>
Result<T> named(Result<T> result, std::string operation, std::string subject) {
  if (!result) {
    result.error().operation = std::move(operation);
    result.error().subject = std::move(subject);
  }
  return result;
}

}  // namespace beaconry::lxd
