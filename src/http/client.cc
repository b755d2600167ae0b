#include "http/client.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/fd.h"
#include "base/text.h"
#include "http/endpoint.h"
#include "http/parser.h"
#include "http/proxy.h"
#include "http/stream.h"
#include "http/target.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kMostHead = 64 << 10;
constexpr std::size_t kReadAtOnce = 64 << 10;
constexpr std::size_t kMergedBody = 16 << 10;
constexpr std::chrono::milliseconds kBetweenQuestions{200};
constexpr std::chrono::seconds kQuiet{1};  // after which stream() lets its caller speak

std::string environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

bool is_token(std::string_view text) {  // RFC 9110 §5.6.2
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
  });
}

// A request's body that lies in a file. What the file gains meanwhile is left out.
class FileBody {
 public:
  static Result<FileBody> open(const std::string& path) {
    auto fd = Fd::open_for_reading(path);
    if (!fd) return tl::unexpected(fd.error());
    struct stat about {};
    if (::fstat(fd->get(), &about) != 0) return fail_errno("read", path);
    if (!S_ISREG(about.st_mode)) return fail(ErrorKind::usage, "read", path, "it is no file");
    return FileBody(std::move(*fd), path, static_cast<std::uint64_t>(about.st_size));
  }
  std::uint64_t size() const { return size_; }
  // Bytes from `at` on; never none.
  Result<std::size_t> read(std::uint64_t at, std::string& into) const {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - at));
    const ssize_t count = ::pread(fd_.get(), into.data(), most, static_cast<off_t>(at));
    if (count < 0) return fail_errno("read", path_);
    if (count == 0) return fail(ErrorKind::io, "read", path_, "it has become shorter meanwhile");
    return static_cast<std::size_t>(count);
  }

 private:
  FileBody(Fd fd, std::string path, std::uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}
  Fd fd_;
  std::string path_;
  std::uint64_t size_;
};

class Client final : public HttpClient {
 public:
  Client(Options options, Url url, std::optional<Proxy> proxy, std::optional<TlsContext> tls)
      : options_(std::move(options)),
        url_(std::move(url)),
        proxy_(std::move(proxy)),
        tls_(std::move(tls)),
        scratch_(kReadAtOnce, '\0') {
    std::erase(options_.ca_fingerprint, ':');
    options_.ca_fingerprint = ascii_lower(options_.ca_fingerprint);
  }

  Result<HttpResponse> send(const HttpRequest& request) override {
    return exchange(request, nullptr, nullptr);
  }
  Result<HttpResponse> send_file(const HttpRequest& request, const std::string& file) override {
    auto source = FileBody::open(file);
    if (!source) return tl::unexpected(source.error());
    return exchange(request, nullptr, &*source);
  }
  Result<HttpResponse> stream(const HttpRequest& request,
                              const std::function<bool(std::string_view)>& take) override {
    return exchange(request, &take, nullptr);
  }
  std::string server_ca_pem() const override { return ca_pem_; }
  std::optional<Ends> ends() const override { return ends_; }

 private:
  using Take = std::function<bool(std::string_view)>;

  enum class Ready { yes, late, failed };

  std::string where() const {
    return url_.unix_path.empty() ? to_string(url_.at) : "unix:" + url_.unix_path;
  }
  tl::unexpected<Error> no(std::string operation, std::string cause) const {
    return fail(ErrorKind::io, std::move(operation), where(), std::move(cause));
  }
  tl::unexpected<Error> too_late(std::string operation) const {
    return no(std::move(operation), "no answer within " + std::to_string(options_.timeout.count()) +
                                        " s; is the server overloaded or the network slow?");
  }

  // Until the socket is as the stream wants it; on a write also until an answer comes.
  Ready wait(Stream::Status status, Clock::time_point until, bool* readable = nullptr) {
    pollfd waits{stream_->socket(), 0, 0};
    waits.events = status == Stream::Status::want_write ? POLLOUT : POLLIN;
    if (readable != nullptr) waits.events |= POLLIN;
    while (true) {
      auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      const bool is_late = left.count() <= 0;
      if (options_.is_cancelled) left = std::min(left, kBetweenQuestions);
      const int ready = is_late ? 0 : ::poll(&waits, 1, static_cast<int>(left.count()));
      if (ready < 0 && errno == EINTR) continue;
      if (ready < 0) return Ready::failed;
      if (ready == 0 && options_.is_cancelled && options_.is_cancelled()) return Ready::failed;
      if (ready == 0 && !is_late) continue;
      if (ready == 0) return Ready::late;
      if (readable != nullptr) *readable = (waits.revents & POLLIN) != 0;
      return Ready::yes;
    }
  }

