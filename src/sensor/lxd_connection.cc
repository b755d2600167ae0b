#include "sensor/lxd_connection.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/fd.h"
#include "base/text.h"
#include "http/client.h"

namespace beaconry::lxd {
namespace {

using std::chrono::seconds;

constexpr std::size_t kMostAnswer = 32 << 20;
constexpr std::size_t kMostWords = 2'000;
// LXD forgets what an instance is busy with after 30 s, such as a stop that nobody ends any more.
constexpr seconds kBusy{35};
constexpr std::chrono::milliseconds kBetweenTries{50};

tl::unexpected<Error> because(ErrorKind kind, std::string cause) {
  return fail(kind, "", "", std::move(cause));
}

ErrorKind kind_of(int status) {
  if (status == 404) return ErrorKind::not_found;
  return status == 400 ? ErrorKind::usage : ErrorKind::io;
}

std::string words(const std::string& said) {
  return terminal_safe(trim(std::string_view(said).substr(0, kMostWords)));
}

tl::unexpected<Error> refusal(const HttpResponse& response) {
  const Json answer = Json::parse(response.body, nullptr, false);
  std::string said = words(text_at(answer, "error"));
  if (said.empty()) said = "it answers with status " + std::to_string(response.status);
  if (response.status == 403)
    said += "; may this user use LXD's socket (root, or a member of its group)?";
  return because(kind_of(response.status), said);
}

Result<Json> parsed(const std::string& body) {
  Json answer = Json::parse(body, nullptr, false);
  if (!answer.is_object())
    return because(ErrorKind::malformed, "the answer is no JSON; is that LXD's socket?");
  return answer;
}

}  // namespace

std::vector<std::string> known_sockets() {
  std::vector<std::string> sockets;
  for (const char* name : {"LXD_DIR", "INCUS_DIR"}) {
    const char* const folder = std::getenv(name);
    if (folder != nullptr && *folder != '\0')
      sockets.push_back(folder + std::string("/unix.socket"));
  }
  sockets.insert(sockets.end(), {"/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket",
                                 "/var/lib/incus/unix.socket"});
  return sockets;
}

bool is_listened_on(const std::string& socket) {
  sockaddr_un address{};
  if (socket.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;  // its queue is full
}

HttpRequest make_request(std::string method, std::string target, const Json* body) {
  HttpRequest request;
  request.method = std::move(method);
  request.target = std::move(target);
  if (body != nullptr) {
    request.headers.emplace_back("content-type", "application/json");
    request.body = body->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return request;
}

Result<std::string> Connection::socket() const {
  std::string tried;
  for (const std::string& path :
       socket_.empty() ? known_sockets() : std::vector<std::string>{socket_}) {
    if (is_listened_on(path)) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  return because(ErrorKind::limit, "LXD does not answer at " + tried +
                                       "; `beaconry sensor setup` says what is missing");
}

Result<HttpResponse> Connection::talk(const HttpRequest& request, const Take& take,
                                      const std::string& file, seconds within) const {
  auto path = socket();
  if (!path) return tl::unexpected(path.error());
  HttpClient::Options options;
  options.url = "unix:" + *path;
  options.use_proxy = false;
  options.timeout = within;
  options.most_body = kMostAnswer;
  auto client = HttpClient::make(options);
  if (!client) return because(client.error().kind, client.error().message());
  auto response = take           ? (*client)->stream(request, take)
                  : file.empty() ? (*client)->send(request)
                                 : (*client)->send_file(request, file);
  if (!response) return because(ErrorKind::limit, response.error().message());
  if (response->status >= 400) return refusal(*response);
  return response;
}

Result<HttpResponse> Connection::raw(const HttpRequest& request, seconds within) const {
  return talk(request, {}, {}, within);
}

Result<HttpResponse> Connection::stream(const HttpRequest& request, const Take& take,
                                        seconds within) const {
  return talk(request, take, {}, within);
}

Result<Json> Connection::answer(const HttpRequest& request, const std::string& file,
                                seconds within) const {
  auto response = talk(request, {}, file, within);
  if (!response) return tl::unexpected(response.error());
  return parsed(response->body);
}

Result<Json> Connection::get(const std::string& target, seconds within) const {
  auto got = answer(make_request("GET", target), {}, within);
  if (!got) return got;
  return object_at(*got, "metadata");
}

Result<Json> Connection::ask(const std::string& method, const std::string& target, const Json& body,
                             seconds within) const {
  auto got = answer(make_request(method, target, &body), {}, within);
  if (!got) return got;
  return object_at(*got, "metadata");
}

Result<std::string> Connection::start(const std::string& method, const std::string& target,
                                      const Json& body, seconds within) const {
  auto got = answer(make_request(method, target, &body), {}, within);
  if (!got) return tl::unexpected(got.error());
  std::string operation = text_at(*got, "operation");
  if (!operation.starts_with("/1.0/operations/"))
    return because(ErrorKind::malformed, "the answer names no operation");
  return operation;
}

Result<Json> Connection::change(const std::string& method, const std::string& target,
                                const Json& body, seconds within) const {
  return change(make_request(method, target, &body), within);
}

// An instance that ends by itself is busy with that for a moment.
Result<Json> Connection::change(const HttpRequest& request, seconds within) const {
  const auto until = std::chrono::steady_clock::now() + kBusy;
  while (true) {
    auto done = upload(request, {}, within);
    if (done || done.error().cause.find("nstance is busy") == std::string::npos) return done;
    done.error().kind = ErrorKind::limit;
    if (std::chrono::steady_clock::now() >= until) return done;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Result<Json> Connection::upload(const HttpRequest& request, const std::string& file,
                                seconds within) const {
  auto got = answer(request, file, within);
  if (!got) return got;
  const std::string operation = text_at(*got, "operation");
  if (!operation.starts_with("/1.0/operations/")) return object_at(*got, "metadata");
  // LXD answers at the end of its own waiting; the client waits a little longer.
  auto done =
      get(operation + "/wait?timeout=" + std::to_string(within.count()), within + seconds{5});
  if (!done && done.error().kind == ErrorKind::not_found)  // operations live as long as their LXD
    return because(ErrorKind::limit, "LXD was started anew meanwhile");
  if (!done) return done;
  const std::uint64_t code = number_at(*done, "status_code");
  if (code == 200) return object_at(*done, "metadata");
  if (code >= 400) {
    std::string said = words(text_at(*done, "err"));
    return because(kind_of(static_cast<int>(code)), said.empty() ? text_at(*done, "status") : said);
  }
  return because(ErrorKind::limit, "LXD is still at it after " + std::to_string(within.count()) +
                                       " s; is the machine overloaded?");
}

}  // namespace beaconry::lxd