  Result<void> connect() {
    std::vector<Endpoint> endpoints;
    if (!url_.unix_path.empty()) {
      endpoints.push_back({{}, 0, url_.unix_path});
    } else {
      const HostPort& at = proxy_ ? proxy_->at : url_.at;
      auto found = resolve(at.host, *at.port);
      if (!found) return tl::unexpected(found.error());
      endpoints = std::move(*found);
    }
    auto socket = connect_to(endpoints, options_.connect_timeout, options_.is_cancelled);
    if (!socket) {
      if (proxy_) socket.error().operation = "connect to the proxy";
      return tl::unexpected(socket.error());
    }
    ends_.reset();
    if (const auto both = ends_of(*socket)) ends_ = Ends{both->first, both->second};
    stream_.emplace(std::move(*socket));
    const auto until = Clock::now() + options_.connect_timeout;
    if (proxy_ && url_.tls) {
      if (auto open = open_tunnel(until); !open) return open;
    }
    if (!url_.tls) return {};
    stream_.emplace(Stream::connect(stream_->release(), *tls_, url_.at.host,
                                    options_.check_name ? url_.at.host : ""));
    while (true) {
      const auto done = stream_->handshake();
      if (done.status == Stream::Status::ok) break;
      if (done.status == Stream::Status::closed)
        return no("TLS with", "the connection was closed; does the server speak TLS there?");
      if (done.status == Stream::Status::failed) return no("TLS with", stream_->error());
      const Ready ready = wait(done.status, until);
      if (ready == Ready::late)
        return no("TLS with", "no answer; does the server speak TLS there?");
      if (ready == Ready::failed) return no("TLS with", "the wait was ended");
    }
    if (!options_.ca_fingerprint.empty())
      ca_pem_ = stream_->peer_certificate(options_.ca_fingerprint);
    return {};
  }

  // RFC 9110 §9.3.6.
  Result<void> open_tunnel(Clock::time_point until) {
    std::string head =
        "CONNECT " + to_string(url_.at) + " HTTP/1.1\r\nHost: " + to_string(url_.at) + "\r\n";
    if (!proxy_->authorization.empty())
      head += "Proxy-Authorization: " + proxy_->authorization + "\r\n";
    head += "\r\n";
    bool answered = false;
    if (auto sent = write(head, until, answered); !sent) return sent;
    // A byte at a time: what follows the head belongs to TLS.
    ResponseParser parser(true, kMostHead, 0);
    std::string text;
    while (!text.ends_with("\r\n\r\n")) {
      if (text.size() >= kMostHead) return no("ask the proxy for", "its answer has no end");
      char one = 0;
      const auto got = stream_->read({&one, 1});
      if (got.status == Stream::Status::ok) {
        text.push_back(one);
        continue;
      }
      if (got.status != Stream::Status::want_read)
        return no("ask the proxy for", "it closed the connection");
      if (wait(got.status, until) != Ready::yes) return no("ask the proxy for", "no answer");
    }
    std::size_t used = 0;
    if (parser.take(text, used)) return no("ask the proxy for", "its answer is malformed");
    const int status = parser.response().status;
    if (status / 100 == 2) return {};
    return no("ask the proxy for", "it refuses with status " + std::to_string(status) +
                                       (status == 407 ? ": it wants a user and password" : ""));
  }

  // `answered`: the server spoke before it had everything, which is left unsent.
  Result<void> write(std::string_view bytes, Clock::time_point until, bool& answered) {
    while (!bytes.empty()) {
      const auto sent = stream_->write(bytes);
      if (sent.status == Stream::Status::ok) {
        bytes.remove_prefix(sent.bytes);
        continue;
      }
      if (sent.status == Stream::Status::failed || sent.status == Stream::Status::closed)
        return no("send to",
                  stream_->error().empty() ? "it closed the connection" : stream_->error());
      bool readable = false;
      const Ready ready = wait(sent.status, until, url_.tls ? nullptr : &readable);
      if (ready == Ready::late) return too_late("send to");
      if (ready == Ready::failed) return no("send to", "the wait was ended");
      if (readable) {
        answered = true;
        return {};
      }
    }
    return {};
  }

  Result<void> write_file(const FileBody& file, Clock::time_point until, bool& answered) {
    std::string piece(kReadAtOnce, '\0');
    for (std::uint64_t at = 0; at < file.size() && !answered;) {
      const auto count = file.read(at, piece);
      if (!count) {
        stream_.reset();  // the server would wait for the rest
        return tl::unexpected(count.error());
      }
      auto sent = write(std::string_view(piece).substr(0, *count), until, answered);
      if (!sent) return sent;
      at += *count;
    }
    return {};
  }

  std::string head_of(const HttpRequest& request, const FileBody* file) const {
    std::string out = request.method + " ";
    if (proxy_ && !url_.tls) out += "http://" + to_string(url_.at);
    out += url_.prefix + request.target + " HTTP/1.1\r\n";
    const auto add = [&](std::string_view name, std::string_view value) {
      out.append(name).append(": ").append(value).append("\r\n");
    };
    if (request.header("host").empty())
      add("Host", url_.unix_path.empty() ? host_header() : "localhost");
    if (request.header("user-agent").empty()) add("User-Agent", "beaconry");
    if (request.header("accept").empty()) add("Accept", "*/*");
    for (const auto& [name, value] : request.headers) {
      const std::string lower = ascii_lower(name);
      if (lower != "content-length" && lower != "transfer-encoding" && lower != "connection")
        add(name, value);
    }
    if (proxy_ && !url_.tls && !proxy_->authorization.empty())
      add("Proxy-Authorization", proxy_->authorization);
    if (file != nullptr)
      add("Content-Length", std::to_string(file->size()));
    else if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
             request.method == "PATCH")
      add("Content-Length", std::to_string(request.body.size()));
    out += "\r\n";
    return out;
  }

  std::string host_header() const {
    HostPort at = url_.at;
    if (at.port == (url_.tls ? 443 : 80)) at.port.reset();
    return to_string(at);
  }

  Result<HttpResponse> exchange(const HttpRequest& request, const Take* take,
                                const FileBody* file) {
    if (!is_token(request.method) || !request.target.starts_with('/') ||
        has_control(request.target) || request.target.find(' ') != std::string::npos)
      return fail(ErrorKind::usage, "request", terminal_safe(request.target), "malformed target");
    for (const auto& [name, value] : request.headers) {
      if (!is_token(name) || has_control(value))
        return fail(ErrorKind::usage, "request", terminal_safe(name), "malformed header");
    }
    const bool reused = stream_.has_value();
    bool nothing_came = true;
    auto answer = try_exchange(request, take, file, nothing_came);
    if (!answer) stream_.reset();
    // The server may close an idle connection at any time: that is no failure of the request.
    if (!answer && reused && nothing_came) {
      answer = try_exchange(request, take, file, nothing_came);
      if (!answer) stream_.reset();
    }
    return answer;
  }

  // `nothing_came` stays true only if the connection ended before any of an answer.
  Result<HttpResponse> try_exchange(const HttpRequest& request, const Take* take,
                                    const FileBody* file, bool& nothing_came) {
    if (!stream_) {
      nothing_came = false;
      if (auto connected = connect(); !connected) return tl::unexpected(connected.error());
    }
    const auto until = Clock::now() + options_.timeout;
    std::string head = head_of(request, file);
    const bool merged = file == nullptr && request.body.size() <= kMergedBody;
    if (merged) head += request.body;
    bool answered = false;
    auto sent = write(head, until, answered);
    if (sent && !answered && !merged)
      sent = file != nullptr ? write_file(*file, until, answered)
                             : write(request.body, until, answered);
    if (!sent && (!stream_ || Clock::now() >= until)) {
      nothing_came = false;
      return tl::unexpected(sent.error());
    }
    const bool whole = sent && !answered;
    // Even if sending failed: the server may have refused before it closed.
    auto got = read_answer(request.method == "HEAD", take, until, nothing_came);
    if (!got && !sent) return tl::unexpected(sent.error());
    if (got && !whole) stream_.reset();
    return got;
  }

  Result<HttpResponse> read_answer(bool to_head, const Take* take, Clock::time_point until,
                                   bool& nothing_came) {
    const std::size_t most = take != nullptr ? std::size_t(-1) / 2 : options_.most_body;
    auto parser = std::make_unique<ResponseParser>(to_head, kMostHead, most);
    std::string in;
    while (true) {
      std::size_t used = 0;
      if (auto bad = parser->take(in, used)) {
        stream_.reset();
        if (bad->status == 413)
          return fail(ErrorKind::limit, "read the answer of", where(),
                      "it is longer than " + bytes_in_words(static_cast<double>(most)));
        return fail(ErrorKind::malformed, "read the answer of", where(),
                    "it is not HTTP/1.1 (" + std::string(bad->why) + "); is the port right?");
      }
      in.erase(0, used);
      if (parser->head_done() && parser->response().status / 100 == 1) {
        parser = std::make_unique<ResponseParser>(to_head, kMostHead, most);
        if (!in.empty()) continue;
      }
      const bool streaming =
          take != nullptr && parser->head_done() && parser->response().status == 200;
      if (streaming && !parser->response().body.empty()) {
        const std::string piece = std::exchange(parser->response().body, {});
        if (!(*take)(piece)) return end_of_stream(*parser);
      }
      // A refusal in place of a stream is kept, and so has the bound of other answers.
      if (take != nullptr && !streaming && parser->response().body.size() > options_.most_body) {
        stream_.reset();
        return fail(ErrorKind::limit, "read the answer of", where(),
                    "it is longer than " + bytes_in_words(static_cast<double>(options_.most_body)));
      }
      if (parser->done()) break;
      const auto got = stream_->read(scratch_);
      if (got.status == Stream::Status::ok) {
        nothing_came = false;
        in.append(scratch_.data(), got.bytes);
        continue;
      }
      if (got.status == Stream::Status::closed || got.status == Stream::Status::failed) {
        const bool ended = got.status == Stream::Status::closed && parser->take_end();
        const std::string why = stream_->error();
        stream_.reset();
        if (ended || streaming) return std::move(parser->response());
        return no("read the answer of", why.empty() ? "it closed the connection" : why);
      }
      const Ready ready = wait(got.status, streaming ? Clock::now() + kQuiet : until);
      if (ready == Ready::failed) return no("read the answer of", "the wait was ended");
      if (ready == Ready::late && streaming) {
        if (!(*take)("")) return end_of_stream(*parser);
      } else if (ready == Ready::late) {
        nothing_came = false;  // to ask again would not help
        return too_late("read the answer of");
      }
    }
    if (!parser->keep_alive() || !in.empty()) stream_.reset();
    return std::move(parser->response());
  }

  Result<HttpResponse> end_of_stream(ResponseParser& parser) {
    stream_.reset();
    return std::move(parser.response());
  }

  Options options_;
  const Url url_;
  const std::optional<Proxy> proxy_;
  const std::optional<TlsContext> tls_;
  std::string scratch_;
  std::optional<Stream> stream_;  // while it is kept open
  std::string ca_pem_;
  std::optional<Ends> ends_;
};

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::make(const Options& options) {
  const auto url = parse_url(options.url);
  if (!url)
    return fail(ErrorKind::usage, "use", terminal_safe(options.url),
                "write http://host:port, https://host:port or unix:/path");
  std::optional<Proxy> proxy;
  if (options.use_proxy) {
    auto found = proxy_for(*url, environment);
    if (!found) return tl::unexpected(found.error());
    proxy = std::move(*found);
  }
  std::optional<TlsContext> tls;
  if (url->tls) {
    auto made =
        TlsContext::for_client({options.ca_pem, options.ca_fingerprint, options.check_certificate,
                                options.certificate_pem, options.key_pem});
    if (!made) return tl::unexpected(made.error());
    tls = std::move(*made);
  }
  return Result<std::unique_ptr<HttpClient>>(
      std::make_unique<Client>(options, *url, std::move(proxy), std::move(tls)));
}

}  // namespace beaconry
